/**
 * Kinds of networks that owners have: which function each need ends at, which port stays free, and what is
 * lost.
 */
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { mounts, readTree, told } from '../../support/host-needs.ts'
import { NetworkWorld, type Iface } from '../../support/stacks/network-world.ts'
import { readerOf } from '../../support/stacks/broken-tree.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const files = {
  '/proc/cmdline': 'quiet\n',
  '/proc/self/mountinfo': '20 1 0:20 / /proc rw - proc proc rw\n',
  '/proc/1/comm': 'init\n',
}

function read(make: (world: NetworkWorld) => void, more: TreeEntries = {}, hasRecord = false): Host {
  const world = new NetworkWorld(hasRecord)
  make(world)
  return readHost(
    readerOf(
      new Map<string, string | Uint8Array>([
        ...Object.entries(files),
        ...world.write(),
        ...Object.entries(more),
      ]),
    ),
  )
}

const verdicts = (host: Host): string[] => judgeHost(host).devices.map(({ verdict }) => verdict)
const lost = (host: Host): string[] =>
  (host.lostNeeds ?? []).map(({ what, lost: name, why }) => `${what}: ${name}, ${why}`)

/** An address in a network of its own, and the way out over it. */
function addressed(world: NetworkWorld, dev: Iface, number: number): Iface {
  world.address(dev, `10.30.${number}.2`)
  world.routes.push({ dst: `10.30.${number}.0/24`, dev })
  return dev
}
function wayOut(world: NetworkWorld, dev: Iface, number: number): Iface {
  world.routes.push({ dst: 'default', dev, gateway: `10.30.${number}.1` })
  return addressed(world, dev, number)
}

describe('PPP', () => {
  const pppoe = (world: NetworkWorld) => {
    wayOut(world, world.over('ppp0', 'ppp', [world.port()]), 1)
    world.port(false)
  }

  it('over PPPoE ends at the port of the session, and a port that is down is free', () => {
    const host = read(pppoe)
    expect(told(host)).toEqual(['default route: ppp0 > port1 > 0000:02:00.0'])
    expect(verdicts(host)).toEqual(['refused', 'ready'])
  })

  it('of which nothing names the port may run over every port in use', () => {
    const host = read(
      (world) => {
        pppoe(world)
        world.port()
      },
      { '/proc/net/pppoe': 'Id       Address              Device\n' },
    )
    expect(lost(host)).toEqual(['default route: ppp0, nothing says which port it runs over'])
    expect(verdicts(host)).toEqual(['unknown', 'ready', 'unknown'])
  })

  it('of a pppoe program ends at the port among its arguments', () => {
    const host = read(pppoe, {
      '/proc/net/pppoe': 'Id       Address              Device\n',
      '/proc/900/comm': 'pppoe\n',
      '/proc/900/cmdline': '/usr/sbin/pppoe\0-p\0/var/run/x\0-I\0port1\0',
      '/proc/900/fd/0': '-> /dev/null',
    })
    expect(told(host)).toEqual(['default route: ppp0 > port1 > 0000:02:00.0'])
    expect(lost(host)).toEqual([])
  })

  it('over a modem ends at the controller the modem hangs on', () => {
    const usb = 'pci0000:00/0000:00:14.0'
    const host = read(
      (world) => {
        wayOut(world, world.over('ppp0', 'ppp', []), 1)
        world.port(false)
      },
      {
        ...pci({ at: usb, classCode: '0c0330', driver: 'xhci_hcd', group: 3 }),
        '/sys/class/tty/ttyUSB2': `-> ../../devices/${usb}/usb1/1-4/1-4:1.2/ttyUSB2/tty/ttyUSB2`,
        '/proc/net/pppoe': 'Id       Address              Device\n',
        '/proc/55/comm': 'pppd\n',
        '/proc/55/cmdline': 'pppd\0call\0mobile\0',
        '/proc/55/fd/7': '-> /dev/ttyUSB2',
      },
    )
    expect(told(host).filter((line) => line.startsWith('default'))).toEqual([
      'default route: ppp0 > ttyUSB2 > 0000:00:14.0',
    ])
  })
})

