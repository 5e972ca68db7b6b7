/**
 * The forms that have a grammar: udevadm, umockdev, node devices, facter, archives, folders; and what is
 * refused.
 */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readHostFrom, textCap } from '../../../../src/sources/listings/read-from.ts'
import { deviceOf, groupsOf, importSystem, readText } from './reading.ts'
import { readTar } from '../../../../src/sources/listings/tar.ts'
import { treeReader } from '../../../../src/sources/tree.ts'
import { tarOf } from './tar-of.ts'

const udev = `P: /devices/pci0000:00/0000:00:1c.0
E: DEVPATH=/devices/pci0000:00/0000:00:1c.0
E: DRIVER=pcieport
E: PCI_CLASS=60400
E: PCI_ID=1AAA:0C10
E: PCI_SUBSYS_ID=1AAA:0101
E: PCI_SLOT_NAME=0000:00:1c.0
E: SUBSYSTEM=pci

P: /devices/pci0000:00/0000:00:1c.0/0000:02:00.0
L: 0
E: DEVPATH=/devices/pci0000:00/0000:00:1c.0/0000:02:00.0
E: PCI_CLASS=20000
E: PCI_ID=1AAA:15F3
E: PCI_SUBSYS_ID=1AAA:0005
E: ID_VENDOR_FROM_DATABASE=Acme Corp
E: ID_MODEL_FROM_DATABASE=Fast NIC
E: ID_PCI_SUBCLASS_FROM_DATABASE=Ethernet controller
E: SUBSYSTEM=pci

P: /devices/pci0000:00/0000:00:1c.0/0000:02:00.0/net/enp2s0
E: INTERFACE=enp2s0
E: ID_NET_NAME_MAC=enx0050b6123456
E: SUBSYSTEM=net

P: /devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda
E: DEVTYPE=disk
E: ID_MODEL=Spin_4T
E: ID_SERIAL_SHORT=S-1
E: ID_WWN=0x5000c500a1b2c3d4
E: SUBSYSTEM=block
`

test('udevadm info --export-db', () => {
  const host = readText(udev)
  expect(host.source.kind).toBe('udevadm')
  expect(deviceOf(host, '0000:02:00.0')).toEqual({
    address: '0000:02:00.0',
    vendorId: '1aaa',
    deviceId: '15f3',
    subsystemVendorId: '1aaa',
    subsystemId: '0005',
    classCode: '020000',
    className: 'Ethernet controller',
    name: 'Acme Corp Fast NIC',
    driver: null,
    parent: '0000:00:1c.0',
    path: '0000:00/1c.0/00.0',
    networkInterfaces: [{ name: 'enp2s0', permanentMac: '00:50:b6:12:34:56' }],
  })
  expect(deviceOf(host, '0000:00:17.0').disks).toEqual([
    { name: 'sda', model: 'Spin_4T', serial: 'S-1', wwn: '0x5000c500a1b2c3d4' },
  ])
  expect(deviceOf(host, '0000:00:1c.0')).toMatchObject({ classCode: '060400', driver: 'pcieport' })
})

const config = 'aa1af315060010000300000210000000' + '0'.repeat(96)
const recording = `P: /devices/pci0000:00/0000:00:1c.0
E: DRIVER=pcieport
E: PCI_ID=1AAA:0C10
E: SUBSYSTEM=pci
A: class=0x060400\\n
A: device=0x0c10\\n
A: vendor=0x1aaa\\n
L: driver=../../../bus/pci/drivers/pcieport
L: iommu=../../virtual/iommu/dmar0
L: iommu_group=../../../kernel/iommu_groups/4

P: /devices/pci0000:00/0000:00:1c.0/0000:02:00.0
E: PCI_CLASS=20000
E: PCI_ID=1AAA:15F3
E: PCI_SUBSYS_ID=1AAA:0005
E: SUBSYSTEM=pci
H: config=${config.toUpperCase()}
A: numa_node=1\\n
A: reset_method=flr bus\\n
L: iommu_group=../../../../kernel/iommu_groups/5
`

