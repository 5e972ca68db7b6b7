/** Kernel logs with every prefix; the last assignment wins, what left the machine is gone. */
import { describe, expect, test } from 'vitest'
import { deviceOf, groupsOf, readText } from './reading.ts'

const lines = [
  'Linux version 6.10.3-acme (build@box) #1 SMP',
  'Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro intel_iommu=on iommu=pt',
  'DMI: Acme Boards Model 7/MB-7, BIOS 1.2 01/02/2031',
  'ACPI: DMAR 0x000000007A2B3000 000088 (v01 ACME   BOARD    00000001      01000013)',
  'DMAR: IOMMU enabled',
  'DMAR: RMRR base: 0x0000007b800000 end: 0x0000007fffffff',
  'DMAR-IR: Enabled IRQ remapping in x2apic mode',
  'iommu: Default domain type: Passthrough (set via kernel command line)',
  'pci 0000:00:00.0: [1aaa:3e30] type 00 class 0x060000 conventional PCI endpoint',
  'pci 0000:00:1c.0: [1aaa:a338] type 01 class 0x060400 PCIe Root Port',
  'pci 0000:00:1c.0: PCI bridge to [bus 02-03]',
  'pci 0000:02:00.0: [1aaa:15f3] type 00 class 0x020000 PCIe Endpoint',
  'pci 0000:02:00.0: BAR 0 [mem 0xf7d00000-0xf7dfffff]',
  'pci 0000:02:00.0: BAR 2 [mem 0x383fe0000000-0x383fe3ffffff 64bit pref]',
  'pci 0000:02:00.0: ROM [mem 0xf7e00000-0xf7e0ffff pref]',
  'pci 0000:00:00.0: Adding to iommu group 0',
  'pci 0000:00:1c.0: Adding to iommu group 1',
  'pci 0000:02:00.0: Adding to iommu group 2',
  'platform AMDI0020:00: Adding to iommu group 3',
]

const wanted = { 0: '00:00.0', 1: '00:1c.0', 2: '02:00.0', 3: 'AMDI0020:00' }

describe('one log behind every prefix', () => {
  test.each<readonly [string, (line: string, index: number) => string]>([
    ['dmesg', (line, i) => `[    ${i}.444760] ${line}`],
    ['dmesg without times', (line) => line],
    ['dmesg -T', (line) => `[Sa Apr  5 10:11:12 2031] ${line}`],
    ['dmesg -x', (line) => `kern  :info  : [    0.444760] ${line}`],
    ['serial console', (line) => `<6>[    0.444760] ${line}\r`],
    ['syslog', (line) => `Apr  5 10:11:12 box kernel: [    0.444760] ${line}`],
    ['journalctl -k', (line) => `Apr 05 10:11:12 box kernel: ${line}`],
    ['journalctl -o short-iso', (line) => `2031-04-05T10:11:12+0200 box kernel: ${line}`],
    ['with caller', (line) => `[    0.444760][    T1] ${line}`],
    ['numbered by grep', (line, i) => `${i}:[    0.4] ${line}`],
    ['quoted', (line) => `> [    0.4] ${line}`],
    ['colours', (line) => `\u001b[32m[    0.444760] \u001b[0m${line}\u001b[0m`],
  ])('%s', (_title, wrap) => {
    const host = readText(lines.map(wrap).join('\n'))
    expect(groupsOf(host)).toEqual(wanted)
    expect(host).toMatchObject({
      source: { kind: 'kernel-log' },
      machine: 'Acme Boards Model 7/MB-7, BIOS 1.2 01/02/2031',
      kernel: {
        release: '6.10.3-acme',
        cmdline: 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro intel_iommu=on iommu=pt',
      },
      iommu: {
        state: 'on',
        kind: 'intel',
        interruptRemapping: true,
        dmar: '',
        defaultDomain: 'Passthrough',
        firmwareRegions: [{ start: '7b800000', end: '7fffffff' }],
      },
    })
    expect(deviceOf(host, '0000:02:00.0')).toEqual({
      address: '0000:02:00.0',
      vendorId: '1aaa',
      deviceId: '15f3',
      classCode: '020000',
      headerType: 0,
      portType: 'endpoint',
      parent: '0000:00:1c.0',
      path: '0000:00/1c.0/00.0',
      iommuGroup: 2,
      facts: { depth: 'none', headerType: 0, portType: 'endpoint' },
      bars: [
        { index: 0, kind: 'memory', base: 'f7d00000', size: 1_048_576, is64Bit: false, prefetchable: false },
        {
          index: 2,
          kind: 'memory',
          base: '383fe0000000',
          size: 67_108_864,
          is64Bit: true,
          prefetchable: true,
        },
        { index: 6, kind: 'rom', base: 'f7e00000', size: 65_536 },
      ],
    })
    expect(deviceOf(host, '0000:00:1c.0')).toMatchObject({
      headerType: 1,
      portType: 'rootPort',
      secondaryBus: 2,
      subordinateBus: 3,
    })
  })
})

