import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import {
  diskEntries,
  madeEntries,
  udevEntry,
  twoControllerEntries,
  twoControllers,
} from '../../support/disk-entries.ts'
import { mounts, readTree as read, told } from '../../support/host-needs.ts'
import { readerOf } from '../../support/stacks/broken-tree.ts'
import { pci, type TreeEntries } from '../../support/sysfs-tree.ts'

const { left, right } = twoControllers
const [a, b] = twoControllers.addresses
const machine: TreeEntries = { ...twoControllerEntries(), ...mounts('8:1 / / rw - ext4 /dev/sda1 rw') }
const root = `/: sda1 > ${a}`
const lost = (host: Host) => (host.lostNeeds ?? []).map((need) => `${need.what}: ${need.lost}, ${need.why}`)
const redundancy = (host: Host) =>
  host.needs
    .filter(({ what }) => what !== '/')
    .map(({ device, redundant }) => [device, redundant?.others ?? []])

describe('volumes that are active and mounted nowhere', () => {
  const volume = madeEntries('dm-7', '253:7', { 'dm/name': 'stock-vm--9--root\n', 'dm/uuid': 'LVM-abc\n' }, [
    'sdf1',
  ])
  const need = `stock/vm-9-root, which is active: stock/vm-9-root > sdf1 > ${b}`

  it.each<[string, TreeEntries]>([
    ['by what it is made of', volume],
    [
      'by who holds its member',
      {
        ...madeEntries('dm-7', '253:7', { 'dm/name': 'stock-vm--9--root\n', 'dm/uuid': 'LVM-abc\n' }),
        [`/sys/class/block/sdf1/holders/dm-7`]: '',
      },
    ],
  ])('%s', (_, entries) => {
    const holder = Object.entries(entries).map(([path, value]) => [
      path.replace(
        '/sys/class/block/sdf1',
        `/sys/devices/${right}/host80/target80:0:0/80:0:0:0/block/sdf/sdf1`,
      ),
      value,
    ])
    expect(told(read(machine, Object.fromEntries(holder)))).toEqual([root, need])
  })

  it('are told once, by what stands on them where something does', () => {
    const host = read(
      machine,
      volume,
      mounts('8:1 / / rw - ext4 /dev/sda1 rw', '253:7 / /stock rw - xfs /dev/dm-7 rw'),
    )
    expect(told(host)).toEqual([root, `/stock: stock/vm-9-root > sdf1 > ${b}`])
  })

  it('an array by /proc/mdstat alone, and one that is only assembled', () => {
    const array = {
      ...madeEntries('md4', '9:4', { 'md/level': 'raid0\n' }),
      '/proc/mdstat': 'Personalities : [raid0]\nmd4 : inactive sdf2[1](S) sdf1[0](S)\n      20 blocks\n',
    }
    expect(told(read(machine, array))).toEqual([root, `md4, which is active: md4 > sdf2 > ${b}`])
  })

  it('a bcache by its own links', () => {
    const place = `/sys/devices/${right}/host80/target80:0:0/80:0:0:0/block/sdf`
    const bcache = {
      ...madeEntries('bcache3', '252:48', {}),
      '/sys/devices/virtual/block/bcache3/bcache': `-> ../../../${right}/host80/target80:0:0/80:0:0:0/block/sdf/sdf2/bcache`,
      [`${place}/sdf2/bcache/cache`]: '-> ../../../../../../../../../../../fs/bcache/5e1c',
      '/sys/fs/bcache/5e1c/cache0':
        '-> ../../../devices/pci0000:00/0000:00:11.5/host0/target0:0:0/0:0:0:0/block/sda/sda2/bcache',
    }
    expect(told(read(machine, bcache))).toEqual([
      root,
      `bcache3, which is active: bcache3 > sdf2 > ${b}`,
      `bcache3, which is active: bcache3 > sda2 > ${a}`,
    ])
  })

  it('nothing is made of a loop without a file, a map without a table, or a device that shows memory', () => {
    const idle = {
      ...madeEntries('loop0', '7:0', {}),
      '/sys/devices/virtual/block/loop0/size': '0\n',
      ...madeEntries('dm-1', '253:1', { 'dm/name': 'x\n' }),
      '/sys/devices/virtual/block/dm-1/size': '0\n',
      ...madeEntries('ram0', '1:0', {}),
    }
    const host = read(machine, idle)
    expect([told(host), lost(host)]).toEqual([[root], []])
  })

  it('one without members is lost, and so is a circle', () => {
    expect(lost(read(machine, madeEntries('dm-7', '253:7', { 'dm/name': 'gone\n' })))).toEqual([
      'gone, which is active: dm-7, nothing says what it stands on',
    ])
    const circle = read(
      machine,
      madeEntries('dm-7', '253:7', {}, ['dm-8']),
      madeEntries('dm-8', '253:8', {}, ['dm-7']),
      mounts('253:7 / /a rw - ext4 /dev/dm-7 rw'),
    )
    expect(lost(circle)).toEqual(['/a: dm-7, the devices below it form a circle'])
    expect(circle.lostNeeds?.[0]?.couldBe).toEqual([a, b])
  })

  it('a device that has gone is not forgotten by those who name it', () => {
    const host = read(machine, {
      [`/sys/devices/${right}/host80/target80:0:0/80:0:0:0/block/sdf/sdf2/holders/dm-5`]: '',
    })
    expect(told(host)).toEqual([root, `dm-5, which is active: dm-5 > sdf2 > ${b}`])
    expect(lost(host)).toEqual(['dm-5, which is active: dm-5, no block device of this name is shown'])
  })
})

