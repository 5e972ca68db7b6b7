/** Forms of other tools: each is read, or refused by its name with the command to run in its place. */
import { describe, expect, test } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import { deviceOf, groupsOf, readText } from './reading.ts'

const verdictOf = (text: string, address: string) =>
  judgeHost(readText(text)).devices.find((one) => (one.address as string) === address)?.verdict

describe('pvesh get /nodes/NODE/hardware/pci', () => {
  const row = (...cells: readonly string[]) => `│ ${cells.join(' │ ')} │\n`
  const table =
    '┌────┐\n' +
    row('class   ', 'device', 'id          ', 'iommugroup', 'vendor', 'device_name', 'vendor_name') +
    '╞════╡\n' +
    row('0x010601', '0x0106', '0000:03:00.0', '        12', '0x1aaa', 'Disk Hub   ', 'Acme Corp  ') +
    row('        ', '      ', '            ', '          ', '      ', 'with Ports ', '           ') +
    row('0x020000', '0x0200', '0000:04:00.0', '        -1', '0x1aaa', 'Fast Port  ', 'Acme Corp  ')
  test('as a table', () => {
    const host = readText(`root@pve:~# pvesh get /nodes/pve/hardware/pci\n${table}└────┘\n`)
    expect(host.source.kind).toBe('pvesh')
    expect(groupsOf(host)).toEqual({ 12: '03:00.0' })
    expect(deviceOf(host, '0000:03:00.0')).toMatchObject({
      vendorId: '1aaa',
      deviceId: '0106',
      classCode: '010601',
      name: 'Acme Corp Disk Hub',
    })
    expect(deviceOf(host, '0000:04:00.0').iommuGroup).toBe(null)
    expect(deviceOf(host, '0000:03:00.0').driver).toBeUndefined()
  })
  test('as a table of bars, in a paste with a listing', () => {
    const host = readText(
      `${table.replaceAll('│', '|')}\n$ lspci -nnk -s 03:00.0\n03:00.0 0106: 1aaa:0106\n\tKernel driver in use: ahci\n`,
    )
    expect(deviceOf(host, '0000:03:00.0')).toMatchObject({
      iommuGroup: 12,
      driver: 'ahci',
      classCode: '010601',
    })
  })
  const one = (id: string, group: number | string) =>
    `{"class":"0x020000","device":"0x0200","id":"${id}","iommugroup":${group},"vendor":"0x1aaa","vendor_name":"Acme","device_name":"Port","subsystem_device":"0x0001","subsystem_vendor":"0x1bbb"}`
  test('as JSON, with ids of four digits only', () => {
    const host = readText(
      `[${one('0000:04:00.0', 7).replace('0x1aaa', '0x1aaaaa')},${one('0000:05:00.0', 8)}]`,
    )
    expect(deviceOf(host, '0000:04:00.0')).not.toHaveProperty('vendorId')
    expect(deviceOf(host, '0000:04:00.0')).toMatchObject({ deviceId: '0200', classCode: '020000' })
  })
  test('as JSON, whole and cut off', () => {
    const host = readText(
      `$ pvesh get … --output-format json\n[${one('0000:04:00.0', 7)},${one('0000:05:00.0', '"8"')}]`,
    )
    expect(host.source.kind).toBe('pvesh')
    expect(groupsOf(host)).toEqual({ 7: '04:00.0', 8: '05:00.0' })
    expect(deviceOf(host, '0000:04:00.0')).toMatchObject({ name: 'Acme Port', subsystemVendorId: '1bbb' })
    const cut = readText(`[${one('0000:04:00.0', 7)},${one('0000:05:00.0', 8).slice(0, 40)}`)
    expect(cut.devices).toHaveLength(1)
    expect(cut.findings.some(({ message }) => message.includes('cut off'))).toBe(true)
  })
  test('as a table without borders', () => {
    const host = readText(
      'class    device id           iommugroup vendor\n0x020000 0x0200 0000:04:00.0 7          0x1aaa Fast Port\n',
    )
    expect(host.source.kind).toBe('pvesh')
    expect(deviceOf(host, '0000:04:00.0')).toMatchObject({
      deviceId: '0200',
      iommuGroup: 7,
      classCode: '020000',
    })
  })
  test('without any group the IOMMU is off', () => {
    expect(readText(`[${one('0000:04:00.0', -1)}]`).iommu.state).toBe('off')
  })
})

