import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { addToTree, emptyTree, treeReader } from '../../../src/sources/tree.ts'
import { at } from '../../support/host-builder.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const read = (...parts: readonly TreeEntries[]): Host => readHost(linuxSystem({ root: tree(...parts) }))
const needs = (host: Host) => host.needs.map((n) => `${n.what}: ${[...n.chain, n.device].join(' > ')}`)

const sata = pci({
  at: 'pci0000:00/0000:00:17.0',
  ids: '8086:a102',
  classCode: '010601',
  driver: 'ahci',
  group: 4,
})
const nic = pci({
  at: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  driver: 'igb',
  group: 5,
  files: { reset_method: 'flr bus\n', numa_node: '-1\n', sriov_totalvfs: '7\n', sriov_numvfs: '0\n' },
})

describe('PCI functions from sysfs', () => {
  it('states place, ids, driver, group and attributes', () => {
    const host = read(
      pci({ at: 'pci0000:00/0000:00:1c.0', classCode: '060400', driver: 'pcieport', group: 3 }),
      nic,
    )
    expect(host.devices.map((d) => d.address)).toEqual(['0000:00:1c.0', '0000:01:00.0'])
    expect(host.devices[1]).toEqual({
      address: '0000:01:00.0',
      path: '0000:00/1c.0/00.0',
      parent: '0000:00:1c.0',
      vendorId: '8086',
      deviceId: '10d3',
      classCode: '020000',
      driver: 'igb',
      driverOverride: null,
      iommuGroup: 5,
      resetMethods: ['flr', 'bus'],
      sriov: { totalVfs: 7, numVfs: 0 },
    })
    expect(host.groups).toEqual([
      { id: 3, devices: ['0000:00:1c.0'] },
      { id: 5, devices: ['0000:01:00.0'] },
    ])
  })

  it('starts a new root bus below a VMD controller', () => {
    const host = read(
      pci({ at: 'pci0000:00/0000:00:0e.0', classCode: '010400' }),
      pci({ at: 'pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0', classCode: '060400' }),
      pci({ at: 'pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0', classCode: '010802' }),
    )
    expect(host.devices.map((d) => [d.path, d.parent])).toEqual([
      ['0000:00/0e.0', undefined],
      ['0000:00/0e.0/10000:e0/06.0', undefined],
      ['0000:00/0e.0/10000:e0/06.0/00.0', '10000:e0:06.0'],
    ])
  })

  it('takes an address that an archive names in two ways for one function', () => {
    const twice: TreeEntries = {
      '/sys/bus/pci/devices/00:17.0': '-> ../../../devices/pci0000:00/0000:00:17.0',
      '/sys/kernel/iommu_groups/4/devices/00:17.0': '-> ../../../../devices/pci0000:00/0000:00:17.0',
    }
    const host = read(sata, twice)
    expect(host.devices.map((d) => d.address)).toEqual(['0000:00:17.0'])
    expect(host.groups).toEqual([{ id: 4, devices: ['0000:00:17.0'] }])
  })

  it('claims neither "no driver" nor "no group" from an archive that kept no such links', () => {
    const [device] = read(pci({ at: 'pci0000:00/0000:00:02.0' })).devices
    expect(device).not.toHaveProperty('driver')
    expect(device).not.toHaveProperty('iommuGroup')
  })
})

