/**
 * Systems whose own tool changes the command line, so handover writes nothing there. Some are immutable; on
 * the others the tool writes the boot entries from its own configuration, and would overwrite edited entries.
 */
import type { BootPath } from '../boot-paths.ts'
import { manual, type BootChange } from '../edits.ts'
import type { LoaderKind } from './loader.ts'
import { unwrittenLoader } from './unknown.ts'

type Tool = {
  /** For the message "this machine boots with NAME". */
  readonly name: string
  /** The tool is used when this path exists. */
  readonly path: BootPath
  /** The instruction, in which `ARGS` is the change. */
  readonly how: string
  readonly words?: (change: BootChange) => string
  readonly place?: LoaderKind['place']
}

function kindOf({ name, path, how, words, place }: Tool): LoaderKind {
  const edit = (_: unknown, change: BootChange) => manual(name, how, change, words && { words })
  const loader = unwrittenLoader(name, edit)
  return {
    name,
    detect: ({ has }) => (has(path) ? { loader, isCertain: true } : undefined),
    ...(place === undefined ? {} : { place }),
  }
}

function asOptions(add: string, remove: string, between = ' '): (change: BootChange) => string {
  return (change) =>
    [...change.remove.map((raw) => `${remove}${raw}`), ...change.add.map((raw) => `${add}${raw}`)].join(
      between,
    )
}

export const nixos = kindOf({
  name: 'NixOS',
  path: '/etc/NIXOS',
  how: 'set boot.kernelParams = [ ARGS ]; and run: nixos-rebuild boot',
  words: ({ add }) => add.map((raw) => `"${raw}"`).join(' '),
  place: ({ isDistribution }) =>
    isDistribution('nixos') ? 'boot.kernelParams in configuration.nix, run nixos-rebuild boot' : undefined,
})

export const ostree = kindOf({
  name: 'an ostree system',
  path: '/run/ostree-booted',
  how: 'run: rpm-ostree kargs ARGS',
  words: asOptions('--append=', '--delete='),
})

const syslinux = '/boot/syslinux/syslinux.cfg'

export const unraid = kindOf({
  name: 'Unraid',
  path: '/etc/unraid-version',
  how: `edit the append line in ${syslinux}: ARGS`,
  place: ({ hasFile }) => (hasFile(syslinux) ? `the append line of ${syslinux}` : undefined),
})

export const sdbootutil = kindOf({
  name: 'entries that sdbootutil writes',
  path: '/usr/bin/sdbootutil',
  how: 'run: update-bootloader ARGS',
  words: asOptions('--add-option ', '--del-option ', ' && update-bootloader '),
})

export const kernelstub = kindOf({
  name: 'entries that kernelstub writes',
  path: '/usr/bin/kernelstub',
  how: 'run: kernelstub ARGS',
  words: asOptions('--add-options ', '--delete-options ', ' && kernelstub '),
})