test('a umockdev recording is read as the tree it was', () => {
  const host = readText(recording)
  expect(host.source).toEqual({ kind: 'umockdev', name: 'pasted' })
  expect(groupsOf(host)).toEqual({ 4: '00:1c.0', 5: '02:00.0' })
  expect(host.iommu.state).toBe('on')
  expect(deviceOf(host, '0000:02:00.0')).toMatchObject({
    vendorId: '1aaa',
    deviceId: '15f3',
    subsystemId: '0005',
    classCode: '020000',
    config,
    numaNode: 1,
    resetMethods: ['flr', 'bus'],
    driver: null,
    iommuGroup: 5,
    parent: '0000:00:1c.0',
  })
  expect(deviceOf(host, '0000:00:1c.0').driver).toBe('pcieport')
})

const nodedev = `<device>
  <name>pci_0000_02_00_0</name>
  <path>/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0</path>
  <parent>pci_0000_00_1c_0</parent>
  <driver><name>anic</name></driver>
  <capability type='pci'>
    <class>0x020000</class>
    <domain>0</domain><bus>2</bus><slot>0</slot><function>0</function>
    <product id='0x15f3'>Fast NIC &amp; more</product>
    <vendor id='0x1aaa'>Acme Corp</vendor>
    <capability type='virt_functions' maxCount='8'><address domain='0x0000' bus='0x02' slot='0x10' function='0x0'/></capability>
    <iommuGroup number='5'>
      <address domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
      <address domain='0x0000' bus='0x02' slot='0x00' function='0x1'/>
    </iommuGroup>
    <numa node='1'/>
    <pci-express><link validity='cap' port='0' speed='8' width='4'/><link validity='sta' speed='2.5' width='1'/></pci-express>
  </capability>
</device>
<device>
  <name>net_enp2s0_00_50_b6_12_34_56</name>
  <path>/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/net/enp2s0</path>
  <parent>pci_0000_02_00_0</parent>
  <capability type='net'><interface>enp2s0</interface><address>00:50:b6:12:34:56</address></capability>
</device>
`

test('virsh nodedev-dumpxml, one document after the other, the last one cut', () => {
  const host = readText(`${nodedev}<device><name>pci_0000_03_00_0</name><capability type='pci'><dom`)
  expect(host.source.kind).toBe('nodedev')
  expect(deviceOf(host, '0000:02:00.0')).toEqual({
    address: '0000:02:00.0',
    vendorId: '1aaa',
    deviceId: '15f3',
    classCode: '020000',
    name: 'Acme Corp Fast NIC & more',
    driver: 'anic',
    iommuGroup: 5,
    numaNode: 1,
    parent: '0000:00:1c.0',
    path: '0000:00/1c.0/00.0',
    sriov: { totalVfs: 8, numVfs: 1 },
    link: { maxSpeed: '8.0 GT/s', maxWidth: 4, speed: '2.5 GT/s', width: 1 },
    networkInterfaces: [{ name: 'enp2s0', mac: '00:50:b6:12:34:56' }],
  })
  expect(groupsOf(host)).toEqual({ 5: '02:00.0 02:00.1' })
  expect(host.findings.map((f) => f.message)).toContain(
    '1 <device> elements cannot be parsed and are left out',
  )
})

const number = (value: number, name?: string) => ({
  hex: value.toString(16).padStart(4, '0'),
  value,
  ...(name === undefined ? {} : { name }),
})
const report = {
  version: 1,
  virtualisation: 'none',
  hardware: {
    bridge: [
      {
        index: 7,
        attached_to: 0,
        bus_type: number(4, 'PCI'),
        base_class: number(6),
        sub_class: number(4, 'PCI bridge'),
        vendor: number(0x1aaa),
        device: number(0xc10),
        sysfs_bus_id: '0000:00:1c.0',
        sysfs_iommu_group_id: 4,
        detail: { header_type: 1, secondary_bus: 2 },
        driver: 'pcieport',
      },
    ],
    network_controller: [
      {
        index: 8,
        attached_to: 7,
        bus_type: number(4, 'PCI'),
        base_class: number(2),
        sub_class: number(0, 'Ethernet controller'),
        vendor: number(0x1aaa, 'Acme Corp'),
        device: number(0x15f3, 'Fast NIC'),
        sub_vendor: number(0x1aaa),
        sub_device: number(5),
        revision: number(3),
        sysfs_bus_id: '0000:02:00.0',
        sysfs_iommu_group_id: 5,
        driver_modules: ['anic'],
      },
      { bus_type: number(4, 'PCI'), sysfs_bus_id: 'not an address' },
      null,
    ],
    network_interface: [
      {
        sysfs_id: '/class/net/enp2s0',
        sysfs_device_link: '/devices/pci0000:00/0000:00:1c.0/0000:02:00.0',
      },
    ],
    disk: [
      {
        sysfs_id: '/class/block/sda',
        sysfs_device_link: '/devices/pci0000:00/0000:00:1c.0/ata1/host0',
        model: 'Spin 4T',
        serial: 'S-1',
      },
    ],
    cpu: [{ vendor_name: 'AuthenticAMD', features: ['fpu', 'svm'] }],
    usb: 'not a list',
  },
  smbios: { board: { manufacturer: 'Acme', product: 'MB-7' } },
}

