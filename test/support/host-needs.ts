/** A Host read from a tree, and its needs as lines: `/: sda1 > sda > 0000:00:17.0`. */
import type { Host } from '../../src/host/host.ts'
import { readHost } from '../../src/host/read/read-host.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { pci, tree, type TreeEntries } from './sysfs-tree.ts'

export const readTree = (...parts: readonly TreeEntries[]): Host =>
  readHost(linuxSystem({ root: tree(...parts) }))
export const told = (host: Host) =>
  host.needs.map((n) =>
    [n.weight === 'vital' ? '' : '(spoken for) ', n.what, ': ', [...n.chain, n.device].join(' > ')].join(''),
  )

/** Lines of /proc/self/mountinfo, without their two leading numbers. */
export const mounts = (...lines: readonly string[]): TreeEntries => ({
  '/proc/self/mountinfo': lines.map((line, index) => `${20 + index} 1 ${line}\n`).join(''),
})

/** The graphics of the processor, which the firmware made the boot display. */
export const bootScreen = pci({
  at: 'pci0000:00/0000:00:02.0',
  classCode: '030000',
  driver: 'i915',
  group: 1,
  files: { boot_vga: '1\n' },
})
