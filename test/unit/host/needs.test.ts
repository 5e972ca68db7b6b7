import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { framebufferOwners } from '../../../src/host/needs/console.ts'
import { volumeName } from '../../../src/host/needs/block-stack.ts'
import { interfaceTowards, parseRoutes4, parseRoutes6 } from '../../../src/host/needs/routes.ts'
import { parseProcAddress } from '../../../src/host/needs/sessions.ts'
import { parseMounts } from '../../../src/host/needs/storage.ts'
import { barsOf, placeOf } from '../../../src/host/read-pci.ts'
import { parseReservedRegions } from '../../../src/host/read-iommu.ts'
import { readHost } from '../../../src/host/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/system/linux.ts'
import { addToTree, emptyTree, treeReader } from '../../../src/system/tree.ts'
import { at } from '../../support/host-builder.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const read = (...parts: readonly TreeEntries[]): Host => readHost(linuxSystem({ root: tree(...parts) }))
const told = (host: Host) =>
  host.needs.map((n) =>
    [n.weight === 'vital' ? '' : '(spoken for) ', n.what, ': ', [...n.chain, n.device].join(' > ')].join(''),
  )

const sata = 'pci0000:00/0000:00:17.0'
const sas = 'pci0000:00/0000:00:1d.0/0000:03:00.0'
const controllers: TreeEntries = {
  ...pci({ at: sata, classCode: '010601', driver: 'ahci', group: 1 }),
  ...pci({ at: sas, classCode: '010700', driver: 'mpt3sas', group: 2 }),
}

/** A disk with its links; `parts` are partition names. */
function disk(below: string, name: string, number: number, parts: readonly string[] = []): TreeEntries {
  const place = `${below}/ata${number}/host0/block/${name}`
  const one = (entry: string, path: string, minor: number): TreeEntries => ({
    [`/sys/class/block/${entry}`]: `-> ../../devices/${path}`,
    [`/sys/dev/block/8:${minor}`]: `-> ../../devices/${path}`,
    [`/dev/${entry}`]: '',
  })
  return {
    [`/sys/devices/${place}/size`]: '1000\n',
    [`/sys/block/${name}`]: `-> ../devices/${place}`,
    ...one(name, place, number * 16),
    ...Object.assign(
      {},
      ...parts.map((part, index) => ({
        [`/sys/devices/${place}/${part}/partition`]: '1\n',
        ...one(part, `${place}/${part}`, number * 16 + 1 + index),
      })),
    ),
  }
}

/** A device-mapper, md or loop device on top of others. */
function virtual(name: string, number: string, files: TreeEntries, slaves: readonly string[] = []): TreeEntries {
  const place = `/sys/devices/virtual/block/${name}`
  return {
    [`/sys/class/block/${name}`]: `-> ../../devices/virtual/block/${name}`,
    [`/sys/dev/block/${number}`]: `-> ../../devices/virtual/block/${name}`,
    [`/dev/${name}`]: '',
    ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`${place}/${file}`, text])),
    ...Object.fromEntries(slaves.map((slave) => [`${place}/slaves/${slave}`, `-> ../../../../class/block/${slave}`])),
  }
}

const mounts = (...lines: readonly string[]): TreeEntries => ({
  '/proc/self/mountinfo': lines.map((line, index) => `${20 + index} 1 ${line}\n`).join(''),
})

