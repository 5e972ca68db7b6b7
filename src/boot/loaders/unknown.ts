/**
 * Loaders whose entries are not written from here: what they have in common, and those that are not known at
 * all.
 */
import { manual } from '../edits.ts'
import { remakeAll } from '../initramfs/images.ts'
import { no } from '../trial/trial-way.ts'
import { grubLeftovers } from './grub-custom.ts'
import type { Loader } from './loader.ts'

/** Nothing of a trial can be there but what GRUB had, when it still started this machine. */
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
  manual('a way that is not known here', 'change the kernel command line: ARGS', change),
)

/** Each of these could have started this machine. */
export function ambiguousLoader(candidates: readonly string[]): Loader {
  return unwrittenLoader('ambiguous', (_, change) =>
    manual(
      `either ${candidates.join(' or ')}`,
      'see which one starts this machine, and there change the kernel command line: ARGS',
      change,
      { code: 'boot-ambiguous' },
    ),
  )
}
