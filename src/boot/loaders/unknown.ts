/** Loaders whose entries handover does not write, and hosts whose loader is not known. */
import { manual } from '../edits.ts'
import { remakeAll } from '../initramfs/images.ts'
import { no } from '../trial/trial-way.ts'
import { grubLeftovers } from './grub-custom.ts'
import type { Loader } from './loader.ts'

/** Only GRUB can have left a trial, from a time when it started this machine. */
export function unwrittenLoader(name: string, edit: Loader['edit']): Loader {
  return {
    name,
    edit,
    trial: () => no('a trial entry is known only for GRUB and systemd-boot'),
    remake: ({ host }, tool) => remakeAll(host, tool),
    remakesRunning: () => true,
    leftovers: ({ host }) => grubLeftovers(host, '/boot/grub'),
  }
}

export const unknownLoader = unwrittenLoader('unknown', (_, change) =>
  manual('an unknown boot loader', 'change the kernel command line: ARGS', change),
)

/** Each of `candidates` may have started this machine. */
export function ambiguousLoader(candidates: readonly string[]): Loader {
  return unwrittenLoader('ambiguous', (_, change) =>
    manual(
      `either ${candidates.join(' or ')}`,
      'find out which one starts this machine, and change its kernel command line: ARGS',
      change,
      { code: 'boot-ambiguous' },
    ),
  )
}