test('kernels before 5.4 say it otherwise', () => {
  const host = readText(
    '[0.1] iommu: Adding device 0000:00:02.0 to group 0\n[0.1] iommu: Adding device 0000:01:00.0 to group 1\n[9.0] iommu: Removing device 0000:01:00.0 from group 1\n[0.0] pci 0000:00:02.0: reg 0x10: [mem 0xf0000000-0xf7ffffff 64bit pref]',
  )
  expect(groupsOf(host)).toEqual({ 0: '00:02.0' })
  expect(host.devices).toHaveLength(1)
})

test('the last assignment wins, a removed function is dropped, a hot-plugged one joins', () => {
  const host = readText(
    [
      'pci 0000:01:00.0: Adding to iommu group 1',
      'pci 0000:02:00.0: Adding to iommu group 2',
      'pci 0000:02:00.0: Removing from iommu group 2',
      'pci 0000:03:00.0: Adding to iommu group 1',
      'Linux version 6.10.3-acme (crash kernel)',
      'pci 0000:01:00.0: Adding to iommu group 7',
    ].join('\n'),
  )
  expect(groupsOf(host)).toEqual({ 1: '03:00.0', 7: '01:00.0' })
})

test('a log line broken by a mail is joined', () => {
  expect(
    groupsOf(
      readText(
        '[ 0.4] pci 0000:01:00.0: Adding to iommu group\n14\n[ 0.4] pci 0000:02:00.0: Adding to iommu group 15',
      ),
    ),
  ).toEqual({ 14: '01:00.0', 15: '02:00.0' })
})

test('words about an IOMMU without groups are no proof that it is on', () => {
  const host = readText(
    '[0.1] DMAR: IOMMU enabled\n[0.2] pci 0000:00:02.0: [1aaa:0001] type 00 class 0x030000\n[0.2] AMD-Vi: AMD IOMMUv2 functionality not available on this system',
  )
  expect(host.iommu).toEqual({ state: 'unknown', kind: null })
})

describe('the boot display', () => {
  const card = (address: string) => `[    0.3] pci ${address}: [1bbb:1401] type 00 class 0x030000\n`
  const cards = card('0000:03:00.0') + card('0000:0a:00.0')
  const vgaarb = (address: string, words = '') =>
    `[    0.4] pci ${address}: vgaarb: setting as boot VGA device${words}\n`
  test('is the one named last, and a need of the host', () => {
    const host = readText(cards + vgaarb('0000:03:00.0') + vgaarb('0000:0a:00.0', ' (overriding previous)'))
    expect(host.devices.map(({ bootVga }) => bootVga)).toEqual([false, true])
    expect(host.needs).toEqual([
      { kind: 'display', what: 'boot display', chain: [], device: '0000:0a:00.0', weight: 'vital' },
    ])
  })
  test('is known where only its line is there, from any driver and in the words of old kernels', () => {
    const bootOf = (text: string) => deviceOf(readText(text), '0000:03:00.0').bootVga
    expect(bootOf(vgaarb('0000:03:00.0'))).toBe(true)
    expect(bootOf('[    2.0] bolt 0000:03:00.0: vgaarb: setting as boot VGA device\n')).toBe(true)
    expect(bootOf('[    0.4] vgaarb: setting as boot device: PCI:0000:03:00.0\n')).toBe(true)
    expect(
      bootOf(`${card('0000:03:00.0')}[    0.4] pci 0000:03:00.0: vgaarb: bridge control possible\n`),
    ).toBeUndefined()
  })
})

test('a function with a bus below it is a bridge, though nothing else is said of it', () => {
  const host = readText(
    '[    1.0] pci 0000:00:1d.0: PCI bridge to [bus 05-06]\n[    1.5] iommu: Adding device 0000:00:1d.0 to group 5\n[    1.5] iommu: Adding device 0000:05:00.0 to group 6\n[    1.7] pci 0000:00:1d.0: PCI bridge to [bus 05-06]\n',
  )
  expect(deviceOf(host, '0000:00:1d.0').headerType).toBe(1)
  expect(deviceOf(host, '0000:05:00.0')).toMatchObject({ parent: '0000:00:1d.0', path: '0000:00/1d.0/00.0' })
})