describe('disks the host lives on', () => {
  it('through LUKS on LVM on a mirror, both halves, each said to be one of two', () => {
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1', 'sda2']),
      disk(sas, 'sdb', 2, ['sdb2']),
      virtual('md0', '9:0', { 'md/level': 'raid1\n' }, ['sda2', 'sdb2']),
      virtual('dm-0', '253:0', { 'dm/name': 'vg0-root\n', 'dm/uuid': 'LVM-x\n' }, ['md0']),
      virtual('dm-1', '253:1', { 'dm/name': 'cryptroot\n', 'dm/uuid': 'CRYPT-LUKS2-x\n' }, ['dm-0']),
      mounts('253:1 / / rw - ext4 /dev/mapper/cryptroot rw', '8:17 / /boot rw - vfat /dev/sda1 rw'),
    )
    expect(told(host)).toEqual([
      '/: cryptroot > vg0/root > md0 > sda2 > 0000:00:17.0',
      '/: cryptroot > vg0/root > md0 > sdb2 > 0000:03:00.0',
      '/boot: sda1 > 0000:00:17.0',
    ])
    expect(host.needs.map((n) => n.redundant)).toEqual([{ index: 0, outOf: 2 }, { index: 1, outOf: 2 }, undefined])
  })

  it('all members of a btrfs, a loop file and a swap file', () => {
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1']),
      disk(sas, 'sdb', 2),
      virtual('loop0', '7:0', { 'loop/backing_file': '/srv/image.raw\n' }),
      {
        '/sys/fs/btrfs/1234/devices/sda1': '-> ../../../../class/block/sda1',
        '/sys/fs/btrfs/1234/devices/sdb': '-> ../../../../class/block/sdb',
        '/proc/swaps': 'Filename Type Size Used Priority\n/srv/swap\\040file file 1 0 -2\n/dev/zram0 partition 1 0 5\n',
      },
      mounts(
        '0:30 / / rw - btrfs /dev/sda1 rw',
        '8:32 / /srv rw - xfs /dev/sdb rw',
        '7:0 / /mnt rw - ext4 /dev/loop0 rw',
        '0:5 / /proc rw - proc proc rw',
      ),
    )
    expect(told(host)).toEqual([
      '/: sda1 > 0000:00:17.0',
      '/: sdb > 0000:03:00.0',
      '/mnt: loop0 > /srv/image.raw > sdb > 0000:03:00.0',
      '/srv: sdb > 0000:03:00.0',
      'swap: /srv/swap file > sdb > 0000:03:00.0',
    ])
  })

  it('an NVMe namespace with multipath, which has no PCI function in its path', () => {
    const nvme = 'pci0000:00/0000:00:1d.0/0000:04:00.0'
    const subsystem = '/sys/devices/virtual/nvme-subsystem/nvme-subsys0'
    const host = read(pci({ at: nvme, classCode: '010802', driver: 'nvme', group: 3 }), {
      [`${subsystem}/nvme0n1/nvme0n1p2/partition`]: '2\n',
      [`${subsystem}/nvme0n1/size`]: '4096\n',
      [`${subsystem}/nvme0`]: `-> ../../../${nvme}/nvme/nvme0`,
      '/sys/class/nvme-subsystem/nvme-subsys0': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0',
      '/sys/class/nvme/nvme0': `-> ../../devices/${nvme}/nvme/nvme0`,
      [`/sys/devices/${nvme}/nvme/nvme0/transport`]: 'pcie\n',
      [`/sys/devices/${nvme}/nvme/nvme0/address`]: '0000:04:00.0\n',
      [`/sys/devices/${nvme}/nvme/nvme0/serial`]: 'S4EWNX0R123456      \n',
      '/sys/class/block/nvme0n1p2': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2',
      '/sys/class/block/nvme0n1': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1',
      '/sys/block/nvme0n1': '-> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1',
      '/sys/dev/block/259:2': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2',
      ...mounts('259:2 / / rw - ext4 /dev/nvme0n1p2 rw'),
    })
    expect(told(host)).toEqual(['/: nvme0n1p2 > nvme0 > 0000:04:00.0'])
    expect(host.devices[0]).toMatchObject({
      nvmeSerial: 'S4EWNX0R123456',
      disks: [{ name: 'nvme0n1', sizeBytes: 2_097_152 }],
    })
  })

  it('a ZFS pool by the udev database, by zpool.cache, or said to be unknown', () => {
    const pool = mounts('0:40 / / rw - zfs rpool/ROOT rw')
    const base = { ...controllers, ...disk(sata, 'sda', 1, ['sda3']), ...pool }
    const udev = read(base, {
      '/sys/class/block/sda3/dev': '8:19\n',
      '/run/udev/data/b8:19': 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=rpool\n',
    })
    expect(told(udev)).toEqual(['ZFS pool rpool: sda3 > 0000:00:17.0'])
    const cache = read(base, { '/etc/zfs/zpool.cache': new TextEncoder().encode('\0\0path\0\u0001/dev/sda3\0\0') })
    expect(told(cache)).toEqual(['ZFS pool rpool: sda3 > 0000:00:17.0'])
    expect(
      read(base)
        .findings.map((finding) => finding.message)
        .join(),
    ).toContain('the ZFS pool rpool is in use')
  })

  it("what is not mounted now and still the host's: the ESP in fstab, Proxmox's twin of it, the place to resume from", () => {
    const uuids = { sda1: '1A2B-3C4D', sdb1: '5E6F-7A8B' }
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1', 'sda2']),
      disk(sas, 'sdb', 2, ['sdb1', 'sdb2']),
      mounts('8:18 / / rw - ext4 /dev/sda2 rw'),
      Object.fromEntries(
        Object.entries(uuids).map(([name, uuid]) => [`/dev/disk/by-uuid/${uuid}`, `-> ../../${name}`]),
      ),
      {
        '/etc/fstab':
          '# a comment\nUUID=1A2B-3C4D /boot/efi vfat umask=0077 0 1\n/dev/sda2 / ext4 defaults 0 1\n/dev/sdb2 /media xfs noauto 0 0\nnas:/x /nas nfs password=x 0 0\n',
        '/etc/kernel/proxmox-boot-uuids': '1A2B-3C4D\n5E6F-7A8B\n',
        '/proc/cmdline': 'quiet resume=/dev/sdb2\n',
      },
    )
    expect(told(host)).toEqual([
      '/: sda2 > 0000:00:17.0',
      '/boot/efi in /etc/fstab: sda1 > 0000:00:17.0',
      '(spoken for) /media in /etc/fstab: sdb2 > 0000:03:00.0',
      'boot partition of proxmox-boot-tool: sda1 > 0000:00:17.0',
      'boot partition of proxmox-boot-tool: sdb1 > 0000:03:00.0',
      'hibernation (resume=): sdb2 > 0000:03:00.0',
    ])
  })

  it('a stack that goes round in circles ends', () => {
    const host = read(
      controllers,
      virtual('dm-0', '253:0', { 'dm/name': 'a\n' }, ['dm-1']),
      virtual('dm-1', '253:1', { 'dm/name': 'b\n' }, ['dm-0']),
      virtual('loop0', '7:0', { 'loop/backing_file': '/on-itself\n' }),
      mounts('253:0 / /a rw - ext4 /dev/dm-0 rw', '7:0 / / rw - ext4 /dev/loop0 rw'),
    )
    expect(told(host)).toEqual([])
  })
})

