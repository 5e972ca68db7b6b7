/**
 * Random machines on which one need of the host stands on a random stack of interfaces, with every fact that
 * leads from the need to the functions. One port is free: it is down and nothing names it.
 */
import type { PciAddress } from '../../../src/pci/address.ts'
import { diceOf, type Dice } from './dice.ts'
import { NetworkWorld, type Iface, type Link } from './network-world.ts'

export const needKinds = [
  'default route',
  'default route of IPv6',
  'two next hops',
  'rule with its table',
  'routing domain',
  'SSH session',
  'SSH on another port',
  'SSH over link-local',
  'NFS',
  'iSCSI',
  'NVMe over TCP',
  'Ceph',
  'address',
  'bridge of VMs',
  'configured port',
] as const
export type NetworkNeed = (typeof needKinds)[number]

export const layerKinds = [
  'bridge',
  'bond',
  'team',
  'vlan',
  'macvlan',
  'switch',
  'pppoe',
  'known tunnel',
  'tunnel',
] as const

export type NetworkCase = {
  readonly kind: NetworkNeed
  readonly entries: ReadonlyMap<string, string>
  readonly carriers: ReadonlySet<PciAddress>
  /** A caution is enough: it is only spoken for, or one leg of several. */
  readonly mayBeCaution: boolean
  readonly free: PciAddress
  readonly links: readonly Link[]
  readonly layers: readonly string[]
  readonly depth: number
  /** Files without which nobody knows that there is a need: they may be unreadable, not missing. */
  readonly evidence: readonly string[]
  readonly hasRecord: boolean
}

type Building = {
  readonly world: NetworkWorld
  readonly dice: Dice
  readonly layers: string[]
  readonly legs: Set<string>
  /** Without tunnels: theirs would be one of two ways out. */
  readonly isBare?: boolean
}

export function networkCase(seed: number): NetworkCase {
  const dice = diceOf(seed)
  const world = new NetworkWorld(dice.roll(2) === 0)
  const free = world.port(false)
  const building: Building = { world, dice, layers: [], legs: new Set() }
  // Without the kernel's answers nothing says where the routes of other tables lead: that is never whole.
  const kind = dice.pick(needKinds.filter((one) => world.hasRecord || one !== 'rule with its table'))
  const need = needs[kind](building)
  const entries = new Map<string, string>(bare)
  for (const [path, text] of world.write()) entries.set(path, text)
  return {
    kind,
    entries,
    carriers: need.carriers,
    mayBeCaution: building.legs.size > 0 || need.isSpokenFor === true,
    free: ownerOf(free),
    links: world.links.filter(({ paths }) => !paths.some((path) => path.includes(free.name))),
    layers: building.layers,
    depth: need.depth,
    evidence: need.evidence ?? [],
    hasRecord: world.hasRecord,
  }
}

const bare: readonly (readonly [string, string])[] = [
  ['/proc/cmdline', 'quiet\n'],
  ['/proc/self/mountinfo', '20 1 0:20 / /proc rw - proc proc rw\n'],
  ['/proc/1/comm', 'systemd\n'],
  ['/proc/bus/input/devices', ''],
  ['/sys/class/iommu/dmar0/', ''],
]

type Need = {
  readonly carriers: ReadonlySet<PciAddress>
  readonly depth: number
  readonly isSpokenFor?: boolean
  readonly evidence?: readonly string[]
}

const lan = (number: number): string => `10.20.${number}.5`

/** A plain port with an address and the network around it. */
function plain(world: NetworkWorld, number: number): Iface {
  const port = world.port()
  placed(world, port, number)
  return port
}

function placed(world: NetworkWorld, dev: Iface, number: number): void {
  world.address(dev, lan(number))
  world.routes.push({ dst: `10.20.${number}.0/24`, dev })
}

/** The way out of hosts whose need is something else. */
function wayOut(building: Building): void {
  const port = plain(building.world, 200)
  building.world.routes.push({ dst: 'default', dev: port, gateway: '10.20.200.1' })
}

/** A stack of up to `layers` interfaces on ports of its own. */
function stack(building: Building, layers: number, isOver = false): Iface {
  const { world, dice } = building
  if (layers <= 0) return world.port()
  // What ends in a tunnel says where it goes; a second one inside would go the same way.
  const kind = dice.pick(
    layerKinds.filter(
      (one) =>
        (one !== 'team' || world.hasRecord) &&
        !isSecond(building, one) &&
        !(isOver && withoutEthernet.has(one)),
    ),
  )
  building.layers.push(kind)
  return layer(building, kind, layers, isOver)
}

/** Nothing that needs Ethernet stands on these. */
const withoutEthernet = new Set<string>(['tunnel', 'pppoe'])