test('a nixos-facter report, whole, in a page, and cut off', () => {
  const host = readText(JSON.stringify(report, undefined, 2))
  expect(host.source.kind).toBe('facter')
  expect(host.machine).toBe('Acme MB-7')
  expect(host.cpu).toEqual({ isGuest: false, vendor: 'AuthenticAMD', virtualisation: 'svm' })
  expect(deviceOf(host, '0000:00:1c.0').disks).toEqual([{ name: 'sda', model: 'Spin 4T', serial: 'S-1' }])
  expect(deviceOf(host, '0000:02:00.0')).toEqual({
    address: '0000:02:00.0',
    vendorId: '1aaa',
    deviceId: '15f3',
    subsystemVendorId: '1aaa',
    subsystemId: '0005',
    classCode: '020000',
    className: 'Ethernet controller',
    name: 'Acme Corp Fast NIC',
    revision: '03',
    driver: null,
    modules: ['anic'],
    iommuGroup: 5,
    parent: '0000:00:1c.0',
    path: '0000:00/1c.0/00.0',
    networkInterfaces: [{ name: 'enp2s0' }],
  })
  expect(readText(`# My box\n\`\`\`json\n${JSON.stringify(report, undefined, 2)}\n\`\`\`\n`).devices).toEqual(
    host.devices,
  )
  const text = JSON.stringify(report)
  const cut = readText(text.slice(0, text.indexOf('"not an address"')))
  expect(cut.devices.map((d) => d.address)).toEqual(['0000:00:1c.0', '0000:02:00.0'])
  expect(cut.findings.map((f) => f.message)).toContain('pasted is cut off; what follows the cut is not known')
})

const tree: Readonly<Record<string, string>> = {
  'sys/devices/pci0000:00/0000:00:1c.0/vendor': '0x1aaa\n',
  'sys/devices/pci0000:00/0000:00:1c.0/device': '0x0c10\n',
  'sys/devices/pci0000:00/0000:00:1c.0/class': '0x060400\n',
  'sys/devices/pci0000:00/0000:00:1c.0/iommu_group': '-> ../../../kernel/iommu_groups/4',
  'sys/bus/pci/devices/0000:00:1c.0': '-> ../../../devices/pci0000:00/0000:00:1c.0',
  'sys/kernel/iommu_groups/4/devices/0000:00:1c.0': '-> ../../../../devices/pci0000:00/0000:00:1c.0',
  'proc/cmdline': 'ro quiet intel_iommu=on\n',
}