describe('what cannot be read', () => {
  it('is said, and a function that went away is told from one whose files are forbidden', () => {
    const machine = emptyTree()
    const listed = (address: string) =>
      addToTree(machine, `/sys/bus/pci/devices/${address}`, {
        kind: 'link',
        target: `../../../devices/pci0000:00/${address}`,
      })
    for (const address of ['0000:00:01.0', '0000:00:02.0', '0000:00:03.0']) listed(address)
    for (const file of ['uevent', 'config'])
      addToTree(machine, `/sys/devices/pci0000:00/0000:00:01.0/${file}`, {
        kind: 'unreadable',
        code: 'EACCES',
      })
    const asleep = new Uint8Array(256).fill(0xff)
    addToTree(machine, '/sys/devices/pci0000:00/0000:00:03.0/config', { kind: 'file', bytes: asleep })
    const host = readHost(treeReader(machine))
    const gone = host.findings.filter(({ about }) => about?.includes(at('0000:00:02.0')))
    expect(gone.map(({ code, severity }) => [code, severity])).toEqual([['unreadable', 'warning']])
    expect(
      host.findings.filter(({ message }) => message.includes('00:01.0')).map(({ message }) => message),
    ).toEqual([
      '/sys/devices/pci0000:00/0000:00:01.0/uevent cannot be read (EACCES), so its content is not known',
      '/sys/devices/pci0000:00/0000:00:01.0/config cannot be read (EACCES), so its content is not known',
    ])
    expect(judgeHost(host).devices.map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(judgeHost(host).devices[2]?.reasons.map(({ code }) => code)).toContain('device-silent')
  })
})

describe('what the host needs', () => {
  it('walks / through LVM and md to the controller, with the serial of the disk', () => {
    const disk = '/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda'
    const page = new TextEncoder().encode('\0\u0080\0\u000cS3Z8NB0K12345 ')
    const host = read(sata, {
      '/proc/self/mountinfo':
        '22 1 253:0 / / rw - ext4 /dev/mapper/vg0-root rw\n23 22 0:20 / /proc rw - proc proc rw\n',
      '/proc/swaps': 'Filename Type Size Used Priority\n/dev/sda1 partition 1 0 -2\n',
      '/dev/sda1': '',
      '/sys/dev/block/253:0': '-> ../../devices/virtual/block/dm-0',
      '/sys/devices/virtual/block/dm-0/dm/name': 'vg0-root\n',
      '/sys/devices/virtual/block/dm-0/dm/uuid': 'LVM-abc\n',
      '/sys/devices/virtual/block/dm-0/slaves/md0': '-> ../../md0',
      '/sys/devices/virtual/block/md0/slaves/sda2': `-> ../../../..${disk.slice('/sys/devices'.length)}/sda2`,
      '/sys/devices/virtual/block/md0/md/level': 'raid1\n',
      [`${disk}/sda1/partition`]: '1\n',
      [`${disk}/sda2/partition`]: '2\n',
      [`${disk}/size`]: '2048\n',
      '/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/model': 'TEST DISK       \n',
      '/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/vpd_pg80': page,
      [`${disk}/device`]: '-> ../../../0:0:0:0',
      '/sys/class/block/dm-0': '-> ../../devices/virtual/block/dm-0',
      '/sys/class/block/md0': '-> ../../devices/virtual/block/md0',
      '/sys/class/block/sda': `-> ../..${disk.slice('/sys'.length)}`,
      '/sys/class/block/sda1': `-> ../..${disk.slice('/sys'.length)}/sda1`,
      '/sys/class/block/sda2': `-> ../..${disk.slice('/sys'.length)}/sda2`,
      '/sys/block/sda': `-> ..${disk.slice('/sys'.length)}`,
    })
    expect(needs(host)).toEqual(['/: vg0/root > md0 > sda2 > 0000:00:17.0', 'swap: sda1 > 0000:00:17.0'])
    expect(host.devices[0]?.disks).toEqual([
      { name: 'sda', model: 'TEST DISK', serial: 'S3Z8NB0K12345', sizeBytes: 1_048_576 },
    ])
  })

  const port = '/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth0'
  const bridged: TreeEntries = {
    '/sys/class/net/br0': '-> ../../devices/virtual/net/br0',
    '/sys/devices/virtual/net/br0/bridge/': '',
    '/sys/devices/virtual/net/br0/lower_eth0': '-> ../eth0',
    '/sys/class/net/eth0': '-> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth0',
    [`${port}/address`]: '52:54:00:12:34:56\n',
    [`${port}/addr_assign_type`]: '0\n',
  }

  it('walks the default route through a bridge to the card', () => {
    const route = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
    const host = read(nic, bridged, {
      '/proc/net/route': `${route}br0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`,
    })
    expect(needs(host)).toEqual(['default route: br0 > eth0 > 0000:01:00.0'])
    expect(host.needs.map((n) => n.weight)).toEqual(['vital'])
    expect(host.devices[0]?.networkInterfaces).toEqual([
      { name: 'eth0', mac: '52:54:00:12:34:56', permanentMac: '52:54:00:12:34:56' },
    ])
    expect(host.bridges).toEqual(['br0'])
  })

  it('keeps the card under a bridge that still waits for its address', () => {
    const host = read(nic, bridged)
    expect(host.needs).toMatchObject([{ what: 'bridge br0', weight: 'vital', device: '0000:01:00.0' }])
  })
})
