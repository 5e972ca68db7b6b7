/**
 * Random layers of block devices: partitions, LUKS, LVM, md, bcache, multipath, files shown by loop devices.
 */
import type { Controller, DiskWorld, Node } from './disk-world.ts'

export const layerKinds = [
  'partition',
  'luks',
  'lvm',
  'lvm of two',
  'stripe',
  'mirror',
  'bcache',
  'loop',
  'raid5',
] as const
export type LayerKind = (typeof layerKinds)[number]

export type Stacks = {
  readonly world: DiskWorld
  readonly controllers: Controller[]
  /** Kinds of layers that were used. */
  readonly used: string[]
  /** Functions of which each alone may go: legs of mirrors. */
  readonly legs: Set<string>
}

/** A stack of random depth on one controller or several of those that are left. */
export function stackUp(stacks: Stacks, layers: number): Node {
  const { world, used } = stacks
  if (layers <= 0) return leaf(stacks)
  const kind = world.dice.pick(layerKinds)
  used.push(kind)
  return layer(stacks, kind, layers)
}

/** A disk, or a partition of one, on the next controller. */
export function leaf({ world, controllers, used }: Stacks): Node {
  const controller = world.dice.pick(controllers)
  used.push(`disk of ${controller.kind}`)
  const disk = world.disk(controller)
  return world.dice.roll(2) === 0 ? disk : world.partition(disk, 1 + world.dice.roll(4))
}

function layer(stacks: Stacks, kind: LayerKind, layers: number): Node {
  const { world } = stacks
  const one = (): Node => stackUp(stacks, layers - 1)
  switch (kind) {
    case 'partition': {
      const below = one()
      return /\/(?:virtual)\//.test(below.place) && !below.name.startsWith('md')
        ? below
        : partOf(world, below)
    }
    case 'luks':
      return mapped(
        stacks,
        [one()],
        (name, id) => ({ 'dm/name': `crypt-${name}\n`, 'dm/uuid': `CRYPT-LUKS2-${id}-x\n` }),
        'crypto_LUKS',
      )
    case 'lvm':
      return volume(stacks, [one()])
    case 'lvm of two':
      return volume(stacks, [one(), stackUp(stacks, layers - 2)])
    case 'stripe':
      return array(stacks, 'raid0', [one(), stackUp(stacks, layers - 2)])
    case 'raid5':
      return array(stacks, 'raid5', [one(), leaf(stacks), leaf(stacks)])
    case 'mirror':
      return array(stacks, 'raid1', [one(), stackUp(stacks, layers - 2)])
    case 'bcache':
      return cached(stacks, one(), leaf(stacks))
    case 'loop':
      return shown(stacks, one())
  }
}

function partOf(world: DiskWorld, below: Node): Node {
  // A partition of a partition is none.
  return /(?:[a-z]\d+|p\d+)$/.test(below.name) && !/^(?:md|nvme\d+n)\d+$/.test(below.name)
    ? below
    : world.partition(below, 1)
}

function mapped(
  { world }: Stacks,
  members: readonly Node[],
  files: (name: string, id: string) => Readonly<Record<string, string>>,
  signature: string,
): Node {
  const number = world.serial()
  for (const member of members) world.record(member, { ID_FS_TYPE: signature, ID_FS_UUID: world.uuid() })
  return world.made(
    `dm-${number}`,
    `253:${number}`,
    members,
    files(`${number}`, world.uuid().replaceAll('-', '')),
  )
}

function volume(stacks: Stacks, members: readonly Node[]): Node {
  return mapped(
    stacks,
    members,
    (name, id) => ({ 'dm/name': `group-vol${name}\n`, 'dm/uuid': `LVM-${id}${id}\n` }),
    'LVM2_member',
  )
}

function array({ world, legs }: Stacks, level: string, members: readonly Node[]): Node {
  const number = world.serial()
  const name = `md${number}`
  for (const member of members)
    world.record(member, { ID_FS_TYPE: 'linux_raid_member', ID_FS_UUID: world.uuid() })
  const states = Object.fromEntries(members.map((member) => [`md/dev-${member.name}/state`, 'in_sync\n']))
  const node = world.made(name, `9:${number}`, members, {
    'md/level': `${level}\n`,
    'md/raid_disks': `${members.length}\n`,
    'md/degraded': '0\n',
    ...states,
  })
  world.link('level of an array', [`/sys${node.place}/md/level`], 'raid77\n')
  world.link('state of a leg', [`/sys${node.place}/md/dev-${members[0]?.name ?? ''}/state`], 'dreaming\n')
  const list = members.map((member, index) => `${member.name}[${index}]`).join(' ')
  const ups = 'U'.repeat(members.length)
  if (world.dice.roll(2) === 0)
    world.line(
      '/proc/mdstat',
      `${name} : active ${level} ${list}\n      1046528 blocks [${members.length}/${members.length}] [${ups}]`,
    )
  if (level === 'raid1')
    for (const member of members) for (const carrier of member.carriers) legs.add(carrier)
  return node
}

function cached({ world }: Stacks, backing: Node, cache: Node): Node {
  const number = world.serial()
  for (const member of [backing, cache])
    world.record(member, { ID_FS_TYPE: 'bcache', ID_FS_UUID: world.uuid() })
  return world.made(`bcache${number}`, `252:${number}`, [backing, cache])
}

/** A file system on what is below, and in it a file that a loop device shows; or the device below itself. */
function shown({ world }: Stacks, below: Node): Node {
  const number = world.serial()
  const isFile = world.dice.roll(2) === 0
  const point = `/srv/store${number}`
  if (isFile) {
    world.mount(below.number, point, 'ext4', `/dev/${below.name}`)
    world.record(below, { ID_FS_TYPE: 'ext4', ID_FS_UUID: world.uuid() })
  }
  const file = isFile ? `${point}/image` : `/dev/${below.name}`
  const node = world.made(`loop${number}`, `7:${number}`, [], { 'loop/backing_file': `${file}\n` })
  world.link(
    'file of a loop device',
    [`/sys${node.place}/loop/backing_file`],
    isFile ? undefined : '/dev/gone\n',
  )
  return { ...node, carriers: below.carriers, depth: below.depth + 1 }
}
