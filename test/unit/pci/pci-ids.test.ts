import { describe, expect, it } from 'vitest'
import { codeWords } from '../../../src/pci/class-code.ts'
import {
  findClassName,
  findDeviceName,
  findFullName,
  findVendorName,
  openPciIds,
} from '../../../src/pci/pci-ids.ts'

const text = `# comment
0e11  Compaq Computer Corporation
	1521  Not the I350
8086  Intel Corporation
# a comment in the middle
	1521  I350 Gigabit Network Connection
		8086 0001  Ethernet Server Adapter I350-T4
		108e 7b16  Quad Port GbE PCIe 2.0 ExpressModule, UTP
	1522  I350 Gigabit Fiber Network Connection
8088  Beijing Wangxun Technology Co., Ltd.
	0100  WX1860AL-W Gigabit Ethernet Controller

C 02  Network controller
	00  Ethernet controller
	80  Network controller
C 0c  Serial bus controller
	03  USB controller
		30  XHCI
`

describe('pci.ids', () => {
  const ids = openPciIds(text)
  it('finds a vendor, a device and both together', () => {
    expect(findVendorName(ids, '8086')).toBe('Intel Corporation')
    expect(findDeviceName(ids, '8086', '1521')).toBe('I350 Gigabit Network Connection')
    expect(findDeviceName(ids, '0e11', '1521')).toBe('Not the I350')
    expect(findFullName(ids, '8086', '1522')).toBe('Intel Corporation I350 Gigabit Fiber Network Connection')
    expect(findFullName(ids, '8086', 'dead')).toBe('Intel Corporation Device dead')
  })

  it('does not look into the next vendor', () => {
    expect(findDeviceName(ids, '8086', '0100')).toBeUndefined()
    expect(findDeviceName(ids, '8088', '0100')).toMatch(/^WX1860/)
  })

  it('names classes, and falls back to the base class', () => {
    expect(findClassName(ids, '020000')).toBe('Ethernet controller')
    expect(findClassName(ids, '0c0330')).toBe('USB controller')
    expect(findClassName(ids, '02ff00')).toBe('Network controller')
    expect(findClassName(ids, 'ff0000')).toBeUndefined()
  })

  it('finds nothing for what is no id, and nothing in an empty or foreign text', () => {
    for (const id of ['', 'zzzz', '80', '\n8086', '8086  ']) expect(findVendorName(ids, id)).toBeUndefined()
    expect(findVendorName(openPciIds(''), '8086')).toBeUndefined()
    expect(findVendorName(openPciIds('8086  Intel'), '8086')).toBe('Intel')
    expect(findVendorName(openPciIds('8086  Intel\r\n\t1521  I350\r\n'), '8086')).toBe('Intel')
  })
})

describe('class words without pci.ids', () => {
  it.each([
    ['020000', 'Ethernet controller'],
    ['010802', 'NVMe controller'],
    ['030000', 'VGA controller'],
    ['0c0330', 'USB controller'],
    ['0155ff', 'storage controller'],
    ['ff0000', 'device'],
    [undefined, 'device'],
  ])('%s is %s', (code, expected) => {
    expect(codeWords(code === undefined ? {} : { classCode: code })).toBe(expected)
  })
})