describe('the network the host lives on', () => {
  const ports: TreeEntries = Object.assign(
    {},
    ...['0', '1'].map((fn) => ({
      ...pci({ at: `pci0000:00/0000:00:1c.0/0000:01:00.${fn}`, driver: 'igb', group: 5 }),
      [`/sys/class/net/eth${fn}`]: `-> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}`,
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/address`]: '02:00:00:00:00:aa\n',
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/addr_assign_type`]: '3\n',
    })),
  )
  const net = (name: string, entries: readonly string[]): TreeEntries => ({
    [`/sys/class/net/${name}`]: `-> ../../devices/virtual/net/${name}`,
    ...Object.fromEntries(entries.map((entry) => [`/sys/devices/virtual/net/${name}/${entry}`, ''])),
  })
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n'
  const byDefault = (name: string) => `${head}${name}\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n`

  it('knows its own addresses on the interfaces it is reached by, and no others', () => {
    const leaf = (address: string, kind = 'host LOCAL') => `     |-- ${address}\n        /32 ${kind}\n`
    const host = read(ports, net('br0', ['bridge/stp', 'lower_eth0']), net('docker0', ['bridge/stp']), {
      '/proc/net/route': [
        byDefault('br0'),
        'br0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n',
        'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n',
      ].join(''),
      '/proc/net/fib_trie': `Local:\n${leaf('127.0.0.1')}${leaf('10.0.2.15')}${leaf('10.0.2.255', 'link BROADCAST')}${leaf('172.17.0.1')}${leaf('10.0.2.15')}`,
    })
    expect(host.ownAddresses).toEqual(['10.0.2.15'])
  })

  it('a VLAN on a bond: each leg is one of two, and keeps the address burnt in', () => {
    const host = read(
      ports,
      net('bond0', ['bonding/slaves', 'lower_eth0', 'lower_eth1']),
      net('vlan10', ['lower_bond0']),
      {
        '/proc/net/route': byDefault('vlan10'),
        '/proc/net/bonding/bond0':
          'Ethernet Channel Bonding Driver\n\nSlave Interface: eth0\nPermanent HW addr: a0:36:9f:00:00:01\n\nSlave Interface: eth1\nPermanent HW addr: a0:36:9f:00:00:02\n',
      },
    )
    expect(told(host)).toEqual([
      'default route: vlan10 > bond0 > eth0 > 0000:01:00.0',
      'default route: vlan10 > bond0 > eth1 > 0000:01:00.1',
    ])
    expect(host.needs[1]?.redundant).toEqual({ index: 1, outOf: 2 })
    expect(host.devices[1]?.networkInterfaces).toEqual([
      { name: 'eth1', mac: '02:00:00:00:00:aa', permanentMac: 'a0:36:9f:00:00:02' },
    ])
  })

  it('a session from outside, an NFS server, and the physical function under a virtual one', () => {
    const vf = 'pci0000:00/0000:00:1c.0/0000:01:10.0'
    const host = read(
      ports,
      pci({ at: vf, driver: 'igbvf', group: 9 }),
      {
        [`/sys/devices/${vf}/physfn`]: '-> ../0000:01:00.1',
        '/sys/class/net/eth2': `-> ../../devices/${vf}/net/eth2`,
        [`/sys/devices/${vf}/net/eth2/address`]: '02:00:00:00:00:bb\n',
        '/proc/net/route': `${byDefault('eth2')}eth0\t000A0A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n`,
        '/proc/net/tcp':
          '  sl  local_address rem_address   st\n   0: 0A0A0A0A:0016 070A0A0A:C001 01 0\n   1: 0100007F:0016 0100007F:C001 01 0\n   2: 0A0A0A0A:0016 080A0A0A:C001 06 0\n',
      },
      mounts('0:50 / /media rw - nfs4 nas:/media rw,vers=4.2,addr=10.10.10.9'),
    )
    expect(told(host)).toEqual([
      'default route: eth2 > 0000:01:10.0',
      'default route: eth2 > 0000:01:10.0 > 0000:01:00.1',
      'SSH session from 10.10.10.7: eth0 > 0000:01:00.0',
      '/media (from 10.10.10.9): eth0 > 0000:01:00.0',
    ])
  })
})

