/**
 * Random machines on which one need of the host stands on a random stack of disks, with every fact that leads
 * from the need to the functions. What is not needed hangs on controllers of its own, which are free.
 */
import type { PciAddress } from '../../../src/pci/address.ts'
import { diceOf } from './dice.ts'
import { leaf, stackUp, type Stacks } from './disk-layers.ts'
import { DiskWorld, type Controller, type ControllerKind, type Link, type Node } from './disk-world.ts'
import { loadOption, efiVariable } from './efi-variables.ts'
import { packPools } from './zpool-pack.ts'

export const needKinds = [
  'mount',
  'mount with log',
  'btrfs',
  'btrfs as /dev/root',
  'zfs',
  'swap',
  'swap file',
  'zram',
  'mount of a container',
  'active volume',
  'export of LIO',
  'export of NVMe',
  'resume',
  'key of crypttab',
  'boot entry',
  'journal',
  'multipath',
  'overlay',
  'device of a guest',
] as const
export type NeedKind = (typeof needKinds)[number]

/** The paths of NVMe have many facts of their own, and each is to be taken away often enough. */
const oftenNeeded: readonly NeedKind[] = [
  ...needKinds,
  'multipath',
  'multipath',
  'multipath',
  'multipath',
  'multipath',
  'zfs',
]

export type DiskCase = {
  readonly kind: NeedKind
  readonly entries: ReadonlyMap<string, string | Uint8Array>
  /** Functions that carry the need. */
  readonly carriers: ReadonlySet<PciAddress>
  /** Functions of mirrors and of several paths: one alone may go. */
  readonly mayLeaveAlone: boolean
  readonly free: readonly PciAddress[]
  readonly links: readonly Link[]
  readonly layers: readonly string[]
  readonly depth: number
}

const controllerKinds: readonly ControllerKind[] = ['sata', 'sas', 'nvme', 'usb', 'vmd', 'virtio']

export function diskCase(seed: number): DiskCase {
  const dice = diceOf(seed)
  const world = new DiskWorld(dice)
  const [system, free] = [
    world.controller('sata'),
    world.controller(dice.pick(controllerKinds.filter((kind) => kind !== 'vmd'))),
  ]
  const controllers = Array.from({ length: 1 + dice.roll(4) }, () =>
    world.controller(dice.pick(controllerKinds)),
  )
  bareSystem(world, system)
  const idle = world.partition(world.disk(free), 1)
  world.record(idle, { ID_FS_TYPE: 'ntfs', ID_FS_UUID: '5A3C1E0B77D2F944' })
  const kind = dice.pick(oftenNeeded)
  // What the free controller and the system are read by is no link of the need.
  world.links.length = 0
  const stacks: Stacks = { world, controllers, used: [], legs: new Set() }
  const node = makers[kind](stacks)
  return {
    kind,
    entries: world.entries,
    carriers: node.carriers,
    mayLeaveAlone: stacks.legs.size > 0,
    free: free.functions,
    links: world.links,
    layers: stacks.used,
    depth: node.depth,
  }
}

/** A root disk, and a port with the default route: what other needs of the host stand on. */
function bareSystem(world: DiskWorld, system: Controller): void {
  world.port()
  const disk = world.disk(system)
  const [boot, root] = [world.partition(disk, 1), world.partition(disk, 2)]
  world.mount(root.number, '/', 'ext4', `/dev/${root.name}`)
  world.mount(boot.number, '/boot/efi', 'vfat', `/dev/${boot.name}`)
  world.record(boot, { ID_FS_TYPE: 'vfat', ID_FS_UUID: '11AA-22BB' })
  world.record(root, { ID_FS_TYPE: 'ext4', ID_FS_UUID: world.uuid() })
}

function stack(stacks: Stacks): Node {
  return stackUp(stacks, stacks.world.dice.roll(5))
}

function together(nodes: readonly Node[]): Node {
  const [first] = nodes
  if (first === undefined) throw new Error('no node')
  const carriers = new Set(nodes.flatMap((node) => [...node.carriers]))
  return { ...first, carriers, depth: 1 + Math.max(...nodes.map(({ depth }) => depth)) }
}

