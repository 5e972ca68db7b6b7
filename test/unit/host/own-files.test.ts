import { mkinitcpio } from '../../../src/boot/initramfs/mkinitcpio.ts'
import { dracut } from '../../../src/boot/initramfs/dracut.ts'
import { initramfsTools } from '../../../src/boot/initramfs/initramfs-tools.ts'
import { expect, it } from 'vitest'
import { earlyBindingFiles } from '../../../src/boot/early-binding.ts'
import { hugepagesFile } from '../../../src/boot/host-setup.ts'
import type { OwnFile } from '../../../src/boot/own-file.ts'
import { trialFiles } from '../../../src/boot/trial/trial.ts'
import { virtualFunctionFiles } from '../../../src/boot/virtual-functions.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { grubDropIn } from '../../../src/boot/loaders/grub.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { tree } from '../../support/sysfs-tree.ts'

const checks = {
  minutes: 1,
  mounts: [],
  hasDefaultRoute: false,
  addresses: [],
  drivers: [],
  waits: [],
  add: [],
  remove: [],
}

/** A file that is written and never read again would be planned again after every apply. */
it.each<[what: string, files: readonly Pick<OwnFile, 'path' | 'text'>[]]>([
  ['early binding with initramfs-tools', earlyBindingFiles(initramfsTools, { identities: [] })],
  ['early binding with dracut', earlyBindingFiles(dracut, { identities: [] })],
  ['early binding with mkinitcpio', earlyBindingFiles(mkinitcpio, { identities: [] })],
  ['a trial', trialFiles(checks)],
  ['virtual functions', virtualFunctionFiles([])],
  ['huge pages', [hugepagesFile(2048, 3)]],
  [
    'kernel arguments',
    [grubDropIn, '/etc/cmdline.d/handover.conf'].map((path) => ({ path, text: 'ours\n' })),
  ],
])('reads every file of our own: %s', (_, files) => {
  const host = readHost(
    linuxSystem({ root: tree(Object.fromEntries(files.map(({ path, text }) => [path, text]))) }),
  )
  const read = new Map(host.files?.map(({ path, text }) => [path, text]))
  expect(files.map(({ path }) => [path, read.get(path)])).toEqual(files.map(({ path, text }) => [path, text]))
})