describe('screen, keyboard and running machines', () => {
  const gpu = pci({
    at: 'pci0000:00/0000:00:02.0',
    classCode: '030000',
    driver: 'i915',
    group: 1,
    files: { boot_vga: '1\n' },
  })
  const usb = pci({ at: 'pci0000:00/0000:00:14.0', classCode: '0c0330', driver: 'xhci_hcd', group: 2 })
  const person: TreeEntries = {
    '/sys/class/graphics/fb0': '-> ../../devices/pci0000:00/0000:00:02.0/graphics/fb0',
    '/proc/bus/input/devices':
      'N: Name="Power Button"\nS: Sysfs=/devices/LNXSYSTM:00/input/input0\nH: Handlers=kbd event0\n\nN: Name="A Keyboard"\nS: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/input/input5\nH: Handlers=sysrq kbd leds event5\n\n',
  }

  it('are vital where they are the only way in', () => {
    const host = read(gpu, usb, person, { '/sys/class/tty/console/active': 'tty0\n' })
    expect(told(host)).toEqual([
      'boot display: 0000:00:02.0',
      'text console: fb0 > 0000:00:02.0',
      'keyboard: A Keyboard > 0000:00:14.0',
    ])
    expect(judgeHost(host).devices.map((one) => one.verdict)).toEqual(['refused', 'refused'])
  })

  it('are only spoken for beside a serial console', () => {
    const host = read(gpu, usb, person, { '/sys/class/tty/console/active': 'tty0 ttyS0\n' })
    expect(host.needs.map((n) => n.weight)).toEqual(['spoken-for', 'spoken-for', 'spoken-for'])
  })

  it('finds the framebuffer of the firmware inside a BAR, even where addresses are hidden', () => {
    const text =
      '00000000-00000000 : PCI Bus 0000:00\n  00000000-00000000 : 0000:00:02.0\n    00000000-00000000 : BOOTFB\n00000000-00000000 : BOOTFB\n'
    expect(framebufferOwners(text)).toEqual([{ owner: '0000:00:02.0', name: 'BOOTFB' }])
  })

  it('names the VM that holds a function', () => {
    const host = read(pci({ at: 'pci0000:00/0000:00:1c.0/0000:01:00.0', driver: 'vfio-pci', group: 5 }), {
      '/proc/1234/cmdline':
        '/usr/bin/qemu-system-x86_64\0-name\0guest=firewall,debug-threads=on\0-device\0vfio-pci,host=0000:01:00.0,id=wan\0',
      '/proc/77/cmdline': 'bash\0',
    })
    expect(told(host)).toEqual(['(spoken for) running VM firewall: 0000:01:00.0'])
  })
})

