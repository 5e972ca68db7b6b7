/** `down --json`: the VMs that were stopped, in the order in which they stopped. */
import { z } from 'zod'
import type { Stopped } from '../app/down.ts'
import { text, version, type Document } from './document.ts'

const stopped = z.object({
  vm: text,
  how: z
    .enum(['powered off', 'switched off', 'start given up'])
    .describe('by the guest itself, by force, or its service waited to start it'),
  seconds: z.number(),
})

export const downSchema = z.object({ ...version, vms: z.array(stopped) })

export type DownDocument = Document<typeof downSchema>

export function downDocument(vms: readonly Stopped[]): DownDocument {
  return { schema: 1, vms }
}