describe('trees', () => {
  test.each([
    ['.tar', tarOf(tree)],
    ['.tar.gz', gzipSync(tarOf(tree))],
    [
      '.tar.gz made of a folder',
      gzipSync(tarOf(Object.fromEntries(Object.entries(tree).map(([path, text]) => [`box/${path}`, text])))),
    ],
    [
      '.tar.gz made inside /sys',
      gzipSync(
        tarOf(
          Object.fromEntries(
            Object.entries(tree).flatMap(([path, text]) =>
              path.startsWith('sys/') ? [[path.slice(4), text]] : [],
            ),
          ),
        ),
      ),
    ],
    [
      '.tar with ./ names',
      tarOf(Object.fromEntries(Object.entries(tree).map(([path, text]) => [`./${path}`, text]))),
    ],
    ['.tar with pax names', tarOf(tree, 'pax')],
    ['.tar with GNU long names', tarOf(tree, 'gnu')],
  ])('%s', (title, bytes) => {
    const host = readText(bytes)
    expect(host).toMatchObject({
      source: { kind: 'sysfs' },
      iommu: { state: 'on' },
      kernel: title.endsWith('/sys') ? {} : { cmdline: 'ro quiet intel_iommu=on' },
    })
    expect(deviceOf(host, '0000:00:1c.0')).toMatchObject({
      vendorId: '1aaa',
      classCode: '060400',
      iommuGroup: 4,
      path: '0000:00/1c.0',
    })
  })

  test('a folder', () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'handover-import-'))
    for (const [path, text] of Object.entries(tree)) {
      fs.mkdirSync(join(root, path, '..'), { recursive: true })
      if (text.startsWith('-> ')) fs.symlinkSync(text.slice(3), join(root, path))
      else fs.writeFileSync(join(root, path), text)
    }
    const reading = readHostFrom({ name: 'box', folder: root }, importSystem)
    expect(reading).toMatchObject({ ok: true, host: { source: { kind: 'sysfs', name: 'box' } } })
    const inside = readHostFrom({ name: 'sys', folder: join(root, 'sys') }, importSystem)
    expect(inside).toMatchObject({
      ok: true,
      host: { devices: [{ address: '0000:00:1c.0', path: '0000:00/1c.0', iommuGroup: 4 }] },
    })
    fs.rmSync(join(root, 'sys/bus'), { recursive: true })
    expect(readHostFrom({ name: 'box', folder: root }, importSystem)).toMatchObject({
      ok: false,
      error: { message: 'box is a folder without sys/bus/pci/devices in it', exitCode: 2 },
    })
    fs.rmSync(root, { recursive: true })
  })

  test('links that leave the tree, run in circles or name folders upwards stay inside', () => {
    const host = readText(
      tarOf({
        ...tree,
        'sys/bus/pci/devices/0000:00:1d.0': '-> ../../../../../../../etc',
        'sys/bus/pci/devices/0000:00:1e.0': '-> 0000:00:1e.0',
        '../outside': 'x',
      }),
    )
    expect(deviceOf(host, '0000:00:1c.0').vendorId).toBe('1aaa')
    expect(deviceOf(host, '0000:00:1e.0').vendorId).toBeUndefined()
  })

  test('zeros that tar put after the 64 bytes an ordinary user may read are no configuration space', () => {
    const bytes = Buffer.alloc(256)
    Buffer.from('aa1a02 8c 0704 1000 05010601'.replaceAll(' ', ''), 'hex').copy(bytes)
    bytes[0x34] = 0x40
    const archive = tarOf({ ...tree, 'sys/devices/pci0000:00/0000:00:1c.0/config': bytes.toString('latin1') })
    expect(deviceOf(readText(archive), '0000:00:1c.0').config).toHaveLength(128)
  })

  test('a cut archive gives what it holds, and says so', () => {
    const bytes = tarOf({ ...tree, 'etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n'.repeat(40) })
    const host = readText(bytes.subarray(0, bytes.length - 1800))
    expect(deviceOf(host, '0000:00:1c.0').vendorId).toBe('1aaa')
    expect(host.findings.map((f) => f.message)).toContain('the archive is cut off')
  })

  test('a file that is cut off, or too large, counts as unreadable and never as a shorter file', () => {
    const fstab = '/dev/sda1 / ext4 defaults 0 1\n'.repeat(40)
    const whole = tarOf({ 'sys/x': 'y', 'etc/fstab': fstab })
    expect(treeReader(readTar(whole).tree).readText('/etc/fstab')).toEqual({ ok: true, value: fstab })
    const cut = readTar(whole.subarray(0, 2048))
    expect(treeReader(cut.tree).readText('/etc/fstab')).toMatchObject({ ok: false, reason: 'unreadable' })
    const large = readTar(tarOf({ 'sys/x': 'y', 'proc/self/mountinfo': 'x'.repeat(4 * 1024 * 1024 + 1) }))
    expect(treeReader(large.tree).readText('/proc/self/mountinfo', 16 << 20)).toEqual({
      ok: false,
      reason: 'too-large',
    })
  })
})