describe('hwinfo --pci', () => {
  const block = (address: string, more = '') => `17: PCI 300.0: 0106 SATA controller (AHCI 1.0)
  [Created at pci.386]
  Unique ID: abcd.1234567890
  SysFS ID: /devices/pci0000:00/0000:00:1c.0/${address}
  SysFS BusID: ${address}
  Model: "Acme Disk Hub"
  Vendor: pci 0x1aaa "Acme Corp"
  Device: pci 0x106 "Disk Hub"
  SubVendor: pci 0x1bbb "Bolt"
  SubDevice: pci 0x0007
  Revision: 0x05
${more}  Config Status: cfg=new, avail=yes
`
  test('states ids, class, driver and place', () => {
    const more =
      '  Driver: "ahci"\n  Driver Modules: "ahci"\n  Module Alias: "pci:v00001AAAd00000106sv00001BBBsd00000007bc01sc06i01"\n'
    const host = readText(
      `${block('0000:03:00.0', more)}18: PCI 1f.3: 0403 Audio device\n  SysFS BusID: 0000:00:1f.3\n  Driver: "sound"\n`,
    )
    expect(host.source.kind).toBe('hwinfo')
    expect(deviceOf(host, '0000:03:00.0')).toEqual({
      address: '0000:03:00.0',
      vendorId: '1aaa',
      deviceId: '0106',
      subsystemVendorId: '1bbb',
      subsystemId: '0007',
      classCode: '010601',
      className: 'SATA controller',
      name: 'Acme Corp Disk Hub',
      revision: '05',
      driver: 'ahci',
      modules: ['ahci'],
      parent: '0000:00:1c.0',
      path: '0000:00/1c.0/00.0',
    })
    expect(deviceOf(host, '0000:00:1f.3')).toMatchObject({ classCode: '0403', driver: 'sound' })
  })
  test('names interfaces, and two machines are told apart', () => {
    const net =
      '4: PCI 400.0: 0200 Ethernet controller\n  SysFS BusID: 0000:04:00.0\n  Device: pci 0x0200 "P"\n  Device File: lan4\n'
    expect(deviceOf(readText(net), '0000:04:00.0').networkInterfaces).toEqual([{ name: 'lan4' }])
    expect(readText(net + net.replace('0x0200', '0x0201')).twoMachines).toContain('0201')
  })
})

describe('dpdk-devbind.py --status', () => {
  const text = `Network devices using DPDK-compatible driver
============================================
0000:08:00.0 'Fast Port for 10GbE 0200' drv=vfio-pci unused=anic

Network devices using kernel driver
===================================
0000:09:00.0 'Slow Port 0201' if=lan0 drv=bnic unused=vfio-pci *Active*
0000:09:00.1 'Slow Port 0201' if=lan1 drv=bnic unused=vfio-pci

Other Network devices
=====================
0000:0a:00.0 'Old Port 0202' unused=cnic,vfio-pci
`
  test('states drivers, interfaces and routes', () => {
    const host = readText(text)
    expect(host.source.kind).toBe('devbind')
    expect(host.devices.map(({ driver }) => driver)).toEqual(['vfio-pci', 'bnic', 'bnic', null])
    expect(deviceOf(host, '0000:09:00.0')).toMatchObject({
      name: 'Slow Port',
      deviceId: '0201',
      networkInterfaces: [{ name: 'lan0' }],
    })
    expect(host.needs.map(({ device, kind }) => [device, kind])).toEqual([['0000:09:00.0', 'network']])
    expect(verdictOf(text, '0000:09:00.0')).toBe('refused')
  })
})

