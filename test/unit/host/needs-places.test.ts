import { describe, expect, it } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { parseCapture } from '../../../src/sources/capture/parse-capture.ts'
import type { Host } from '../../../src/host/host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { blockEntry, diskEntries, madeEntries, udevEntry } from '../../support/disk-entries.ts'
import { mounts, readTree as read, told } from '../../support/host-needs.ts'
import { readerOf } from '../../support/stacks/broken-tree.ts'
import { diskCase } from '../../support/stacks/disk-stacks.ts'
import { pci, type TreeEntries } from '../../support/sysfs-tree.ts'

const left = 'pci0000:00/0000:00:11.5'
const right = 'pci0000:00/0000:00:1b.4/0000:0a:00.0'
const [a, b] = ['0000:00:11.5', '0000:0a:00.0']
const controllers = {
  ...pci({ at: left, classCode: '010601', driver: 'ahci', group: 3 }),
  ...pci({ at: right, classCode: '010700', driver: 'mpt3sas', group: 9 }),
}
const lost = (host: Host) => (host.lostNeeds ?? []).map((need) => `${need.what}: ${need.lost}, ${need.why}`)
/** A disk at a place, mounted. */
const at = (place: string, name = 'sdq'): TreeEntries => ({
  [`/sys/block/${name}`]: `-> ../devices/${place}/${name}`,
  ...blockEntry(name, '65:0', `${place}/${name}`),
  ...mounts(`65:0 / /far rw - ext4 /dev/${name} rw`),
})

describe('disks that are on no PCI function', () => {
  it.each([
    ['an eMMC of the board', 'platform/80860F14:00/mmc_host/mmc0/mmc0:0001/block', 'mmcblk0'],
    [
      'a disk of Hyper-V',
      'LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00/host0/target0:0:0/0:0:0:0/block',
      'sdq',
    ],
    ['a disk of Xen', 'vbd-51712/block', 'xvda'],
    ['a disk of Ceph', 'rbd/0/block', 'rbd0'],
  ])('%s', (_, place, name) => {
    const host = read(controllers, diskEntries(right, 'sdf', 80), at(place, name))
    expect([
      told(host).filter((line) => line.startsWith('/far')),
      lost(host).filter((line) => line.startsWith('/far')),
    ]).toEqual([[], []])
  })

  it('a disk over iSCSI, whose address is followed as a need of the network, and one without', () => {
    const place = 'platform/host7/session3/target7:0:0/7:0:0:1/block'
    const known = { '/sys/class/iscsi_connection/connection3:0/address': '192.0.2.60\n' }
    expect(lost(read(controllers, at(place), known)).filter((line) => line.startsWith('/far'))).toEqual([])
    expect(lost(read(controllers, at(place)))).toContain(
      '/far: sdq, nothing says over which port session 3 of iSCSI runs',
    )
  })

  it('FCoE in software, through a VLAN to the card', () => {
    const nic = pci({ at: 'pci0000:00/0000:00:1c.5/0000:0c:00.0', driver: 'ixgbe', group: 12 })
    const net = {
      '/sys/class/net/eth4.100': '-> ../../devices/virtual/net/eth4.100',
      '/sys/devices/virtual/net/eth4.100/lower_eth4': '',
      '/sys/class/net/eth4': '-> ../../devices/pci0000:00/0000:00:1c.5/0000:0c:00.0/net/eth4',
    }
    const host = read(
      controllers,
      nic,
      net,
      at('virtual/net/eth4.100/ctlr_0/host9/rport-9:0-0/target9:0:0/9:0:0:0/block'),
    )
    expect(told(host)).toContain('/far: sdq > eth4.100 > eth4 > 0000:0c:00.0')
  })
})

it('a server that only a container has mounted is followed as one of the host', () => {
  const nic = pci({ at: 'pci0000:00/0000:00:1c.5/0000:0c:00.0', driver: 'ixgbe', group: 12 })
  const network = {
    '/sys/class/net/eth4': '-> ../../devices/pci0000:00/0000:00:1c.5/0000:0c:00.0/net/eth4',
    '/proc/net/route':
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth4\t000A0A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n',
    '/proc/88/mountinfo': '70 1 0:61 / /films rw - nfs4 10.10.10.9:/films rw,addr=10.10.10.9\n',
  }
  const host = read(controllers, nic, network, mounts('0:4 / /proc rw - proc proc rw'))
  expect(host.needs.find(({ mountPoint }) => mountPoint === '/films')?.device).toBe('0000:0c:00.0')
})

