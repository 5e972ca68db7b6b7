/**
 * Where `pcie_acs_override=` stands: in force on the running kernel, or in a file that the next start reads.
 */
import { holdsKernelArguments } from '../boot/argument-files.ts'
import type { Host } from '../host/host.ts'

export type AcsOverrideFound = {
  /** As it stands there: `pcie_acs_override=downstream`. */
  readonly word: string
  /** The file, where it is not the running command line. */
  readonly file?: string
  /**
   * Whether the running kernel was started with it; `undefined` where the input does not hold its command
   * line.
   */
  readonly inForce: boolean | undefined
}

export function findAcsOverride({ kernel, files }: Host): AcsOverrideFound | undefined {
  const running = kernel.cmdline === undefined ? undefined : wordIn(kernel.cmdline)
  if (running !== undefined) return { word: running, inForce: true }
  for (const { path, text } of files ?? []) {
    if (!holdsKernelArguments(path)) continue
    for (const line of text.split('\n')) {
      const word = line.trimStart().startsWith('#') ? undefined : wordIn(line)
      if (word !== undefined)
        return { word, file: path, inForce: kernel.cmdline === undefined ? undefined : false }
    }
  }
  return undefined
}

/** The kernel takes `-` and `_` in names alike. */
function wordIn(text: string): string | undefined {
  return /(?:^|[\s"'=])(pcie[_-]acs[_-]override=[\w:,-]{1,400})/.exec(text)?.[1]
}