describe('texts of the kernel', () => {
  it.each([
    ['0702000A', '10.0.2.7'],
    ['0000000000000000FFFF00000702000A', '10.0.2.7'],
    ['B80D0120000000000000000001000000', '2001:db8:0:0:0:0:0:1'],
    ['xyz', undefined],
  ])('reads the address %s', (hex, address) => expect(parseProcAddress(hex)).toBe(address))

  it.each([
    ['vg0-root', 'vg0/root'],
    ['my--vg-lv--1', 'my-vg/lv-1'],
    ['plain', 'plain'],
  ])('reads the volume %s', (name, shown) => expect(volumeName(name)).toBe(shown))

  it('prefers the longest prefix, then the lowest metric', () => {
    const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n'
    const routes = parseRoutes4(
      `${head}a\t00000000\t0\t0003\t0\t0\t9\t00000000\nb\t00000000\t0\t0003\t0\t0\t5\t00000000\nc\t000A0A0A\t0\t0001\t0\t0\t0\t00FFFFFF\nd\t000B0A0A\t0\t0200\t0\t0\t0\t00FFFFFF\n`,
    )
    expect(['8.8.8.8', '10.10.10.1', '10.10.11.1'].map((address) => interfaceTowards(routes, address))).toEqual([
      'b',
      'c',
      'b',
    ])
    const six = parseRoutes6(
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 0 0 00000003 eth0\nfe800000000000000000000000000000 40 0 00 0 00000100 0 0 00000001 eth1\n',
    )
    expect(six).toHaveLength(1)
    expect(interfaceTowards(six, '2001:db8::1')).toBe('eth0')
  })

  it('keeps octal escapes and the shortest mount point first', () => {
    expect(
      parseMounts('1 1 8:1 / /a\\040b rw - ext4 /dev/sda1 rw\n2 1 8:1 / / rw - ext4 /dev/sda1 rw\nrubbish\n').map(
        (m) => m.point,
      ),
    ).toEqual(['/', '/a b'])
  })

  it('reads regions, BARs and places', () => {
    expect(
      parseReservedRegions('0x00000000fee00000 0x00000000feefffff msi\n0x0000000000000000 0x0000000000ffffff direct\n'),
    ).toEqual([
      { start: 'fee00000', end: 'feefffff', type: 'msi' },
      { start: '0', end: 'ffffff', type: 'direct' },
    ])
    expect(barsOf('0x0000004000000000 0x00000040000fffff 0x000000000014220c\n')).toEqual({
      bars: [{ index: 0, kind: 'memory', base: '4000000000', size: 1_048_576, is64Bit: true, prefetchable: true }],
    })
    expect(placeOf(at('01:00.0'), '../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0')?.facts).toEqual({
      path: '0000:00/1c.0/00.0',
      parent: '0000:00:1c.0',
    })
    expect(placeOf(at('01:00.0'), '../elsewhere')).toBeUndefined()
  })
})