describe('a tunnel', () => {
  const overWireguard = (world: NetworkWorld) => {
    addressed(world, world.port(), 1)
    addressed(world, world.port(), 2)
    wayOut(world, world.over('wg0', 'wireguard', []), 3)
  }

  it('runs over the way to the far end that its configuration names', () => {
    const host = read(overWireguard, { '/etc/wireguard/wg0.conf': '[Peer]\nEndpoint = 10.30.2.99:51820\n' })
    expect(told(host).slice(0, 1)).toEqual(['default route: wg0 > port2 > 0000:03:00.0'])
    expect(lost(host)).toEqual([])
  })

  it('without a known far end may run over each of two ports with an address', () => {
    expect(verdicts(read(overWireguard))).toEqual(['unknown', 'unknown'])
  })

  it('beside a way out goes over that, and keeps no other port', () => {
    const host = read((world) => {
      wayOut(world, world.port(), 1)
      world.port(false)
      addressed(world, world.over('wg0', 'wireguard', []), 3)
    })
    expect(verdicts(host)).toEqual(['refused', 'ready'])
  })
})

describe('Open vSwitch', () => {
  it('keeps every port of its switch for an internal port, whichever bridge that is in', () => {
    const host = read((world) => {
      const [one, other] = [world.port(), world.port()]
      world.over('ovs-system', 'openvswitch datapath', [one, other], { isUp: false })
      wayOut(world, world.over('br-lan', 'openvswitch', [one]), 1)
      world.port(false)
    })
    expect(verdicts(host)).toEqual(['refused', 'refused', 'ready'])
  })

  it('of VMs only is named as the user of its port', () => {
    const host = read((world) => {
      wayOut(world, world.port(), 1)
      world.over('ovs-system', 'openvswitch datapath', [world.port()], { isUp: false })
    })
    expect(told(host).at(-1)).toBe('(spoken for) Open vSwitch: ovs-system > port2 > 0000:03:00.0')
    expect(verdicts(host)).toEqual(['refused', 'caution'])
  })
})

describe('a bond', () => {
  const bond = (world: NetworkWorld) =>
    wayOut(world, world.over('bond0', 'bond', [world.port(), world.port()]), 1)

  it('stands on each of its legs alone', () => {
    const host = read(bond)
    expect(host.needs.map(({ redundant }) => redundant?.others)).toEqual([['0000:03:00.0'], ['0000:02:00.0']])
    expect(verdicts(host)).toEqual(['caution', 'caution'])
  })

  it('stands on the one leg that has a cable', () => {
    const host = read(bond, { '/sys/devices/pci0000:00/0000:00:1c.1/0000:03:00.0/net/port2/carrier': '0\n' })
    expect(host.needs.map(({ redundant }) => redundant?.others)).toEqual([undefined, ['0000:02:00.0']])
    expect(verdicts(host)).toEqual(['refused', 'caution'])
  })
})

describe('routes beside those of the main table', () => {
  const policy = (world: NetworkWorld) => {
    wayOut(world, world.port(), 1)
    const other = addressed(world, world.port(), 2)
    world.rules.push({ priority: 500, table: '77' })
    world.routes.push({ dst: 'default', dev: other, gateway: '10.30.2.1', table: '77' })
  }

  it('are followed where the kernel was asked, with every next hop', () => {
    expect(verdicts(read(policy, {}, true))).toEqual(['refused', 'refused'])
    const hops = read(
      (world) => {
        const [one, other] = [addressed(world, world.port(), 1), addressed(world, world.port(), 2)]
        world.routes.push({
          dst: 'default',
          dev: one,
          gateway: '10.30.1.1',
          more: [{ dev: other, gateway: '10.30.2.1' }],
        })
      },
      {},
      true,
    )
    expect(verdicts(hops)).toEqual(['refused', 'refused'])
  })

  it('are lost where only /proc/net tells of their table', () => {
    const host = read(policy)
    expect(lost(host)).toEqual([
      'default route of table 77: table 77, /proc/net names no interface of that table',
    ])
    expect(verdicts(host)).toEqual(['refused', 'unknown'])
  })

  it('in a table that no rule uses are only spoken for', () => {
    const host = read(
      (world) => {
        policy(world)
        world.rules.length = 0
      },
      {},
      true,
    )
    expect(verdicts(host)).toEqual(['refused', 'caution'])
  })
})