function ext4({ world }: Stacks, node: Node): Node {
  world.record(node, { ID_FS_TYPE: 'ext4', ID_FS_UUID: world.uuid() })
  return node
}

const makers: Readonly<Record<NeedKind, (stacks: Stacks) => Node>> = {
  mount: (stacks) => {
    const node = ext4(stacks, stack(stacks))
    stacks.world.mount(node.number, '/data', 'ext4', `/dev/${node.name}`)
    const told = stacks.world.entries.get('/proc/self/mountinfo')
    const line = ` ${node.number} / /data rw - ext4 /dev/${node.name} `
    const unknown =
      typeof told === 'string' ? told.replace(line, ' 0:99 / /data rw - mysteryfs mystery ') : ''
    stacks.world.link('type of the file system', ['/proc/self/mountinfo'], unknown)
    return together([node])
  },
  'mount with log': (stacks) => {
    const [node, log] = [stack(stacks), leaf(stacks)]
    stacks.world.mount(node.number, '/data', 'xfs', `/dev/${node.name}`, `rw,logdev=/dev/${log.name},noquota`)
    return together([node, log])
  },
  btrfs: (stacks) => btrfs(stacks, (members) => `/dev/${members[0]?.name ?? ''}`),
  'btrfs as /dev/root': (stacks) => btrfs(stacks, () => '/dev/root'),
  zfs,
  swap: (stacks) => {
    const node = stack(stacks)
    stacks.world.record(node, { ID_FS_TYPE: 'swap', ID_FS_UUID: stacks.world.uuid() })
    stacks.world.line('/proc/swaps', `/dev/${node.name} partition 1048572 0 -2`)
    return together([node])
  },
  'swap file': (stacks) => {
    const node = ext4(stacks, stack(stacks))
    stacks.world.mount(node.number, '/data', 'ext4', `/dev/${node.name}`)
    stacks.world.line('/proc/swaps', '/data/swap\\040file file 1048572 0 -2')
    return together([node])
  },
  zram,
  'mount of a container': (stacks) => {
    const { world } = stacks
    const node = ext4(stacks, stack(stacks))
    world.put('/proc/self/ns/mnt', '-> mnt:[4026531841]')
    world.put('/proc/977/ns/mnt', '-> mnt:[4026532640]')
    world.put('/proc/977/mountinfo', `91 90 ${node.number} / / rw - ext4 /dev/${node.name} rw\n`)
    world.link('link of a namespace', ['/proc/977/ns/mnt'])
    return together([node])
  },
  'active volume': (stacks) => {
    const { world, used } = stacks
    used.push('luks')
    const below = stack(stacks)
    const number = world.serial()
    world.record(below, { ID_FS_TYPE: 'crypto_LUKS', ID_FS_UUID: world.uuid() })
    return world.made(`dm-${number}`, `253:${number}`, [below], {
      'dm/name': 'idle\n',
      'dm/uuid': 'CRYPT-LUKS2-00-idle\n',
    })
  },
  'export of LIO': (stacks) => {
    const node = stack(stacks)
    const folder = '/sys/kernel/config/target/core/iblock_3/archive'
    stacks.world.put(`${folder}/enable`, '1\n')
    stacks.world.put(`${folder}/udev_path`, `/dev/${node.name}\n`)
    stacks.world.link('device of an export', [`${folder}/udev_path`])
    return together([node])
  },
  'export of NVMe': (stacks) => {
    const node = stack(stacks)
    const folder = '/sys/kernel/config/nvmet/subsystems/nqn.2024-01.example:box/namespaces/1'
    stacks.world.put(`${folder}/enable`, '1\n')
    stacks.world.put(`${folder}/device_path`, `/dev/${node.name}\n`)
    stacks.world.link('device of an export', [`${folder}/device_path`])
    return together([node])
  },
  resume,
  'key of crypttab': key,
  'boot entry': bootEntry,
  journal: (stacks) => {
    const node = leaf(stacks)
    stacks.world.put(`/proc/fs/jbd2/${node.name}/info`, '')
    return together([node])
  },
  multipath,
  overlay: (stacks) => {
    const node = ext4(stacks, stack(stacks))
    stacks.world.mount(node.number, '/layers', 'ext4', `/dev/${node.name}`)
    stacks.world.mount(
      '0:77',
      '/merged',
      'overlay',
      'overlay',
      'rw,lowerdir=/layers/low,upperdir=/layers/up,workdir=/layers/work',
    )
    return together([node])
  },
  'device of a guest': (stacks) => {
    const { world } = stacks
    const node = leaf(stacks)
    world.put('/proc/1/comm', 'systemd\n')
    world.put('/proc/3412/comm', 'qemu-system-x86\n')
    world.put('/proc/3412/cmdline', 'qemu-system-x86_64\0-name\0guest=store\0')
    world.put('/proc/3412/fd/7', '-> /dev/kvm')
    world.put('/proc/3412/fd/9', `-> /dev/${node.name}`)
    return together([node])
  },
}