describe('lshw -json', () => {
  const disk = (mounted: string) =>
    `{"id":"disk","class":"disk","logicalname":"/dev/sdx","product":"Fast Disk","serial":"S1","children":[{"id":"volume:0","class":"volume","logicalname":["/dev/sdx2","/srv"],"configuration":{${mounted}}}]}`
  const hub = (mounted: string) =>
    `{"id":"sata","class":"storage","businfo":"pci@0000:03:00.0","description":"SATA controller","product":"Disk Hub [1AAA:106F]","vendor":"Acme [1AAA]","version":"05","configuration":{"driver":"ahci"},"children":[${disk(mounted)}]}`
  const bridge = (inner: string) =>
    `{"id":"pci:0","class":"bridge","businfo":"pci@0000:00:1c.0","description":"PCI bridge","configuration":{"driver":"pcieport"},"children":[${inner}]}`
  test('whole, with what hangs on the functions', () => {
    const host = readText(
      `$ lshw -json -numeric\n{"id":"box","class":"system","businfo":"x","children":[${bridge(hub('"state":"mounted"'))}]}`,
    )
    expect(host.source.kind).toBe('lshw')
    expect(deviceOf(host, '0000:03:00.0')).toMatchObject({
      vendorId: '1aaa',
      deviceId: '106f',
      classCode: '0106',
      name: 'Acme Disk Hub',
      driver: 'ahci',
      parent: '0000:00:1c.0',
      disks: [{ name: 'sdx', model: 'Fast Disk', serial: 'S1' }],
    })
    expect(host.needs).toEqual([
      {
        kind: 'disk',
        what: '/srv',
        mountPoint: '/srv',
        chain: ['sdx2', 'sdx'],
        device: '0000:03:00.0',
        weight: 'vital',
      },
    ])
  })
  test('of one device, and as a list', () => {
    expect(readText(hub('')).needs).toEqual([])
    expect(deviceOf(readText(`[${hub('')}]`), '0000:03:00.0').driver).toBe('ahci')
  })
})

describe('what hangs on a controller is listed below it', () => {
  const page = (keyboard: string) => `PCI Devices and IOMMU Groups

IOMMU group 5:\t[1aaa:0107] 03:00.0 Serial Attached SCSI controller: Acme SAS
\t\t[2:0:0:0] disk ATA FASTDISK-8000 A1 /dev/sdf 8.00TB
\t\t[N:0:4:1] disk Fast Drive__1 /dev/nvme2n1 1.00TB
IOMMU group 6:\t[1aaa:0c03] 07:00.0 USB controller: Acme USB
\t\tBus 003 Device 001 Port 3-0\tID 1d6b:0002 Linux Foundation 2.0 root hub
\t\tBus 003 Device 005 Port 3-2\tID 1eee:0001 Bolt Corp. Tiny Stick
${keyboard}IOMMU group 7:\t[1aaa:0c03] 08:00.0 USB controller: Acme USB
\t\tBus 004 Device 001 Port 4-0\tID 1d6b:0003 Linux Foundation 3.0 root hub

SCSI Devices
[0:0:0:0] disk Bolt Tiny Stick 1.00 /dev/sda 15.3GB
[1:0:0:0] disk ATA Unrelated 1.00 /dev/sdq 4.00TB
`
  const keys = '\t\tBus 003 Device 006 Port 3-4\tID 1eee:0002 Bolt Corp. Model K Keyboard\n'
  test('disks and sticks are disks of the controller, those of another section are not', () => {
    const host = readText(page(''))
    expect(deviceOf(host, '0000:03:00.0').disks).toEqual([
      { name: 'sdf', model: 'ATA FASTDISK-8000 A1', sizeBytes: 8e12 },
      { name: 'nvme2n1', model: 'Fast Drive__1', sizeBytes: 1e12 },
    ])
    expect(deviceOf(host, '0000:07:00.0').disks?.map(({ name }) => name)).toEqual(['sda'])
    expect(deviceOf(host, '0000:08:00.0').disks).toBeUndefined()
    expect(host.needs).toEqual([])
  })
  test('a keyboard is a need of the host; of two, the other one stays', () => {
    expect(readText(page(keys)).needs).toEqual([
      {
        kind: 'input',
        what: 'keyboard',
        chain: ['Bolt Corp. Model K Keyboard', 'usb 3-4'],
        device: '0000:07:00.0',
        weight: 'vital',
      },
    ])
    expect(verdictOf(page(keys), '0000:07:00.0')).toBe('refused')
    const other = '\t\tBus 004 Device 002 Port 4-1\tID 1eee:0002 Bolt Corp. Model K Keyboard\n\nSCSI Devices'
    const both = readText(page(keys).replace('\nSCSI Devices', other))
    expect(both.needs.map(({ redundant }) => redundant)).toEqual([
      { set: 'keyboards', others: ['0000:08:00.0'] },
      { set: 'keyboards', others: ['0000:07:00.0'] },
    ])
  })
  test('a controller that Unraid calls bound to vfio is', () => {
    const host = readText(
      'IOMMU group 6:\t[1aaa:0c03] 07:00.0 USB controller: Acme USB\n\tThis controller is bound to vfio, connected USB devices are not visible.\nIOMMU group 7:\t[1aaa:0c03] 08:00.0 USB controller: Acme USB\n',
    )
    expect(host.devices.map(({ driver }) => driver)).toEqual(['vfio-pci', undefined])
  })
  test('lsusb of its own hangs on nothing', () => {
    const host = readText(
      `07:00.0 USB controller [0c03]: Acme [1aaa:0c03]\n\n$ lsusb\n${keys.trim().replace('Port 3-4\t', '')}\n`,
    )
    expect(host.needs).toEqual([])
  })
})

