/**
 * What a listing does not state is not in the Host: no programming interface, no root bus, no place, no
 * identity.
 */
import { describe, expect, it } from 'vitest'
import { identityOf, indexDevices } from '../../../../src/pci/identity.ts'
import { deviceOf, readText } from './reading.ts'

const classOf = (text: string, address = '0000:03:00.0') => deviceOf(readText(text), address).classCode

describe('the programming interface', () => {
  it('is not stated by -nn, -n and words', () => {
    expect(classOf('03:00.0 SATA controller [0106]: Acme Hub [1aaa:0106] (rev 01)\n')).toBe('0106')
    expect(classOf('03:00.0 0106: 1aaa:0106 (rev 01)\n')).toBe('0106')
    expect(classOf('03:00.0 SATA controller: Acme Hub (rev 01)\n')).toBe('0106')
    expect(classOf('IOMMU Group 4 03:00.0 [1aaa:0106] SATA controller [0106]\n')).toBe('0106')
    expect(classOf('03:00.0 "SATA controller" "Acme" "Hub" -r01\n')).toBe('0106')
  })
  it('is stated where it is printed', () => {
    expect(classOf('03:00.0 SATA controller [0106]: Acme Hub [1aaa:0106] (prog-if 01 [AHCI 1.0])\n')).toBe(
      '010601',
    )
    expect(classOf('03:00.0 "SATA controller" "Acme" "Hub" -r01 -p01\n')).toBe('010601')
    expect(classOf('Slot:\t03:00.0\nClass:\tSATA controller\nProgIf:\t01\n')).toBe('010601')
  })
  it('is 00 where -v leaves it out', () => {
    expect(classOf('03:00.0 Ethernet controller: Acme Port\n\tFlags: bus master, fast devsel\n')).toBe(
      '020000',
    )
  })
  it('is kept when a shorter listing follows', () => {
    const log = '[    0.3] pci 0000:03:00.0: [1aaa:0108] type 00 class 0x010802\n'
    expect(classOf(`${log}03:00.0 Non-Volatile memory controller [0108]: Fast SSD [1aaa:0108]\n`)).toBe(
      '010802',
    )
    expect(classOf(`${log}03:00.0 RAID bus controller [0104]: Other [1aaa:0104]\n`)).toBe('0104')
  })
  it('wraps to the next line with the ids', () => {
    expect(
      classOf('03:00.0 SATA controller [0106]: Acme\n Long Name [1aaa:0106] (prog-if 01 [AHCI])\n'),
    ).toBe('010601')
  })
})

const port = '00:1c.0 PCI bridge [0604]: Acme Port [1aaa:0c10] (prog-if 00 [Normal decode])\n'
const buses = '\tFlags: fast devsel\n\tBus: primary=00, secondary=03, subordinate=03, sec-latency=0\n'
const first = '00:00.0 Host bridge [0600]: Acme Root [1aaa:0000]\n\tFlags: fast devsel\n'
const card = (bus: string) =>
  `${bus}:00.0 Ethernet controller [0200]: Acme Port [1aaa:0200]\n\tFlags: fast devsel\n`
const pathOf = (text: string, address: string) => deviceOf(readText(text), address).path

describe('the place', () => {
  it('of a line cut out of a listing is not known', () => {
    expect(pathOf(card('07'), '0000:07:00.0')).toBeUndefined()
    expect(pathOf(port + buses + card('07'), '0000:07:00.0')).toBeUndefined()
  })
  it('on bus 0 and below its bridges is known', () => {
    expect(pathOf(port + buses + card('03'), '0000:03:00.0')).toBe('0000:00/1c.0/00.0')
    expect(pathOf(card('00'), '0000:00:00.0')).toBe('0000:00/00.0')
  })
  it('on a second root bus is known from a whole listing, from a root port, a log or a path of sysfs', () => {
    expect(pathOf(first + port + buses + card('80'), '0000:80:00.0')).toBe('0000:80/00.0')
    const rootPort = '80:02.0 PCI bridge [0604]: A [1aaa:0c11]\n\tFlags: fast devsel\n'
    const express =
      '\tBus: primary=80, secondary=85, subordinate=85\n\tCapabilities: [40] Express (v2) Root Port (Slot+)\n'
    expect(pathOf(rootPort + express + card('85'), '0000:85:00.0')).toBe('0000:80/02.0/00.0')
    const log =
      '[    0.3] PCI host bridge to bus 0000:80\n[    0.3] pci 0000:80:05.0: [1aaa:0200] type 00 class 0x088000\n'
    expect(pathOf(log, '0000:80:05.0')).toBe('0000:80/05.0')
    const bare = '/sys/kernel/iommu_groups/5/devices/0000:41:00.0\n'
    const link = bare + '/sys/class/net/lan0 -> ../../devices/pci0000:40/0000:40:01.0/0000:41:00.0/net/lan0\n'
    expect(pathOf(link, '0000:41:00.0')).toBe('0000:40/01.0/00.0')
    expect(pathOf(`${link}41:00.1 Ethernet controller [0200]: A [1aaa:0200]\n`, '0000:41:00.1')).toBe(
      '0000:40/01.0/00.1',
    )
  })
  it('in a domain of VMD begins at its controller, where a path of sysfs names it', () => {
    const path =
      '/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0\n10000:e1:00.0 0108: 1ddd:0001\n'
    expect(pathOf(path, '10000:e1:00.0')).toBe('0000:00/0e.0/10000:e0/06.0/00.0')
    expect(
      pathOf('[    1.0] pci 10000:e0:06.0: [1aaa:0c10] type 01 class 0x060400\n', '10000:e0:06.0'),
    ).toBeUndefined()
  })
})

it('an identity holds what is stated and nothing else', () => {
  const { devices } = readText(
    '05:00.0 Ethernet controller: Acme Port (rev 02)\n\tKernel driver in use: anic\n',
  )
  const [device] = devices
  expect(device && identityOf(device, indexDevices(devices))).toEqual({ classCode: '0200', revision: '02' })
})