describe('mirrors', () => {
  const mirror = (states: Readonly<Record<string, string>>, level = 'raid1', members = Object.keys(states)) =>
    madeEntries(
      'md0',
      '9:0',
      {
        'md/level': `${level}\n`,
        ...Object.fromEntries(
          Object.entries(states).map(([name, state]) => [`md/dev-${name}/state`, `${state}\n`]),
        ),
      },
      members,
    )
  const on = mounts('8:1 / / rw - ext4 /dev/sda1 rw', '9:0 / /pair rw - ext4 /dev/md0 rw')

  it.each<[string, TreeEntries, unknown]>([
    [
      'each half may go where both are in sync',
      mirror({ sda2: 'in_sync', sdf2: 'in_sync,write_mostly' }),
      [
        [a, [b]],
        [b, [a]],
      ],
    ],
    [
      'a half that is being rebuilt stands for nothing',
      mirror({ sda2: 'in_sync', sdf2: 'spare' }),
      [
        [a, []],
        [b, [a]],
      ],
    ],
    [
      'nor does one that failed',
      mirror({ sda2: 'faulty', sdf2: 'in_sync' }),
      [
        [a, [b]],
        [b, []],
      ],
    ],
    ['both halves on one function are no set', mirror({ sdf1: 'in_sync', sdf2: 'in_sync' }), [[b, []]]],
    [
      'what is not said to be in sync is not',
      mirror({}, 'raid1', ['sda2', 'sdf2']),
      [
        [a, []],
        [b, []],
      ],
    ],
    [
      'other levels lose data with the wrong two',
      mirror({ sda2: 'in_sync', sdf2: 'in_sync' }, 'raid10'),
      [
        [a, []],
        [b, []],
      ],
    ],
  ])('%s', (_, entries, expected) => expect(redundancy(read(machine, entries, on))).toEqual(expected))

  it('by /proc/mdstat', () => {
    const listed = (line: string) =>
      redundancy(
        read(machine, mirror({}, 'raid1', []), on, { '/proc/mdstat': `md0 : active raid1 ${line}\n` }),
      )
    expect(listed('sdf2[1] sda2[0]\n      1046528 blocks super 1.2 [2/2] [UU]')).toEqual([
      [b, [a]],
      [a, [b]],
    ])
    expect(listed('sdf2[1](F) sda2[0]\n      1046528 blocks super 1.2 [2/1] [U_]')).toEqual([
      [b, []],
      [a, []],
    ])
  })

  it('a half that spans two functions cannot stand in for the other', () => {
    const stripe = madeEntries('md1', '9:1', { 'md/level': 'raid0\n' }, ['sda2', 'sdf1'])
    const host = read(machine, stripe, mirror({ md1: 'in_sync', sdf2: 'in_sync' }), on)
    expect(redundancy(host)).toEqual([
      [a, [b]],
      [b, []],
    ])
  })

  it('a member that is stated and not shown is lost', () => {
    const host = read(machine, mirror({ sda2: 'in_sync' }), on, {
      '/sys/devices/virtual/block/md0/md/raid_disks': '2\n',
      '/sys/devices/virtual/block/md0/md/degraded': '0\n',
    })
    expect(lost(host)).toEqual(['/pair: md0, it has 2 members and not all of them are shown'])
  })

  it('a path of multipath counts while its disk runs', () => {
    const paths = madeEntries('dm-2', '253:2', { 'dm/name': 'mpatha\n', 'dm/uuid': 'mpath-3600\n' }, [
      'sda',
      'sdf',
    ])
    const disk = (below: string, minor: number, name: string) =>
      `/sys/devices/${below}/host${minor}/target${minor}:0:0/${minor}:0:0:0/block/${name}/device/state`
    const over = mounts('253:2 / /san rw - ext4 /dev/dm-2 rw')
    const both = { [disk(left, 0, 'sda')]: 'running\n', [disk(right, 80, 'sdf')]: 'running\n' }
    expect(redundancy(read(machine, paths, over, both))).toEqual([
      [a, [b]],
      [b, [a]],
    ])
    expect(
      redundancy(read(machine, paths, over, { ...both, [disk(right, 80, 'sdf')]: 'offline\n' })),
    ).toEqual([
      [a, []],
      [b, [a]],
    ])
  })
})

