import { z } from 'zod'
import { absolutePath, mode, text } from './parts.ts'

const number = z.int().min(0)

/** One file before the first change. The bytes of a regular file are in the copy `blob`. */
export const savedSchema = z.discriminatedUnion('kind', [
  z.object({ path: absolutePath, kind: z.literal('absent') }),
  /** A folder that did not exist. A rollback removes it if it is empty. */
  z.object({ path: absolutePath, kind: z.literal('no-folder') }),
  z.object({ path: absolutePath, kind: z.literal('link'), target: text }),
  z.object({
    path: absolutePath,
    kind: z.literal('file'),
    blob: z.string().regex(/^\d{1,9}$/),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    mode,
    uid: number,
    gid: number,
    /**
     * ACLs and extended attributes, name → hex. Absent: unknown, or recorded by an older release. The copy
     * also has them.
     */
    attributes: z.exactOptional(z.record(text, z.string().regex(/^[0-9a-f]*$/))),
  }),
])

export type SavedFile = Readonly<z.infer<typeof savedSchema>>