const onlyOnce = new Set(['switch', 'pppoe', 'known tunnel', 'tunnel'])

function isSecond({ layers, world, isBare }: Building, kind: string): boolean {
  if (kind === 'known tunnel' && !world.hasRecord) return true
  const outer = kind === 'tunnel' || kind === 'known tunnel'
  if (outer && isBare === true) return true
  if (outer && layers.some((one) => one === 'tunnel' || one === 'known tunnel')) return true
  return onlyOnce.has(kind) && layers.includes(kind)
}

function layer(
  building: Building,
  kind: (typeof layerKinds)[number],
  layers: number,
  isOver: boolean,
): Iface {
  const { world, dice } = building
  const name = (stem: string) => `${stem}${world.interfaces.length}`
  const below = stack(building, layers - 1, true)
  switch (kind) {
    case 'bridge':
      return world.over(name('br'), 'bridge', [below])
    case 'bond':
    case 'team': {
      building.legs.add(kind)
      return world.over(name(kind), kind, [below, world.port()])
    }
    case 'vlan':
      return world.over(`${below.name}.7`, 'vlan', [below])
    case 'macvlan':
      return world.over(name('mv'), 'macvlan', [below])
    case 'switch': {
      world.over('ovs-system', 'openvswitch datapath', [below], { isUp: false })
      return world.over(name('vmbr'), 'openvswitch', [below])
    }
    case 'pppoe': {
      world.link('session of PPPoE', ['/proc/net/pppoe'])
      return world.over(name('ppp'), 'ppp', [below])
    }
    case 'known tunnel': {
      placed(world, below, 100)
      const remote = '10.20.100.77'
      return world.over(name('gre'), isOver ? 'vxlan' : dice.pick(['gre', 'vxlan']), [below], { remote })
    }
    case 'tunnel': {
      placed(world, below, 100)
      world.link('kind of a tunnel', [`/sys/devices/virtual/net/wg${world.interfaces.length}/type`], '1\n')
      return world.over(name('wg'), 'wireguard', [below])
    }
  }
}

function stackOf(building: Building): Iface {
  return stack(building, building.dice.roll(4))
}

/** Own networks of the stack's top, with a number of their own. */
function addressed(building: Building): Iface {
  const top = stackOf(building)
  placed(building.world, top, 50)
  return top
}

function session(building: Building, port: number, socket?: number): Need {
  const top = addressed(building)
  // A tunnel of unknown ends goes out as everything does: here that is its own port.
  if (!building.layers.includes('tunnel')) wayOut(building)
  building.world.connections.push({
    local: lan(50),
    port,
    remote: '10.20.50.9',
    ...(socket === undefined ? {} : { socket }),
  })
  return { ...top, evidence: ['/proc/net/tcp', '/proc/net'] }
}

function storage(building: Building): Iface {
  const top = addressed(building)
  if (!building.layers.includes('tunnel')) wayOut(building)
  return top
}