function btrfs(stacks: Stacks, source: (members: readonly Node[]) => string): Node {
  const { world, used } = stacks
  used.push('btrfs')
  const id = world.uuid()
  const members = Array.from({ length: 1 + world.dice.roll(3) }, () => stackUp(stacks, world.dice.roll(3)))
  for (const member of members) {
    world.record(member, { ID_FS_TYPE: 'btrfs', ID_FS_UUID: id })
    const path = `/sys/fs/btrfs/${id}/devices/${member.name}`
    world.put(path, `-> ../../../..${member.place}`)
    world.put(`/sys/fs/btrfs/${id}/devinfo/${world.serial()}/missing`, '0\n')
    world.link('member of btrfs', [path])
  }
  world.mount('0:44', '/data', 'btrfs', source(members))
  world.link('source of btrfs', ['/sys/fs/btrfs'])
  return together(members)
}

function zfs(stacks: Stacks): Node {
  const { world, used } = stacks
  used.push('zfs')
  const members = Array.from({ length: 1 + world.dice.roll(3) }, () => stackUp(stacks, world.dice.roll(3)))
  for (const [index, member] of members.entries()) {
    const label = { ID_FS_TYPE: 'zfs_member', ID_FS_LABEL: 'deep_tank', ID_FS_LABEL_ENC: 'deep\\x20tank' }
    world.record(member, { ...label, ID_FS_UUID: '6601', ID_FS_UUID_SUB: `${7001 + index}` })
    world.link('label of a pool', [`/run/udev/data/b${member.number}`], 'I:1\nE:ID_FS_TYPE=zfs_member\n')
  }
  const vdevs = members.map(({ name }, index) => ({ path: `/dev/${name}`, guid: 7001 + index }))
  if (world.dice.roll(2) > 0) {
    world.put('/etc/zfs/zpool.cache', packPools([{ name: 'deep tank', vdevs }]))
    world.link('list of pools', ['/etc/zfs/zpool.cache'])
  }
  if (world.dice.roll(2) === 0) world.mount('0:81', '/deep\\040tank', 'zfs', 'deep\\040tank')
  else world.put('/proc/spl/kstat/zfs/deep tank/state', 'ONLINE\n')
  return together(members)
}

function zram(stacks: Stacks): Node {
  const { world } = stacks
  const node = stack(stacks)
  const compressed = world.made('zram0', '251:0', [], {
    backing_dev: `/dev/${node.name}\n`,
    bd_stat: '0 0 0\n',
  })
  world.link('backing device', [`/sys${compressed.place}/backing_dev`])
  world.line('/proc/swaps', '/dev/zram0 partition 1048572 0 100')
  return together([node])
}

/**
 * A name in a configuration file, as `UUID=`, `PARTUUID=` in capitals, `LABEL=` with a blank, or by number.
 */