describe('is refused by its name', () => {
  test.each([
    ['lspci -t', '-[0000:00]-+-00.0\n           +-01.0-[01]----00.0\n', 'lspci -t', 'lspci -nnvvv'],
    ['two domains of lspci -tv', '-+-[10000:e0]-+-06.0-[e1]----00.0  Fast SSD\n', 'lspci -t', 'lspci -nnvvv'],
    [
      'TrueNAS',
      '{"pci_0000_03_00_0": {"capability": {"class": "0x010601"}, "iommu_group": {"number": 3}}}',
      'TrueNAS',
      'lspci -nnk',
    ],
    [
      'GPUs of TrueNAS',
      '[{"addr": {"pci_slot": "0000:01:00.0"}, "available_to_host": true}]',
      'TrueNAS',
      'lspci -nnk',
    ],
    [
      'YAML of pvesh',
      "- class: '0x010802'\n  id: 0000:02:00.0\n  iommugroup: 15\n",
      'pvesh',
      '--output-format json',
    ],
    ['a card of incus', 'Card 0:\n    PCI address: 0000:06:00.0\n', 'incus', 'lspci -nnk'],
    ['midclt with an error', '$ midclt call vm.device.pptdev_choices\n[]\n', 'midclt', 'lspci -nnk'],
    [
      'incus',
      'System:\n  UUID: x\n\nCPU:\n  Architecture: x86_64\n\nGPU:\n  Vendor: Bolt (1bbb)\n  PCI address: 0000:01:00.0\n',
      'incus',
      'lspci -nnk',
    ],
    [
      'lshw',
      '  *-network\n       description: Ethernet interface\n       bus info: pci@0000:03:00.0\n',
      'lshw',
      'lshw -json',
    ],
    [
      'lshw -businfo',
      'Bus info          Device  Class\n===\npci@0000:03:00.0  lan0    network    Port\n',
      'lshw -businfo',
      'lshw -json',
    ],
    ['nodedev-list', 'pci_0000_03_00_0\npci_0000_03_00_1\n', 'nodedev-list', 'nodedev-dumpxml'],
    [
      'a domain',
      "<domain type='kvm'><devices><hostdev mode='subsystem' type='pci'/></devices></domain>",
      'domain of libvirt',
      'lspci -nnk',
    ],
    [
      'a cut nodedev',
      "<device>\n <name>pci_0000_03_00_0</name>\n <capability type='pci'>\n",
      'nodedev',
      'virsh nodedev-dumpxml',
    ],
    ['a VM of Proxmox', 'boot: order=scsi0\nhostpci0: 0000:03:00.0,pcie=1\n', 'Proxmox', 'pvesh get'],
    ['pciconf', 'em0@pci0:3:0:0:\tclass=0x020000 rev=0x00\n', 'pciconf', 'lspci -nnk'],
    ['lsusb', 'Bus 001 Device 002: ID 1eee:0001 Bolt Corp. Stick\n', 'lsusb', 'lspci -nnk'],
  ])('%s', (_, text, name, run) => {
    const refusal = refusalOf(text)
    expect(refusal?.message).toContain(name)
    expect(refusal?.help).toContain(run)
    expect(refusal?.message).not.toContain('states nothing')
  })
  test('not when a listing is there as well', () => {
    const host = readText('-[0000:00]-+-00.0\n           \\-1f.0\n\n03:00.0 0200: 1aaa:0200\n')
    expect(host.devices).toHaveLength(1)
  })
})

function refusalOf(text: string): { readonly message: string; readonly help?: string } | undefined {
  try {
    readText(text)
    return undefined
  } catch (error) {
    return error as { message: string; help?: string }
  }
}
