import { describe, expect, it } from 'vitest'
import { pci, type TreeEntries } from '../../support/sysfs-tree.ts'
import { mounts, readTree as read, told } from '../../support/host-needs.ts'

describe('the network the host lives on', () => {
  const ports: TreeEntries = Object.assign(
    {},
    ...['0', '1'].map((fn) => ({
      ...pci({ at: `pci0000:00/0000:00:1c.0/0000:01:00.${fn}`, driver: 'igb', group: 5 }),
      [`/sys/class/net/eth${fn}`]: `-> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}`,
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/address`]: '02:00:00:00:00:aa\n',
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/addr_assign_type`]: '3\n',
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/carrier`]: '1\n',
      [`/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.${fn}/net/eth${fn}/flags`]: '0x1003\n',
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
    expect(host.needs[1]?.redundant).toEqual({ set: 'bond0', others: ['0000:01:00.0'] })
    expect(host.devices[1]?.networkInterfaces).toEqual([
      { name: 'eth1', mac: '02:00:00:00:00:aa', permanentMac: 'a0:36:9f:00:00:02', carrier: true },
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