describe('a session', () => {
  const two = (world: NetworkWorld) => {
    addressed(world, world.port(), 1)
    wayOut(world, world.port(), 2)
    world.connections.push({ local: '10.30.1.2', port: 2299, remote: '203.0.113.4', socket: 31 })
  }
  const program = (comm: string): TreeEntries => ({
    '/proc/70/comm': `${comm}\n`,
    '/proc/70/fd/4': '-> socket:[31]',
  })

  it('is at its local address, on whatever port the program of that kind listens', () => {
    const host = read(two, program('dropbear'))
    expect(told(host)).toContain('SSH session from 203.0.113.4: port1 > 0000:02:00.0')
    expect(verdicts(host)).toEqual(['refused', 'refused'])
  })

  it('is none where another program holds the connection', () => {
    expect(verdicts(read(two, program('nginx')))).toEqual(['caution', 'refused'])
  })

  it('may be one where the programs may not be looked into', () => {
    const world = new NetworkWorld(false)
    two(world)
    const entries = new Map<string, string>([...Object.entries(files), ...world.write()])
    const listening = '   9: 00000000:08FB 00000000:0000 0A 0:0 0:0 0 0 0 30 1\n'
    entries.set('/proc/net/tcp', `${entries.get('/proc/net/tcp') ?? ''}${listening}`)
    entries.set('/proc/70/fd/4', '-> socket:[31]')
    const host = readHost(readerOf(entries, { how: 'unreadable', paths: ['/proc/70/fd'] }))
    expect(lost(host)).toContain(
      'connection from 203.0.113.4 to port 2299: 10.30.1.2, /proc/70/fd: it cannot be read (EACCES)',
    )
    expect(verdicts(host)).toEqual(['unknown', 'refused'])
  })
})

