/**
 * Real file trees shaped like a Linux machine, in a temporary folder: attributes are files, `->` values are
 * links.
 *
 *     const root = tree({ '/proc/cmdline': 'quiet', '/sys/class/net/eth0': '-> ../../devices/…' })
 */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { onTestFinished } from 'vitest'

export type TreeEntries = Readonly<Record<string, string | Uint8Array>>

/** Writes the entries below a new temporary folder, which is removed when the test ends. */
export function tree(...parts: readonly TreeEntries[]): string {
  const root = fs.mkdtempSync(join(tmpdir(), 'handover-tree-'))
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }))
  for (const entries of parts) addEntries(root, entries)
  return root
}

export function addEntries(root: string, entries: TreeEntries): void {
  for (const [path, value] of Object.entries(entries)) writeEntry(root, path, value)
}

function writeEntry(root: string, path: string, value: string | Uint8Array): void {
  const target = join(root, path)
  fs.mkdirSync(path.endsWith('/') ? target : dirname(target), { recursive: true })
  if (path.endsWith('/')) return
  if (typeof value === 'string' && value.startsWith('-> ')) fs.symlinkSync(value.slice(3), target)
  else fs.writeFileSync(target, value)
}

export type PciEntry = {
  /** Below /sys/devices: `pci0000:00/0000:00:1c.0/0000:01:00.0`. */
  readonly at: string
  readonly ids?: string
  readonly classCode?: string
  readonly driver?: string
  readonly group?: number
  readonly config?: Uint8Array
  readonly files?: Readonly<Record<string, string>>
}

/** One PCI function as sysfs shows it: its folder, the bus link, driver and group links. */
export function pci(entry: PciEntry): TreeEntries {
  const address = entry.at.split('/').at(-1) ?? ''
  const folder = `/sys/devices/${entry.at}`
  const [vendor = '8086', device = '10d3'] = (entry.ids ?? '8086:10d3').split(':')
  const up = (path: string) => `-> ${relative(folder, path)}`
  return {
    [`${folder}/vendor`]: `0x${vendor}\n`,
    [`${folder}/device`]: `0x${device}\n`,
    [`${folder}/class`]: `0x${entry.classCode ?? '020000'}\n`,
    [`${folder}/driver_override`]: '(null)\n',
    [`/sys/bus/pci/devices/${address}`]: `-> ../../../devices/${entry.at}`,
    ...(entry.config ? { [`${folder}/config`]: entry.config } : {}),
    ...(entry.driver
      ? {
          [`${folder}/driver`]: up(`/sys/bus/pci/drivers/${entry.driver}`),
          [`/sys/bus/pci/drivers/${entry.driver}/`]: '',
        }
      : {}),
    ...(entry.group === undefined
      ? {}
      : {
          [`${folder}/iommu_group`]: up(`/sys/kernel/iommu_groups/${entry.group}`),
          [`/sys/kernel/iommu_groups/${entry.group}/devices/${address}`]: `-> ../../../../devices/${entry.at}`,
        }),
    ...Object.fromEntries(
      Object.entries(entry.files ?? {}).map(([name, text]) => [`${folder}/${name}`, text]),
    ),
  }
}
