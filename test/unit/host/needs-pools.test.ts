import { describe, expect, it } from 'vitest'
import { parseZpoolCache } from '../../../src/host/needs/disks/zpool-cache.ts'
import type { Host } from '../../../src/host/host.ts'
import { madeEntries, udevEntry, twoControllerEntries, twoControllers } from '../../support/disk-entries.ts'
import { mounts, readTree as read, told } from '../../support/host-needs.ts'
import { packPools } from '../../support/stacks/zpool-pack.ts'
import type { TreeEntries } from '../../support/sysfs-tree.ts'

const [a, b] = twoControllers.addresses
const machine = twoControllerEntries()
const root = '8:1 / / rw - ext4 /dev/sda1 rw'
const further = (host: Host) => told(host).filter((line) => !line.startsWith('/: '))
const lost = (host: Host) => (host.lostNeeds ?? []).map((need) => `${need.what}: ${need.lost}, ${need.why}`)

describe('pools of ZFS', () => {
  const pool = { ...mounts(root), '/proc/spl/kstat/zfs/lake/state': 'ONLINE\n' }
  const label = (number: string, ...lines: readonly string[]) =>
    udevEntry(number, 'E:ID_FS_TYPE=zfs_member', ...lines)
  const others = (...numbers: readonly string[]) =>
    Object.assign({}, ...numbers.map((number) => udevEntry(number, 'E:ID_FS_TYPE=ext4'))) as TreeEntries
  const cacheOf = (...vdevs: readonly (readonly [path: string, guid: number])[]) => ({
    '/etc/zfs/zpool.cache': packPools([
      { name: 'other', vdevs: [{ path: '/dev/sda2', guid: 9 }] },
      { name: 'lake', vdevs: vdevs.map(([path, guid]) => ({ path, guid })) },
    ]),
  })

  it('by the labels that udev found', () => {
    const host = read(
      machine,
      pool,
      others('8:0', '8:2', '8:80', '8:81'),
      label('8:82', 'E:ID_FS_LABEL=lake'),
    )
    expect([further(host), lost(host)]).toEqual([[`ZFS pool lake: sdf2 > ${b}`], []])
  })

  it('by the cache, which lists other pools as well', () => {
    const host = read(machine, pool, cacheOf(['/dev/sdf2', 12]))
    expect([further(host), lost(host)]).toEqual([[`ZFS pool lake: sdf2 > ${b}`], []])
  })

  it('by both, where each knows some', () => {
    const host = read(machine, pool, cacheOf(['/dev/sdf1', 11]), label('8:82', 'E:ID_FS_LABEL=lake'))
    expect(further(host)).toEqual([`ZFS pool lake: sdf2 > ${b}`, `ZFS pool lake: sdf1 > ${b}`])
  })

  it('by the number of a member whose path leads nowhere, else it is lost', () => {
    const gone = cacheOf(['/dev/disk/by-id/ata-gone', 11], ['/dev/sda2', 12])
    expect(further(read(machine, pool, gone, label('8:82', 'E:ID_FS_UUID_SUB=11')))).toContain(
      `ZFS pool lake: sdf2 > ${b}`,
    )
    expect(lost(read(machine, pool, gone))).toEqual([
      'ZFS pool lake: /dev/disk/by-id/ata-gone, this member of the pool is not shown',
    ])
  })

  it('a file as a member lies on its file system', () => {
    expect(further(read(machine, pool, cacheOf(['/srv/vdev', 11])))).toEqual([
      `ZFS pool lake: /srv/vdev > sda1 > ${a}`,
    ])
  })

  it.each<[string, TreeEntries]>([
    ['names no pool', label('8:82')],
    [
      'contradicts itself',
      udevEntry('8:82', 'E:ID_FS_AMBIVALENT=filesystem:zfs_member:5000 filesystem:ntfs:'),
    ],
    ['is not there', {}],
  ])('a device whose label %s may be a member', (_, entries) => {
    const host = read(
      machine,
      pool,
      others('8:0', '8:80', '8:81'),
      label('8:2', 'E:ID_FS_LABEL=lake'),
      entries,
    )
    expect(host.lostNeeds?.map(({ couldBe }) => couldBe)).toEqual([[b]])
  })

  it('nothing says where it is', () => {
    const host = read(machine, pool)
    expect(lost(host)).toEqual([
      'ZFS pool lake: pool lake, neither the udev database nor /etc/zfs/zpool.cache says on which disks it is',
    ])
    expect(host.lostNeeds?.[0]?.couldBe).toEqual([a, b])
  })

  it('a blank in its name is written in three ways', () => {
    const named = {
      ...mounts(root, '0:40 / /x rw - zfs big\\040lake/x rw'),
      ...others('8:0', '8:2', '8:80', '8:81'),
    }
    const host = read(
      machine,
      named,
      label('8:82', 'E:ID_FS_LABEL=big_lake', 'E:ID_FS_LABEL_ENC=big\\x20lake'),
    )
    expect(further(host)).toContain(`ZFS pool big lake: sdf2 > ${b}`)
  })

  it('a volume with a file system lies on the pool that its link names', () => {
    const volume = { ...madeEntries('zd16', '230:16', {}), ...udevEntry('230:16', 'S:zvol/lake/vm/disk0') }
    const host = read(
      machine,
      pool,
      cacheOf(['/dev/sdf2', 12]),
      volume,
      mounts(root, '230:16 / /vol rw - ext4 /dev/zd16 rw'),
    )
    expect(further(host)).toContain(`/vol: zd16 > pool lake > sdf2 > ${b}`)
  })

  it.each<[string, Uint8Array]>([
    ['empty', new Uint8Array()],
    ['of another encoding', Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['cut off', packPools([{ name: 'lake', vdevs: [{ path: '/dev/sdf2', guid: 1 }] }]).subarray(0, 100)],
    [
      'with a size that leads back',
      Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 9, 0, 0, 0, 0),
    ],
  ])('a cache that is %s says nothing', (_, bytes) => expect(parseZpoolCache(bytes)).toBeUndefined())
})