describe('whatever sysfs says', () => {
  /** Paths a host is read from, with values as wrong as they come. */
  const paths = [
    '/sys/bus/pci/devices/0000:01:00.0/uevent',
    '/sys/bus/pci/devices/0000:01:00.0/config',
    '/sys/bus/pci/devices/0000:01:00.0/resource',
    '/sys/bus/pci/devices/0000:01:00.0/reset_method',
    '/sys/bus/pci/devices/0000:01:00.0/driver_override',
    '/sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs',
    '/sys/bus/pci/devices/zzz/vendor',
    '/sys/bus/pci/slots/1/address',
    '/sys/kernel/iommu_groups/7/devices/0000:01:00.0',
    '/sys/kernel/iommu_groups/7/reserved_regions',
    '/sys/kernel/iommu_groups/x/type',
    '/sys/class/net/eth0/address',
    '/sys/block/sda/device/vpd_pg80',
    '/sys/firmware/acpi/tables/DMAR',
    '/sys/firmware/acpi/tables/IVRS',
    '/proc/self/mountinfo',
    '/proc/swaps',
    '/proc/net/route',
    '/proc/net/ipv6_route',
    '/proc/net/tcp6',
    '/proc/iomem',
    '/proc/cpuinfo',
    '/proc/meminfo',
    '/proc/bus/input/devices',
    '/etc/os-release',
    '/etc/modprobe.d/x.conf',
  ] as const
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      '0x8086\n',
      '-1\n',
      '8:1 / / rw - ext4 /dev/sda1 rw\n',
      `1 1 0:1 / / rw - zfs ${'a/'.repeat(400)} rw`,
      '\0'.repeat(100),
      'ff'.repeat(64),
    ),
    fc.uint8Array({ minLength: 64, maxLength: 4096 }),
  )
  const link = fc.constantFrom(
    '../../../devices/pci0000:00/0000:01:00.0',
    '.',
    '..',
    '/',
    '../0000:01:00.0',
    'x'.repeat(300),
  )

  it('it is read and judged without an exception, and stays a value', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...paths), value),
        fc.dictionary(
          fc.constantFrom(...paths, '/sys/class/block/sda', '/sys/dev/block/8:1', '/sys/class/net/eth0'),
          link,
          { maxKeys: 3 },
        ),
        (files, links) => {
          const root = emptyTree()
          for (const [path, target] of Object.entries(links)) addToTree(root, path, { kind: 'link', target })
          for (const [path, content] of Object.entries(files))
            addToTree(root, path, {
              kind: 'file',
              bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
            })
          const host = readHost(treeReader(root))
          judgeHost(host)
          expect(JSON.parse(JSON.stringify(host))).toEqual(host)
        },
      ),
      { numRuns: Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 600) },
    )
  })
})
