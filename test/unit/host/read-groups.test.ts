import { describe, expect, it } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Reader } from '../../../src/machine/system.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const port = pci({ at: 'pci0000:00/0000:00:1c.0', classCode: '060400', driver: 'pcieport', group: 3 })
const nic = pci({ at: 'pci0000:00/0000:00:1c.0/0000:01:00.0', driver: 'igb', group: 3 })
const disk = pci({ at: 'pci0000:00/0000:00:17.0', classCode: '010601', driver: 'ahci', group: 12 })

const unit: TreeEntries = { '/sys/class/iommu/dmar0': '-> ../../devices/virtual/iommu/dmar0' }
const serves = (at: string): TreeEntries => ({
  [`/sys/devices/virtual/iommu/dmar0/devices/${at.split('/').at(-1) ?? ''}`]: `-> ../../../../${at}`,
})
const served: TreeEntries = {
  ...unit,
  ...serves('pci0000:00/0000:00:1c.0'),
  ...serves('pci0000:00/0000:00:1c.0/0000:01:00.0'),
  ...serves('pci0000:00/0000:00:17.0'),
}
const both = [
  { id: 3, devices: ['0000:00:1c.0', '0000:01:00.0'] },
  { id: 12, devices: ['0000:00:17.0'] },
]

/** What a reader was asked to list. */
function listed(root: string): { reader: Reader; folders: string[] } {
  const system = linuxSystem({ root })
  const folders: string[] = []
  const list: Reader['list'] = (path) => {
    folders.push(path)
    return system.list(path)
  }
  return { reader: { ...system, list }, folders }
}

const groupFolders = (folders: readonly string[]) =>
  folders.filter((path) => /iommu_groups\/\d+\/devices$/.test(path))

describe('the members of groups', () => {
  it('are told by the folders where units do not say whom they serve', () => {
    const { reader, folders } = listed(tree(port, nic, disk))
    expect(readHost(reader).groups).toEqual(both)
    expect(groupFolders(folders)).toHaveLength(2)
  })

  it('are told by links where they do, and no folder is listed', () => {
    const { reader, folders } = listed(tree(port, nic, disk, served))
    const host = readHost(reader)
    expect(host.groups).toEqual(both)
    expect(host.devices.map(({ iommuGroup }) => iommuGroup)).toEqual([12, 3, 3])
    expect(groupFolders(folders)).toEqual([])
  })

  it('may be of other buses, and of groups that no unit serves', () => {
    const uart = '/sys/devices/platform/AMDI0020:00'
    const root = tree(port, nic, disk, served, serves('platform/AMDI0020:00'), {
      [`${uart}/iommu_group`]: '-> ../../../kernel/iommu_groups/12',
      '/sys/kernel/iommu_groups/12/devices/AMDI0020:00': `-> ../../../../devices/platform/AMDI0020:00`,
      '/sys/kernel/iommu_groups/20/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001': '',
    })
    const { reader, folders } = listed(root)
    expect(readHost(reader).groups).toEqual([
      both[0],
      { id: 12, devices: ['0000:00:17.0'], otherMembers: ['AMDI0020:00'] },
      { id: 20, devices: [], otherMembers: ['83b8f4f2-509f-382f-3c1e-e6bfe0fa1001'] },
    ])
    expect(groupFolders(folders)).toEqual(['/sys/kernel/iommu_groups/20/devices'])
  })

  it.each<[string, TreeEntries]>([
    ['a function is served but has no link', { ...served, ...serves('pci0000:00/0000:00:02.0') }],
    ['a link names a group that is not there', served],
  ])('are told by the folders where %s', (what, entries) => {
    const away = pci({ at: 'pci0000:00/0000:00:02.0', classCode: '030000', driver: 'i915' })
    const link = what.startsWith('a link')
      ? { '/sys/devices/pci0000:00/0000:00:02.0/iommu_group': '-> ../../../kernel/iommu_groups/77' }
      : {}
    const inGroup = {
      '/sys/kernel/iommu_groups/12/devices/0000:00:02.0': '-> ../../../../devices/pci0000:00/0000:00:02.0',
    }
    const host = readHost(linuxSystem({ root: tree(port, nic, disk, entries, away, link, inGroup) }))
    expect(host.groups).toEqual([both[0], { id: 12, devices: ['0000:00:02.0', '0000:00:17.0'] }])
    expect(host.devices.map(({ address, iommuGroup }) => [address, iommuGroup])).toEqual([
      ['0000:00:02.0', 12],
      ['0000:00:17.0', 12],
      ['0000:00:1c.0', 3],
      ['0000:01:00.0', 3],
    ])
  })

  it('are in a capture either way', () => {
    for (const entries of [{}, served]) {
      const { text } = captureHost(linuxSystem({ root: tree(port, nic, disk, entries) }), 'test')
      expect(text.includes('iommu_groups/12')).toBe(true)
    }
  })
})

describe('the NUMA node', () => {
  const silent = pci({ at: 'pci0000:00/0000:00:02.0', files: { numa_node: '-1\n' } })
  const second = pci({ at: 'pci0000:00/0000:00:03.0', files: { numa_node: '1\n' } })
  const nodes = (possible: TreeEntries) =>
    readHost(linuxSystem({ root: tree(silent, second, possible) })).devices.map(({ numaNode }) => numaNode)

  it('is read where a machine can have several', () => {
    expect(nodes({})).toEqual([undefined, 1])
    expect(nodes({ '/sys/devices/system/node/possible': '0-1\n' })).toEqual([undefined, 1])
  })

  it('is the only one where it can have one, whatever the firmware says of it', () => {
    expect(nodes({ '/sys/devices/system/node/possible': '0\n' })).toEqual([0, 0])
  })
})