describe('disks in use at second hand', () => {
  it('a mount of another namespace, with and without the link that tells it apart', () => {
    const inside = {
      '/proc/88/mountinfo':
        '70 1 8:82 / / rw - ext4 /dev/sdf2 rw\n71 1 8:1 / /etc/hosts rw - ext4 /dev/sda1 rw\n',
    }
    const links = {
      '/proc/self/ns/mnt': '-> mnt:[4026531841]',
      '/proc/88/ns/mnt': '-> mnt:[4026532999]',
      '/proc/99/ns/mnt': '-> mnt:[4026531841]',
    }
    for (const entries of [inside, { ...inside, ...links }])
      expect(told(read(machine, entries))).toEqual([root, `/ of process 88: sdf2 > ${b}`])
  })

  it('the log and the realtime part of an XFS, the journal of an ext4', () => {
    const xfs = read(
      machine,
      mounts(
        '8:81 / /v rw - xfs /dev/sdf1 rw,attr2,logdev=/dev/sda2,noquota',
        '8:1 / / rw - ext4 /dev/sda1 rw',
      ),
    )
    expect(told(xfs)).toContain(`/v: sda2 > ${a}`)
    const ext4 = read(machine, { '/proc/fs/jbd2/sda1-8/info': '', '/proc/fs/jbd2/sdf2/info': '' })
    expect(told(ext4)).toEqual([root, `journal of a mounted file system: sdf2 > ${b}`])
  })

  it('compressed swap that writes back, and one that cannot', () => {
    const swap = { '/proc/swaps': 'Filename Type Size Used Priority\n/dev/zram1 partition 1 0 9\n' }
    const zram = (files: Readonly<Record<string, string>>) =>
      read(machine, swap, madeEntries('zram1', '251:1', files))
    expect(told(zram({ backing_dev: '/dev/sdf2\n' }))).toEqual([root, `swap: zram1 > sdf2 > ${b}`])
    expect(told(zram({ backing_dev: 'none\n' }))).toEqual([root])
    expect(lost(zram({}))).toEqual([])
    expect(lost(zram({ bd_stat: '0 0 0\n' }))).toEqual([
      'swap: zram1, nothing says to which disk it writes back',
    ])
  })

  it("Unraid's arrays, and the parity that every write goes to", () => {
    const mdstat =
      'mdState=STARTED\ndiskName.0=\nrdevName.0=sda\ndiskName.1=md1p1\nrdevStatus.1=DISK_OK\nrdevName.1=sdf\n'
    const host = read(
      machine,
      madeEntries('md1p1', '9:1', {}),
      { '/proc/mdstat': mdstat },
      mounts('9:1 / /mnt/disk1 rw - xfs /dev/md1p1 rw'),
    )
    expect(told(host).toSorted()).toEqual([
      `/mnt/disk1: md1p1 > sda > ${a}`,
      `/mnt/disk1: md1p1 > sdf > ${b}`,
    ])
  })

  it.each<[string, TreeEntries, readonly string[], readonly string[]]>([
    [
      'an export by path',
      {
        '/sys/kernel/config/target/core/iblock_1/films/udev_path': '/dev/sdf1\n',
        '/sys/kernel/config/target/core/iblock_1/films/enable': '1\n',
      },
      [`export films of the kernel's target (LIO): sdf1 > ${b}`],
      [],
    ],
    [
      'an export by number',
      {
        '/sys/kernel/config/target/core/iblock_1/films/enable': '1\n',
        '/sys/kernel/config/target/core/iblock_1/films/info':
          'iBlock device: sdf\n Major: 8 Minor: 80  CLAIMED: IBLOCK\n',
      },
      [`export films of the kernel's target (LIO): sdf > ${b}`],
      [],
    ],
    [
      'an export of a file',
      {
        '/sys/kernel/config/target/core/fileio_0/disk/udev_path': '/srv/disk.img\n',
        '/sys/kernel/config/target/core/fileio_0/disk/enable': '1\n',
      },
      [`export disk of the kernel's target (LIO): /srv/disk.img > sda1 > ${a}`],
      [],
    ],
    [
      'an export that says nothing of itself',
      { '/sys/kernel/config/target/core/iblock_1/films/enable': '1\n' },
      [],
      [
        "export films of the kernel's target (LIO): export films of the kernel's target (LIO), nothing says what it exports",
      ],
    ],
    [
      'an export that is off',
      {
        '/sys/kernel/config/target/core/iblock_1/films/udev_path': '/dev/sdf1\n',
        '/sys/kernel/config/target/core/iblock_1/films/enable': '0\n',
      },
      [],
      [],
    ],
    [
      'a namespace of an NVMe target',
      {
        '/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/4/device_path': '/dev/sdf2\n',
        '/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/4/enable': '1\n',
      },
      [`NVMe export nqn.x: sdf2 > ${b}`],
      [],
    ],
    [
      'a device that SCST passes through',
      { '/sys/kernel/scst_tgt/devices/2:0:0:0/handler': '' },
      [],
      ['export 2:0:0:0 of SCST: export 2:0:0:0 of SCST, nothing says what it exports'],
    ],
    [
      'a device of SCST',
      { '/sys/kernel/scst_tgt/devices/tape/filename': '/dev/sdf\n[key]\n' },
      [`export tape of SCST: sdf > ${b}`],
      [],
    ],
  ])('%s', (_, entries, needs, doubts) => {
    const host = read(machine, entries)
    expect([told(host).slice(1), lost(host)]).toEqual([needs, doubts])
  })
})