describe('NVMe beyond one function', () => {
  const place = 'virtual/nvme-subsystem/nvme-subsys5'
  const controller = (
    name: string,
    files: Readonly<Record<string, string>>,
    below = 'virtual/nvme-fabrics/ctl',
  ): TreeEntries => ({
    [`/sys/class/nvme/${name}`]: `-> ../../devices/${below}/${name}`,
    ...Object.fromEntries(
      Object.entries(files).map(([file, text]) => [`/sys/devices/${below}/${name}/${file}`, `${text}\n`]),
    ),
    [`/sys/devices/${place}/${name}`]: '',
  })
  const namespace: TreeEntries = {
    ...at(place, 'nvme5n1'),
    '/sys/class/nvme-subsystem/nvme-subsys5': `-> ../../devices/${place}`,
  }
  const adapter = (slot: string, port: string, host: string): TreeEntries => ({
    ...pci({
      at: `pci0000:00/0000:00:1d.2/0000:${slot}:00.0`,
      classCode: '0c0400',
      driver: 'lpfc',
      group: Number.parseInt(slot, 16),
    }),
    [`/sys/class/fc_host/${host}`]: `-> ../../devices/pci0000:00/0000:00:1d.2/0000:${slot}:00.0/${host}/fc_host/${host}`,
    [`/sys/devices/pci0000:00/0000:00:1d.2/0000:${slot}:00.0/${host}/fc_host/${host}/port_name`]: `${port}\n`,
  })
  const fibre = controller('nvme7', {
    transport: 'fc',
    state: 'live',
    address:
      'traddr=nn-0x2000000000000001:pn-0x2100000000000001,host_traddr=nn-0x20000000C0000001:pn-0x21000000C0000001',
  })

  it('Fibre Channel by the port that the controller states', () => {
    const host = read(
      controllers,
      namespace,
      fibre,
      adapter('21', '0x21000000c0000001', 'host3'),
      adapter('22', '0x21000000c0000002', 'host4'),
    )
    expect(told(host)).toContain('/far: nvme5n1 > nvme7 > host3 > 0000:21:00.0')
  })

  it('any adapter where none has that port', () => {
    const host = read(controllers, namespace, fibre, adapter('22', '0x21000000c0000002', 'host4'))
    expect(host.lostNeeds?.find(({ what }) => what === '/far')?.couldBe).toEqual(['0000:22:00.0'])
  })

  it('a server by its address, and lost without one', () => {
    const tcp = (address: string) =>
      lost(
        read(controllers, namespace, controller('nvme7', { transport: 'tcp', state: 'live', address })),
      ).filter((line) => line.startsWith('/far'))
    expect(tcp('traddr=192.0.2.7,trsvcid=4420')).toEqual([])
    expect(tcp('')).toEqual(['/far: nvme7, nothing says where this NVMe controller is'])
  })

  it.each([
    ['live', 'optimized', [a, b]],
    ['connecting', 'optimized', [a]],
    ['live', 'inaccessible', [a]],
  ])('of two paths the %s and %s one counts', (state, ana, standing) => {
    const path = (name: string, below: string, address: string, files: Readonly<Record<string, string>>) =>
      controller(name, { transport: 'pcie', address, ...files }, `${below}/nvme`)
    const both = [
      path('nvme1', left, a, { state: 'live' }),
      path('nvme2', right, b, { state, 'nvme5c2n1/ana_state': ana }),
    ]
    const needs = read(controllers, namespace, ...both).needs.filter(({ what }) => what === '/far')
    expect(needs.map(({ device }) => device)).toEqual([a, b])
    expect(needs.flatMap(({ redundant }) => redundant?.others ?? []).toSorted()).toEqual(
      standing.toSorted().slice(0, standing.length === 2 ? 2 : 1),
    )
  })
})