describe('refused, with a reason and a way out', () => {
  const refusal = (bytes: Uint8Array) => {
    const reading = readHostFrom({ name: 'it', bytes }, importSystem)
    return reading.ok ? 'read' : `${reading.error.exitCode} ${reading.error.message}`
  }
  const text = (words: string) => new TextEncoder().encode(words)
  test.each([
    ['nothing', text(''), '2 it is empty'],
    [
      'prose',
      text('My IOMMU does not work, please help.\n'),
      '2 it states nothing about PCI functions or IOMMU groups',
    ],
    [
      'a program',
      new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0]),
      '2 it is not text and not an archive',
    ],
    ['xz', new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), '2 it is packed with xz'],
    [
      'damaged gzip',
      new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
      '2 it is damaged: gzip cannot unpack it',
    ],
    [
      'an archive of something else',
      tarOf({ 'home/notes.txt': 'x' }),
      '2 it is an archive without sys/bus/pci/devices in it',
    ],
    [
      'other JSON',
      text('{"hardware": 7, "version": 1}'),
      '2 it states nothing about PCI functions or IOMMU groups',
    ],
  ])('%s', (_title, bytes, message) => {
    expect(refusal(bytes)).toBe(message)
  })

  test('more text than any listing has, and gzip that unpacks without end', () => {
    expect(refusal(new Uint8Array(textCap + 1).fill(0x41))).toBe('2 it is larger than 64 MiB of text')
    expect(refusal(gzipSync(new Uint8Array(300 * 1024 * 1024), { level: 1 }))).toBe(
      '2 it unpacks to more than 256 MiB',
    )
  })
})

describe('a part of a nodedev dump', () => {
  const part = `  <capability type='pci'>
    <domain>0</domain><bus>6</bus><slot>0</slot><function>1</function>
    <product id='0x0200'>Fast Port</product><vendor id='0x1aaa'>Acme</vendor>
    <iommuGroup number='9'><address domain='0x0000' bus='0x06' slot='0x00' function='0x1'/></iommuGroup>
  </capability>
`
  test('is read, and its driver is not stated', () => {
    const host = readText(`look at this:\n${part}\nand this:\n${part.replace('<function>1', '<function>0')}`)
    expect(host.source.kind).toBe('nodedev')
    expect(host.devices.map((d) => d.address)).toEqual(['0000:06:00.0', '0000:06:00.1'])
    expect(deviceOf(host, '0000:06:00.1')).toMatchObject({ deviceId: '0200', iommuGroup: 9 })
    expect(deviceOf(host, '0000:06:00.1').driver).toBeUndefined()
  })
  test('that breaks off is refused', () => {
    expect(() => readText(part.slice(0, 90))).toThrow()
  })
})

const physical = (virtual: string) => `<device><name>pci_0000_06_00_0</name>
<path>/sys/devices/pci0000:00/0000:00:02.0/0000:06:00.0</path><parent>pci_0000_00_02_0</parent>
<capability type='pci'><class>0x020000</class><domain>0</domain><bus>6</bus><slot>0</slot><function>0</function>
<product id='0x0200'/><vendor id='0x1aaa'/>${virtual}
<iommuGroup number='9'><address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></iommuGroup></capability></device>`
const vf = (slot: string) => `<address domain='0x0000' bus='0x06' slot='0x${slot}' function='0x0'/>`

describe('virtual functions of node devices', () => {
  test('that exist are counted and numbered, with or without a maximum', () => {
    for (const [attribute, totalVfs] of [
      ['', undefined],
      [" maxCount='8'", 8],
    ] as const) {
      const host = readText(
        physical(`<capability type='virt_functions'${attribute}>${vf('10')}${vf('11')}</capability>`),
      )
      expect(deviceOf(host, '0000:06:00.0').sriov).toEqual({ numVfs: 2, ...(totalVfs ? { totalVfs } : {}) })
      expect(deviceOf(host, '0000:06:11.0')).toEqual({
        address: '0000:06:11.0',
        physFn: '0000:06:00.0',
        vfNumber: 1,
        path: '0000:00/02.0/00.0/vf1',
      })
    }
  })
  test('that could be made are none', () => {
    const host = readText(physical("<capability type='virt_functions' maxCount='8'/>"))
    expect(deviceOf(host, '0000:06:00.0').sriov).toEqual({ totalVfs: 8, numVfs: 0 })
    expect(host.devices).toHaveLength(1)
  })
})