describe('storage over the network', () => {
  const two = (world: NetworkWorld) => {
    wayOut(world, world.port(), 1)
    addressed(world, world.port(), 2)
  }
  const needs = (more: TreeEntries) =>
    told(read(two, more)).filter((line) => !/^\(spoken|^default/.test(line))

  it.each([
    ['nfs', 'nfs4 store:/x rw,addr=10.30.2.9'],
    ['Ceph with its monitors in the source', 'ceph 10.30.2.8:6789,10.30.2.9:6789:/ rw,name=x'],
    ['Ceph with its monitors in an option', 'ceph admin@1f2.fs=/ rw,mon_addr=10.30.2.8:3300/10.30.2.9:3300'],
    ['sshfs', 'fuse.sshfs me@10.30.2.9:/x rw'],
    ['SMB', 'cifs //10.30.2.9/x rw,vers=3.1.1,addr=10.30.2.9'],
    ['GlusterFS by a name of /etc/hosts', 'fuse.glusterfs store:/vol rw'],
  ])('%s keeps the port towards its server', (_, rest) => {
    const more = { ...mounts(`0:60 / /pool rw - ${rest}`), '/etc/hosts': '10.30.2.9 store\n' }
    expect(needs(more)).toEqual([
      expect.stringMatching(/^\/pool \(from 10\.30\.2\..*\): port2 > 0000:03:00\.0$/),
    ])
  })

  it('of a server that is only named may be over every port in use', () => {
    const host = read(two, mounts('0:60 / /pool rw - fuse.sshfs me@far.example:/x rw'))
    expect(verdicts(host)).toEqual(['refused', 'unknown'])
  })

  it('by NVMe over Fibre Channel keeps the adapter whose port it names', () => {
    const adapter = (bus: string, host: string, name: string): TreeEntries => ({
      ...pci({
        at: `pci0000:00/0000:00:1d.0/0000:${bus}:00.0`,
        classCode: '0c0400',
        driver: 'lpfc',
        group: Number(bus),
      }),
      [`/sys/class/fc_host/${host}`]: `-> ../../devices/pci0000:00/0000:00:1d.0/0000:${bus}:00.0/${host}/fc_host/${host}`,
      [`/sys/devices/pci0000:00/0000:00:1d.0/0000:${bus}:00.0/${host}/fc_host/${host}/port_name`]: `${name}\n`,
    })
    const controller = '/sys/devices/virtual/nvme-fabrics/ctl/nvme3'
    expect(
      needs({
        ...adapter('40', 'host7', '0x1000aa'),
        ...adapter('41', 'host8', '0x1000bb'),
        '/sys/class/nvme/nvme3': '-> ../../devices/virtual/nvme-fabrics/ctl/nvme3',
        [`${controller}/transport`]: 'fc\n',
        [`${controller}/address`]: 'traddr=nn-0x1:pn-0x2,host_traddr=nn-0x20:pn-0x1000bb\n',
      }),
    ).toEqual(['NVMe disks over Fibre Channel: nvme3 > host8 > 0000:41:00.0'])
  })
})

describe('a port that carries nothing now', () => {
  const spare = (world: NetworkWorld) => {
    wayOut(world, world.port(), 1)
    world.port(false)
  }
  const after = (more: TreeEntries) => verdicts(read(spare, more))[1]
  const connection = '/etc/NetworkManager/system-connections/x.nmconnection'

  it.each<readonly [string, TreeEntries, string]>([
    ['nowhere', {}, 'ready'],
    ['by ifupdown', { '/etc/network/interfaces': 'auto port2\niface port2 inet dhcp\n' }, 'caution'],
    ['by ifupdown, listed only', { '/etc/network/interfaces': 'iface port2 inet manual\n' }, 'ready'],
    ['by a comment of ifupdown', { '/etc/network/interfaces': '# auto port2\n' }, 'ready'],
    [
      'as a port of a bridge',
      {
        '/etc/network/interfaces':
          'iface port2 inet manual\nauto br1\niface br1 inet manual\n\tbridge-ports port2\n',
      },
      'caution',
    ],
    [
      'in a file that ifupdown reads',
      {
        '/etc/network/interfaces': 'source /etc/network/more/*.cfg\n',
        '/etc/network/more/a.cfg': 'auto port2\niface port2 inet dhcp\n',
      },
      'caution',
    ],
    [
      'by netplan',
      { '/etc/netplan/1.yaml': 'network:\n  ethernets:\n    port2: {dhcp4: true}\n' },
      'caution',
    ],
    [
      'by a pattern of netplan',
      { '/etc/netplan/1.yaml': 'network:\n  ethernets:\n    all:\n      match: {name: "po*"}\n' },
      'caution',
    ],
    [
      'by networkd',
      { '/etc/systemd/network/1.network': '[Match]\nName=po* !port1\n[Network]\nDHCP=yes\n' },
      'caution',
    ],
    [
      'by networkd for others',
      { '/etc/systemd/network/1.network': '[Match]\nName=port1\n[Network]\nDHCP=yes\n' },
      'ready',
    ],
    [
      'by networkd as not managed',
      { '/etc/systemd/network/1.network': '[Match]\nName=port2\n[Link]\nUnmanaged=yes\n' },
      'ready',
    ],
    ['by NetworkManager', { [connection]: '[connection]\ntype=ethernet\ninterface-name=port2\n' }, 'caution'],
    ['by NetworkManager for any port', { [connection]: '[connection]\ntype=ethernet\n' }, 'caution'],
    [
      'by NetworkManager for its MAC',
      { [connection]: '[connection]\ntype=ethernet\n[ethernet]\nmac-address=02:00:00:00:00:03\n' },
      'caution',
    ],
    [
      'by NetworkManager for another',
      { [connection]: '[connection]\ntype=ethernet\ninterface-name=port1\n' },
      'ready',
    ],
    [
      'by an ifcfg file',
      { '/etc/sysconfig/network-scripts/ifcfg-port2': 'ONBOOT=yes\nBOOTPROTO=dhcp\n' },
      'caution',
    ],
    [
      'by an ifcfg file that is off',
      { '/etc/sysconfig/network-scripts/ifcfg-port2': 'ONBOOT=no\n' },
      'ready',
    ],
  ])('and is configured %s', (_, more, verdict) => expect(after(more)).toBe(verdict))

  it('may be configured by a file that cannot be read', () => {
    const world = new NetworkWorld(false)
    spare(world)
    const entries = new Map<string, string>([...Object.entries(files), ...world.write()])
    const host = readHost(readerOf(entries, { how: 'unreadable', paths: ['/etc/netplan/1.yaml'] }))
    expect(verdicts(host)).toEqual(['refused', 'unknown'])
  })

  it('is the way into the network of a host that has none', () => {
    const alone = (isUp: boolean, more: TreeEntries = {}) =>
      verdicts(read((world) => void world.port(isUp), more))
    expect(alone(true)).toEqual(['unknown'])
    expect(alone(true, { '/etc/network/interfaces': 'auto port1\niface port1 inet dhcp\n' })).toEqual([
      'refused',
    ])
    expect(alone(false)).toEqual(['caution'])
  })

  it('is under the macvtap of a VM', () => {
    const host = read(
      (world) => {
        wayOut(world, world.port(), 1)
        world.over('macvtap0', 'macvtap', [world.port()])
      },
      {
        '/sys/devices/virtual/net/macvtap0/tap12/': '',
        '/proc/66/cmdline': 'qemu-system-x86_64\0-name\0guest=mail\0',
        '/proc/66/fd/9': '-> /dev/tap12',
      },
    )
    expect(told(host).at(-1)).toBe(
      '(spoken for) interface macvtap0 of VM mail: macvtap0 > port2 > 0000:03:00.0',
    )
  })
})

describe('a driver that shows no interface', () => {
  const hidden = pci({ at: 'pci0000:00/0000:00:1e.0/0000:50:00.0', driver: 'ixgbe', group: 50 })
  const read2 = (more: TreeEntries) => read((world) => wayOut(world, world.port(), 1), { ...hidden, ...more })
  const namespaces = { '/proc/self/ns/net': '-> net:[1]', '/proc/1/ns/net': '-> net:[1]' }

  it('may have it in the namespace of a container', () => {
    expect(verdicts(read2({ ...namespaces, '/proc/90/ns/net': '-> net:[2]' }))).toEqual([
      'refused',
      'unknown',
    ])
    expect(verdicts(read2({}))).toEqual(['refused', 'unknown'])
  })

  it('has none where there is no other namespace', () => {
    expect(verdicts(read2(namespaces))).toEqual(['refused', 'ready'])
  })
})

describe('a running machine', () => {
  const live = (answer: ReturnType<NonNullable<ReturnType<typeof linuxSystem>['showNetwork']>>) => {
    const world = new NetworkWorld(false)
    wayOut(world, world.port(), 1)
    world.port(false)
    const root = tree(files, Object.fromEntries(world.write()))
    return readHost({ ...linuxSystem({ root }), live: true, showNetwork: () => answer })
  }

  it('without a capable ip has an unknown network, and says so', () => {
    const host = live({ ok: false, reason: 'unreadable', code: 'ENOENT' })
    expect(verdicts(host)).toEqual(['refused', 'unknown'])
    expect(lost(host)).toContain(
      'the routes of this host: ip -4 route, there is no ip command to ask (package iproute2)',
    )
  })

  it('takes no answer for one that is no JSON', () => {
    expect(verdicts(live({ ok: true, value: 'default via 10.30.1.1 dev port1' }))).toEqual([
      'refused',
      'unknown',
    ])
  })
})

it('a tree without anything of /proc/net is told of as such', () => {
  const host = readTree(pci({ at: 'pci0000:00/0000:00:1c.0/0000:02:00.0', driver: 'igb' }), files)
  expect(host.unreadNeeds).toContain('network')
  expect(lost(host).filter((line) => line.includes('route'))).toEqual([])
})