describe('layered and strange mounts', () => {
  const over = (...lines: readonly string[]) =>
    read(
      machine,
      mounts('8:1 / / rw - ext4 /dev/sda1 rw', ...lines),
      madeEntries('loop0', '7:0', { 'loop/backing_file': '/media/usb/live.sqfs\n' }),
    )

  it('an overlay at the root is followed through a file to its stick', () => {
    const host = read(
      machine,
      madeEntries('loop0', '7:0', { 'loop/backing_file': '/stick/live.sqfs\n' }),
      mounts(
        '0:30 / / rw - overlay overlay rw,lowerdir=/low:/lower,upperdir=/up,workdir=/up',
        '7:0 / /low ro - squashfs /dev/loop0 ro',
        '8:81 / /stick ro - vfat /dev/sdf1 ro',
        '0:31 / /up rw - tmpfs tmpfs rw',
        '8:2 / /lower rw - ext4 /dev/sda2 rw',
      ),
    )
    expect(told(host)).toContain(`/: /low > loop0 > /stick/live.sqfs > sdf1 > ${b}`)
    expect(lost(host)).toEqual([])
  })

  it('an overlay on what is no longer mounted is lost', () => {
    const host = read(
      machine,
      madeEntries('loop0', '7:0', { 'loop/backing_file': '/cdrom/live.sqfs\n' }),
      mounts('0:30 / / rw - overlay overlay rw,lowerdir=/low', '7:0 / /low ro - squashfs /dev/loop0 ro'),
    )
    expect(lost(host)).not.toEqual([])
    expect(host.lostNeeds?.[0]?.couldBe).toEqual([a, b])
  })

  it('layers of containers on file systems that are told are not told again', () => {
    const host = over(
      '0:50 / /var/lib/c/x/merged rw - overlay overlay rw,lowerdir=l/A:l/B,upperdir=/var/lib/c/x/diff,workdir=/var/lib/c/x/work',
    )
    expect(told(host).filter((line) => line.includes('merged'))).toEqual([])
  })

  it('bcachefs names every member, a process that serves files none', () => {
    expect(told(over('0:60 / /bc rw - bcachefs /dev/sda2:/dev/sdf1 rw'))).toContain(`/bc: sdf1 > ${b}`)
    expect(
      lost(
        over('0:61 / /pool rw - fuse.mergerfs a/b:c rw', '0:62 / /home/u/.doc rw - fuse.portal portal rw'),
      ).filter((line) => !line.includes('loop')),
    ).toEqual([])
    expect(told(over('0:63 / /ntfs rw - fuse.ntfs-3g /dev/sdf2 rw'))).toContain(`/ntfs: sdf2 > ${b}`)
  })

  it('a kind that nobody knows is lost', () => {
    expect(lost(over('0:64 / /odd rw - oddfs odd rw'))).toContain(
      '/odd: odd, nothing says where a file system of type oddfs lies',
    )
  })

  it('a file that its path does not lead to is lost', () => {
    expect(
      lost(
        read(
          machine,
          { '/proc/swaps': 'Filename\n/run/swap file 1 0 1\n' },
          mounts('0:25 / /run rw - tmpfs tmpfs rw', '8:1 / / rw - ext4 /dev/sda1 rw'),
        ),
      ),
    ).toEqual(['swap: /run/swap, no such file is there'])
  })
})