function named(stacks: Stacks, node: Node): string {
  const { world } = stacks
  const [uuid, part] = [world.uuid(), world.uuid()]
  const links = [`disk/by-uuid/${uuid}`, `disk/by-partuuid/${part}`, 'disk/by-label/old\\x20swap']
  const properties = {
    ID_FS_UUID: uuid,
    ID_PART_ENTRY_UUID: part,
    ID_FS_LABEL: 'old_swap',
    ID_FS_LABEL_ENC: 'old\\x20swap',
  }
  world.record(node, { ID_FS_TYPE: 'swap', ...properties }, links)
  return world.dice.pick([
    `UUID=${uuid}`,
    `PARTUUID=${part.toUpperCase()}`,
    node.number,
    `/dev/disk/by-uuid/${uuid}`,
  ])
}

function resume(stacks: Stacks): Node {
  const node = leaf(stacks)
  stacks.world.put('/proc/cmdline', `resume=/dev/none0 quiet resume=${named(stacks, node)}`)
  return together([node])
}

function key(stacks: Stacks): Node {
  const node = leaf(stacks)
  const name = named(stacks, node)
  const device = /^\d/.test(name) ? `/dev/${node.name}` : name
  stacks.world.put(
    '/etc/crypttab',
    `vault /dev/${stacks.world.dice.pick(['none1', 'none2'])} /key:${device} luks,noauto=no\n`,
  )
  return together([node])
}

function bootEntry(stacks: Stacks): Node {
  const { world } = stacks
  const node = leaf(stacks)
  const id = world.uuid()
  world.record(node, { ID_FS_TYPE: 'vfat', ID_PART_ENTRY_UUID: id }, [`disk/by-partuuid/${id}`])
  const folder = '/sys/firmware/efi/efivars'
  world.put(`${folder}/BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c`, efiVariable(Uint8Array.of(3, 0)))
  world.put(`${folder}/Boot0003-8be4df61-93ca-11d2-aa0d-00e098032b8c`, efiVariable(loadOption('Linux', id)))
  world.link('boot entry', [`${folder}/Boot0003-8be4df61-93ca-11d2-aa0d-00e098032b8c`])
  return together([node])
}

/** One namespace over two controllers, or over one. */
function multipath(stacks: Stacks): Node {
  const { world, legs, used } = stacks
  used.push('nvme multipath')
  const controllers = Array.from({ length: 1 + world.dice.roll(2) }, () => world.controller('nvme'))
  const subsystem = '/devices/virtual/nvme-subsystem/nvme-subsys900'
  const carriers = new Set(controllers.map(({ address }) => address))
  const disk = world.block('nvme900n1', '259:900', `${subsystem}/nvme900n1`, { carriers, depth: 1 })
  world.put('/sys/block/nvme900n1', `-> ..${subsystem}/nvme900n1`)
  world.put('/sys/class/nvme-subsystem/nvme-subsys900', `-> ../..${subsystem}`)
  for (const [index, { at, address }] of controllers.entries()) {
    const name = `nvme${990 + index}`
    const place = `/devices/${at}/nvme/${name}`
    world.put(`/sys/class/nvme/${name}`, `-> ../..${place}`)
    world.put(`/sys${subsystem}/${name}`, `-> ../../../${at}/nvme/${name}`)
    for (const [file, text] of [
      ['transport', 'pcie'],
      ['address', address],
      ['state', 'live'],
    ] as const) {
      world.put(`/sys${place}/${file}`, `${text}\n`)
      world.link(`${file} of a controller`, [`/sys${place}/${file}`], 'warp\n')
    }
    const hidden = `nvme900c${990 + index}n1`
    world.put(`/sys${place}/${hidden}/ana_state`, 'optimized\n')
    world.put(`/sys/block/${hidden}`, `-> ..${place}/${hidden}`)
    world.put(`/sys/class/block/${hidden}`, `-> ../..${place}/${hidden}`)
    world.link('controller of a subsystem', [`/sys${subsystem}/${name}`])
    world.link('link of a controller', [`/sys/class/nvme/${name}`])
    if (controllers.length > 1) legs.add(address)
  }
  world.link('link of a subsystem', ['/sys/class/nvme-subsystem/nvme-subsys900'])
  const node = world.dice.roll(2) === 0 ? disk : world.partition(disk, 2)
  world.mount(node.number, '/data', 'ext4', `/dev/${node.name}`)
  return together([node])
}