describe('in a container', () => {
  const nic = pci({ at: 'pci0000:00/0000:00:1c.5/0000:0c:00.0', driver: 'ixgbe', group: 12 })
  const disks = { ...controllers, ...diskEntries(right, 'sdf', 80, [2]), ...nic }
  const space = (pid: string, mnt: number, net: number, processes = 4026531836): TreeEntries => ({
    [`/proc/${pid}/ns/mnt`]: `-> mnt:[${mnt}]`,
    [`/proc/${pid}/ns/net`]: `-> net:[${net}]`,
    [`/proc/${pid}/ns/pid`]: `-> pid:[${processes}]`,
  })
  const inside = mounts('0:90 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u')

  it("the host's mounts are those of process 1, and its ports cannot be seen", () => {
    const host = read(disks, inside, space('self', 77, 78), space('1', 4026531841, 4026531840), {
      '/proc/1/mountinfo': '21 1 8:82 / / rw - ext4 /dev/sdf2 rw\n',
    })
    expect(told(host)).toContain(`/: sdf2 > ${b}`)
    expect(host.lostNeeds?.filter(({ kind }) => kind === 'network').map(({ couldBe }) => couldBe)).toEqual([
      ['0000:0c:00.0'],
    ])
  })

  it('with processes of its own, nothing of the host can be seen', () => {
    const host = read(disks, inside, space('self', 77, 78, 4026532199))
    expect(lost(host)).toContain(
      'what the host has mounted: mounts of the host, handover runs in a container, from which the mounts of the host cannot be seen',
    )
    // The first controller shows no disk and no port.
    expect(judgeHost(host).devices.map(({ verdict }) => verdict)).toEqual(['ready', 'unknown', 'unknown'])
  })

  it('on the host itself all is seen', () => {
    const host = read(disks, mounts('8:82 / / rw - ext4 /dev/sdf2 rw'), space('self', 1, 2), space('1', 1, 2))
    expect(lost(host).filter((line) => line.includes('container'))).toEqual([])
  })
})

describe('block devices with what stands on them', () => {
  it('a volume for a VM is free, the disks below it are not', () => {
    const volume = madeEntries('dm-3', '253:3', { 'dm/name': 'pool-guest\n', 'dm/uuid': 'LVM-x\n' }, ['sdf1'])
    const host = read(
      controllers,
      diskEntries(left, 'sda', 0, [1, 2]),
      diskEntries(right, 'sdf', 80, [1, 2]),
      volume,
      mounts('8:1 / / rw - ext4 /dev/sda1 rw'),
      udevEntry('8:1', 'S:disk/by-id/ata-x-part1'),
      { '/proc/700/fd/3': '-> /dev/dm-3', '/proc/700/comm': 'kvm\n' },
    )
    const lines = host.blockDevices?.map(({ name, paths, neededFor, heldBy, functions }) => [
      name,
      paths.slice(1).join(' '),
      neededFor.join(', '),
      heldBy?.join(' ') ?? '',
      functions.join(' '),
    ])
    expect(lines).toEqual([
      ['dm-3', '/dev/mapper/pool-guest /dev/pool/guest', '', 'process 700 (kvm)', b],
      ['sda', '', '/', '', a],
      ['sdf', '', 'pool/guest, which is active', '', b],
      ['sda1', '/dev/disk/by-id/ata-x-part1', '/', '', a],
      ['sda2', '', '', '', a],
      ['sdf1', '', 'pool/guest, which is active', '', b],
      ['sdf2', '', '', '', b],
    ])
  })
})

describe('a capture', () => {
  it('leads to the same ends', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { entries } = diskCase(seed)
      const { host, text } = captureHost(readerOf(entries), 'test', undefined)
      const again = parseCapture(text, 'capture')
      if (!again.ok) throw new Error(again.message)
      const ends = (one: Host) => [
        one.needs.map(({ device, weight, redundant }) => [device, weight, redundant?.others]),
        one.lostNeeds ?? [],
        judgeHost(one).devices.map(({ address, verdict }) => [address, verdict]),
      ]
      expect([seed, ...ends(again.host)]).toEqual([seed, ...ends(host)])
    }
  })
})