describe('what cannot be read', () => {
  const closed = (path: string) =>
    readHost(readerOf(new Map(Object.entries(machine)), { how: 'unreadable', paths: [path] }))
  it.each([
    '/proc/swaps',
    '/etc/crypttab',
    '/proc/spl/kstat/zfs',
    '/sys/kernel/config/target/core',
    '/etc/fstab',
    '/proc/cmdline',
  ])('%s may state any need', (path) => {
    const host = closed(path)
    expect(lost(host)).toContain(`what the host uses: ${path}, it cannot be read (EACCES)`)
    expect(judgeHost(host).devices.map(({ verdict }) => verdict)).not.toContain('ready')
  })

  it('disks on USB are left open where no list of mounts is there', () => {
    const usb = 'pci0000:00/0000:00:14.0'
    const whole: TreeEntries = {
      ...machine,
      ...pci({ at: usb, classCode: '0c0330', driver: 'xhci_hcd', group: 30 }),
      ...diskEntries(`${usb}/usb1/1-1/1-1:1.0`, 'sdg', 96),
      '/proc/bus/input/devices': '',
    }
    const without = Object.fromEntries(
      Object.entries(whole).filter(([path]) => path !== '/proc/self/mountinfo'),
    )
    expect(judgeHost(read(without)).devices.find(({ address }) => address === '0000:00:14.0')?.verdict).toBe(
      'unknown',
    )
  })
})

describe('names of partitions without the folders that list them', () => {
  it('are found inside the folders of their disks', () => {
    const kept = Object.fromEntries(
      Object.entries(machine).filter(([path]) => !/^\/sys\/(?:class|dev)\/block/.test(path)),
    )
    const numbers = {
      '/proc/partitions': 'major minor  #blocks  name\n\n   8        0  9 sda\n   8        1  9 sda1\n',
    }
    expect(told(read(kept, numbers))).toEqual([root])
  })

  it('udev records do not speak for devices of other numbers', () => {
    expect(
      told(
        read(machine, udevEntry('8:81', 'E:ID_FS_TYPE=ext4'), {
          '/etc/fstab': 'LABEL=x /x ext4 noauto 0 0\n',
        }),
      ),
    ).toEqual([root])
  })
})