const needs: Readonly<Record<NetworkNeed, (building: Building) => Need>> = {
  'default route': (building) => {
    const top = addressed(building)
    building.world.routes.push({ dst: 'default', dev: top, gateway: '10.20.50.1' })
    return top
  },
  'default route of IPv6': (building) => {
    const top = stackOf(building)
    building.world.address(top, '2001:db8:0:5:0:0:0:9')
    building.world.routes.push({ dst: '2001:db8:0:5:0:0:0:0/64', dev: top })
    building.world.routes.push({ dst: '::/0', dev: top, gateway: '2001:db8:0:5:0:0:0:1' })
    return { ...top, evidence: ['/proc/net/ipv6_route', '/proc/net'] }
  },
  'two next hops': (given) => {
    const { world } = given
    const building = { ...given, isBare: true }
    const one = addressed(building)
    const other = plain(world, 51)
    const more = [{ dev: other, gateway: '10.20.51.1' }]
    world.routes.push({ dst: 'default', dev: one, gateway: '10.20.50.1', more })
    // The files of /proc show the first of them only.
    const carriers = world.hasRecord ? new Set([...one.carriers, ...other.carriers]) : one.carriers
    return { carriers, depth: one.depth, evidence: ['/proc/net/rtnetlink', '/proc/net'] }
  },
  'rule with its table': (building) => {
    const top = addressed(building)
    if (!building.layers.includes('tunnel')) wayOut(building)
    building.world.rules.push({ priority: 1000, table: '100' })
    building.world.routes.push({ dst: 'default', dev: top, gateway: '10.20.50.1', table: '100' })
    return { ...top, evidence: ['/proc/net/fib_trie', '/proc/net/rtnetlink', '/proc/net'] }
  },
  'routing domain': (building) => {
    const { world } = building
    const below = stack(building, Math.min(1, building.dice.roll(2)))
    const vrf = world.over('vrf-a', 'vrf', [below], { table: '1001' })
    vrf.addresses.push(lan(60))
    if (!building.layers.includes('tunnel')) wayOut(building)
    world.connections.push({ local: lan(60), port: 22, remote: '10.20.60.9' })
    return { ...vrf, evidence: ['/proc/net/tcp', '/proc/net'] }
  },
  'SSH session': (building) => session(building, 22),
  'SSH on another port': (building) => {
    const { files } = building.world
    files.set('/proc/77/comm', 'sshd\n')
    files.set('/proc/77/fd/3', '-> socket:[4711]')
    return session(building, 2202, 4711)
  },
  'SSH over link-local': (building) => {
    const top = stackOf(building)
    building.world.address(top, 'fe80:0:0:0:0:0:0:77')
    if (!building.layers.includes('tunnel')) wayOut(building)
    building.world.connections.push({ local: 'fe80:0:0:0:0:0:0:77', port: 22, remote: 'fe80:0:0:0:0:0:0:99' })
    return { ...top, evidence: ['/proc/net/tcp6', '/proc/net'] }
  },
  NFS: (building) => {
    const line = '30 20 0:50 / /data rw - nfs4 store:/data rw,addr=10.20.50.80\n'
    building.world.files.set('/proc/self/mountinfo', line)
    return storage(building)
  },
  iSCSI: (building) => {
    const place = '/sys/devices/platform/host9/session1/connection1:0/iscsi_connection/connection1:0'
    building.world.files.set(
      '/sys/class/iscsi_connection/connection1:0',
      `-> ../..${place.slice('/sys'.length)}`,
    )
    building.world.files.set(`${place}/address`, '10.20.50.81\n')
    building.world.link('address of iSCSI', [`${place}/address`])
    return { ...storage(building), evidence: ['/sys/class/iscsi_connection'] }
  },
  'NVMe over TCP': (building) => {
    const place = '/sys/devices/virtual/nvme-fabrics/ctl/nvme5'
    building.world.files.set('/sys/class/nvme/nvme5', `-> ../..${place.slice('/sys'.length)}`)
    building.world.files.set(`${place}/transport`, 'tcp\n')
    building.world.files.set(`${place}/address`, 'traddr=10.20.50.82,trsvcid=4420\n')
    building.world.link('address of NVMe', [`${place}/address`])
    return { ...storage(building), evidence: ['/sys/class/nvme'] }
  },
  Ceph: (building) => {
    const line = '30 20 0:51 / /pool rw - ceph 10.20.50.83:6789,10.20.50.84:6789:/ rw,name=a\n'
    building.world.files.set('/proc/self/mountinfo', line)
    return storage(building)
  },
  address: (building) => {
    const top = addressed(building)
    if (!building.layers.includes('tunnel')) wayOut(building)
    return { ...top, isSpokenFor: true, evidence: ['/proc/net/route', '/proc/net/fib_trie', '/proc/net'] }
  },
  'bridge of VMs': (building) => {
    const below = stack(building, building.dice.roll(3), true)
    const top = building.world.over('vmbr9', 'bridge', [below])
    if (!building.layers.includes('tunnel')) wayOut(building)
    return {
      ...top,
      isSpokenFor: true,
      evidence: ['/sys/class/net', '/sys/class/net/vmbr9', '/sys/devices/virtual/net/vmbr9'],
    }
  },
  'configured port': (building) => {
    wayOut(building)
    const port = building.world.port(false)
    const forms: readonly (readonly [string, string])[] = [
      ['/etc/network/interfaces', `auto ${port.name}\niface ${port.name} inet dhcp\n`],
      ['/etc/netplan/50-net.yaml', `network:\n  ethernets:\n    ${port.name}:\n      dhcp4: true\n`],
      ['/etc/systemd/network/10-lan.network', `[Match]\nName=${port.name}\n\n[Network]\nDHCP=yes\n`],
      [
        '/etc/NetworkManager/system-connections/lan.nmconnection',
        `[connection]\ntype=ethernet\ninterface-name=${port.name}\n`,
      ],
    ]
    const [path, text] = building.dice.pick(forms)
    building.world.files.set(path, text)
    building.world.link('configuration', [path])
    return { ...port, isSpokenFor: true, evidence: [path] }
  },
}

/** A port of a card has one; what stands above ports has none. */
function ownerOf({ name, owner }: Iface): PciAddress {
  if (owner === undefined) throw new TypeError(`${name} is no port of a card`)
  return owner
}
