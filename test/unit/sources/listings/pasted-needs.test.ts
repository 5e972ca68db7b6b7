/**
 * Routes, addresses, mounts and pools pasted beside a listing: tied to a function where a line ties them,
 * else lost.
 */
import { describe, expect, test } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import type { Host } from '../../../../src/host/host.ts'
import { readText } from './reading.ts'

const entry = (address: string, code: string, driver: string) =>
  `${address} ${code}: 1aaa:${code}\n\tKernel driver in use: ${driver}\n`
const listing =
  entry('00:14.0', '0c03', 'xhci_hcd') +
  entry('00:17.0', '0106', 'ahci') +
  entry('05:00.0', '0200', 'anic') +
  entry('05:00.1', '0200', 'anic') +
  entry('06:00.0', '0200', 'vfio-pci') +
  entry('0a:00.0', '0108', 'nvme')
const read = (text: string) => readText(`$ lspci -nk\n${listing}$ \n${text}`)
const needs = (host: Host) =>
  host.needs.map(({ what, chain, device, weight }) => [what, chain.join(' '), device.slice(5), weight])
const lost = (host: Host) =>
  (host.lostNeeds ?? []).map(({ what, lost: name, couldBe }) => [what, name, couldBe.map((a) => a.slice(5))])

describe('the default route', () => {
  test.each([
    ['by the name of the port', 'default via 192.0.2.1 dev enp5s0f1 proto static\n', 'enp5s0f1'],
    [
      'by a path of sysfs',
      'default via 192.0.2.1 dev lan1\nlan1 -> ../../devices/pci0000:00/0000:00:1c.0/0000:05:00.1/net/lan1\n',
      'lan1',
    ],
    [
      'by the log',
      '[    2.0] anic 0000:05:00.1 lan1: renamed from eth0\ndefault via 192.0.2.1 dev lan1\n',
      'lan1',
    ],
    [
      'by ethtool',
      'root@box:~# ethtool -i lan1\ndriver: anic\nbus-info: 0000:05:00.1\nroot@box:~# ip r\ndefault dev lan1 scope link\n',
      'lan1',
    ],
    [
      'by lshw -businfo',
      'pci@0000:05:00.1  lan1  network  Fast Port\ndefault via 192.0.2.1 dev lan1\n',
      'lan1',
    ],
    [
      'by another name',
      '2: lan1: <BROADCAST,UP> mtu 1500 qdisc mq state UP\n    altname enp5s0f1\ndefault via 192.0.2.1 dev lan1\n',
      'lan1',
    ],
    [
      'in a table',
      '0.0.0.0         192.0.2.1       0.0.0.0         UG    100    0        0 enp5s0f1\n',
      'enp5s0f1',
    ],
    [
      'over a bridge',
      '3: enp5s0f1: <UP> mtu 1500 master br7 state UP\ndefault via 192.0.2.1 dev br7\n',
      'br7 enp5s0f1',
    ],
    [
      'over a VLAN on a bond',
      'default via 192.0.2.1 dev bond3.20\n4: bond3.20@bond3: <UP> mtu 1500\n3: enp5s0f1: <UP> mtu 1500 master bond3\n',
      'bond3.20 bond3 enp5s0f1',
    ],
    [
      'configured',
      'iface br7 inet static\n\taddress 192.0.2.9/24\n\tgateway 192.0.2.1\n\tbridge-ports enp5s0f1\n',
      'br7 enp5s0f1',
    ],
    ['of IPv6', 'default via fe80::1 dev enp5s0f1 proto ra metric 1024 pref medium\n', 'enp5s0f1'],
  ])('%s', (_, text, chain) => {
    const host = read(text)
    expect(needs(host)).toContainEqual(['default route', chain, '05:00.1', 'vital'])
    expect(host.needs.some(({ isDefaultRoute }) => isDefaultRoute === true)).toBe(true)
    expect(lost(host)).toEqual([])
    expect(judgeHost(host).devices.find((one) => one.address.endsWith('05:00.1'))?.verdict).toBe('refused')
  })
  test('over several ports needs each of them', () => {
    const host = read(
      'default proto static metric 20\n\tnexthop via 192.0.2.1 dev enp5s0f0 weight 1\n\tnexthop via 192.0.2.2 dev enp5s0f1 weight 1\n',
    )
    expect(needs(host).map(([, , device]) => device)).toEqual(['05:00.0', '05:00.1'])
  })
  test.each([
    ['a name that says no place', 'default via 192.0.2.1 dev eno7\n', 'eno7'],
    ['a tunnel', 'default dev wg0 scope link\n', 'wg0'],
    ['a bridge whose port is not told', 'iface br7 inet static\n\tgateway 192.0.2.1\n', 'br7'],
    ['a name of a place that VFIO holds', 'default via 192.0.2.1 dev enp6s0\n', 'enp6s0'],
    ['a name of a place of another kind', 'default via 192.0.2.1 dev enp10s0\n', 'enp10s0'],
  ])('over %s is lost', (_, text, name) => {
    const host = read(text)
    expect(needs(host)).toEqual([])
    expect(lost(host)[0]?.slice(0, 2)).toEqual(['default route', name])
    expect(lost(host)[0]?.[2]).toEqual(expect.arrayContaining(['05:00.0', '05:00.1']))
    expect(lost(host)[0]?.[2]).not.toContain('06:00.0')
  })
})