describe('btrfs', () => {
  const one = '6f0c8a52-8a5b-4f0e-9d3e-2b1a7c5d4e3f'
  const two = '77aa8a52-8a5b-4f0e-9d3e-2b1a7c5d4e3f'
  const members = (id: string, ...names: readonly string[]): TreeEntries =>
    Object.fromEntries(names.map((name) => [`/sys/fs/btrfs/${id}/devices/${name}`, '']))

  it('a root without a name is any of those that are listed', () => {
    const host = read(machine, members(one, 'sda2', 'sdf1'), mounts('0:20 / / rw - btrfs /dev/root rw'))
    expect([told(host), lost(host)]).toEqual([[`/: sda2 > ${a}`, `/: sdf1 > ${b}`], []])
  })

  it('is lost where fewer are listed than mounted, and where a member is not listed', () => {
    const both = mounts('0:20 / / rw - btrfs /dev/root rw', '0:21 / /x rw - btrfs /dev/sda2 rw')
    expect(lost(read(machine, members(two, 'sda2'), both))).toContain(
      '/: /dev/root, nothing lists all members of this btrfs',
    )
    const counted = {
      [`/sys/fs/btrfs/${one}/devinfo/1/missing`]: '0\n',
      [`/sys/fs/btrfs/${one}/devinfo/2/missing`]: '0\n',
    }
    expect(
      lost(read(machine, members(one, 'sda2'), counted, mounts('0:21 / /x rw - btrfs /dev/sda2 rw'))),
    ).toHaveLength(1)
  })

  it('a member that is missing today is none', () => {
    const counted = {
      [`/sys/fs/btrfs/${one}/devinfo/1/missing`]: '0\n',
      [`/sys/fs/btrfs/${one}/devinfo/2/missing`]: '1\n',
    }
    expect(
      lost(read(machine, members(one, 'sda2'), counted, mounts('0:21 / /x rw - btrfs /dev/sda2 rw'))),
    ).toEqual([])
  })

  it('by the id that udev found on a member that is not listed', () => {
    const host = read(
      machine,
      members(one, 'sda2'),
      udevEntry('8:82', 'E:ID_FS_TYPE=btrfs', `E:ID_FS_UUID=${one}`),
      mounts('0:21 / /x rw - btrfs /dev/sda2 rw'),
    )
    expect(told(host)).toEqual([`/x: sda2 > ${a}`, `/x: sdf2 > ${b}`])
  })

  it('one that is named and not mounted has all its members', () => {
    const same = (number: string) => udevEntry(number, 'E:ID_FS_TYPE=btrfs', `E:ID_FS_UUID=${one}`)
    const host = read(
      machine,
      same('8:2'),
      same('8:82'),
      { '/etc/fstab': `UUID=${one} /cold btrfs noauto 0 0\n` },
      mounts(root),
    )
    expect(further(host).toSorted()).toEqual([
      `(spoken for) /cold in /etc/fstab: sda2 > ${a}`,
      `(spoken for) /cold in /etc/fstab: sdf2 > ${b}`,
    ])
  })
})