test('an address beside the default route is warned of; one of a bridge without a port is nothing', () => {
  const host = read(
    '2: enp5s0f0: <UP> mtu 1500 state UP\n    inet 198.51.100.4/24 brd 198.51.100.255 scope global enp5s0f0\n    inet6 fe80::1/64 scope link\n9: docker0: <NO-CARRIER,UP> mtu 1500\n    inet 172.17.0.1/16 scope global docker0\n1: lo: <LOOPBACK,UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n',
  )
  expect(needs(host)).toEqual([['address 198.51.100.4', 'enp5s0f0', '05:00.0', 'spoken-for']])
  expect(lost(host)).toEqual([])
})

const lsblk = `NAME          MAJ:MIN RM   SIZE RO TYPE MOUNTPOINTS
sda             8:0    0 931.5G  0 disk
├─sda1          8:1    0   512M  0 part /boot/efi
└─sda2          8:2    0   931G  0 part
  ├─vg7-root  252:0    0    96G  0 lvm  /
  │                                     /var/spare
  └─vg7-swap  252:1    0     8G  0 lvm  [SWAP]
nvme0n1       259:0    0 953.9G  0 disk
└─nvme0n1p1   259:1    0 953.9G  0 part /srv
loop0           7:0    0    64M  1 loop /snap/core/1
`
const path = '/sys/block/sda -> ../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda\n'

describe('mounts', () => {
  test('are followed to the controller that a line ties them to', () => {
    const host = read(
      lsblk + path + 'lrwxrwxrwx 1 root root 13 May 1 09:00 pci-0000:0a:00.0-nvme-1 -> ../../nvme0n1\n',
    )
    expect(needs(host)).toEqual([
      ['/boot/efi', 'sda1 sda', '00:17.0', 'vital'],
      ['/', 'vg7-root sda2 sda', '00:17.0', 'vital'],
      ['/var/spare', 'vg7-root sda2 sda', '00:17.0', 'vital'],
      ['swap', 'vg7-swap sda2 sda', '00:17.0', 'vital'],
      ['/srv', 'nvme0n1p1 nvme0n1', '0a:00.0', 'vital'],
    ])
    expect(lost(host)).toEqual([])
  })
  test('without a tie are lost among the controllers that could have the disk', () => {
    expect(lost(read(lsblk))).toContainEqual(['/', 'sda', ['00:14.0', '00:17.0']])
    expect(lost(read(lsblk))).toContainEqual(['/srv', 'nvme0n1', ['0a:00.0']])
  })
  test.each([
    ['df', '/dev/sda2        98G   12G   81G  13% /data\n'],
    ['df -T', '/dev/sda2 ext4        98G   12G   81G  13% /data\n'],
    ['mount', '/dev/sda2 on /data type ext4 (rw,relatime)\n'],
    ['findmnt', '└─/data   /dev/sda2   ext4   rw,relatime\n'],
  ])('as %s prints them', (_, text) => {
    expect(needs(read(text + path))).toEqual([['/data', 'sda2', '00:17.0', 'vital']])
  })
})

describe('pools and arrays', () => {
  const pool = (member: string) =>
    `  pool: deep\n state: ONLINE\nconfig:\n\n\tNAME        STATE     READ WRITE CKSUM\n\tdeep        ONLINE       0     0     0\n\t  mirror-0  ONLINE       0     0     0\n\t    ${member}  ONLINE       0     0     0\n\nerrors: No known data errors\n`
  test('by kernel name, by path and by a link of /dev/disk/by-id', () => {
    expect(needs(read(pool('sda') + path))).toEqual([['pool deep', 'sda', '00:17.0', 'vital']])
    expect(needs(read(pool('pci-0000:00:17.0-ata-2-part3'))).map(([, , device]) => device)).toEqual([
      '00:17.0',
    ])
    const link = 'lrwxrwxrwx 1 root root 9 May 1 09:00 ata-FAST_8000-part1 -> ../../sda1\n'
    expect(needs(read(pool('ata-FAST_8000-part1') + link + path)).map(([, chain]) => chain)).toEqual([
      'ata-FAST_8000-part1 sda1',
    ])
  })
  test('of which nothing tells the disk are lost', () => {
    expect(lost(read(pool('ata-FAST_8000_XY12')))).toEqual([
      ['pool deep', 'ata-FAST_8000_XY12', ['00:14.0', '00:17.0']],
    ])
  })
  test('an active array is in use, mounted or not', () => {
    expect(needs(read(`md3 : active raid1 sdb1[1] sda1[0]\n${path}`))).toEqual([
      ['array md3', 'md3 sda1', '00:17.0', 'vital'],
    ])
  })
})

test('a paste of one machine and the routes of another are two machines', () => {
  expect(
    readText(`root@nas:~# lspci -nk\n${listing}me@desk:~$ ip r\ndefault via 192.0.2.1 dev enp5s0f1\n`)
      .twoMachines,
  ).toContain('nas and desk')
})

test('rings of interfaces end', () => {
  const host = read('2: a0@b0: <UP> mtu 1500\n3: b0@a0: <UP> mtu 1500\ndefault via 192.0.2.1 dev a0\n')
  expect(lost(host).map(([what, name]) => [what, name])).toEqual([['default route', 'b0']])
})
