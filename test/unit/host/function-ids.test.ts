import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { idsOf, ueventValue, type KnownIds } from '../../../src/host/read/function-ids.ts'

const nothing = () => undefined
const hex16 = fc.nat(0xffff).map((n) => n.toString(16).toUpperCase().padStart(4, '0'))

describe('who a function is', () => {
  it('is in its uevent, as the kernel writes it', () => {
    const text =
      'DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:1521\nPCI_SUBSYS_ID=8086:00A1\nPCI_SLOT_NAME=0000:01:00.0'
    expect(ueventValue(text, 'DRIVER')).toBe('igb')
    expect(ueventValue('PCI_CLASS=20000', 'DRIVER')).toBeUndefined()
    expect(idsOf(nothing, text, undefined, new Map())).toEqual({
      vendorId: '8086',
      deviceId: '1521',
      subsystemVendorId: '8086',
      subsystemId: '00a1',
      classCode: '020000',
    })
  })

  it('does not depend on the order of the lines, nor on who was asked before', () => {
    const entry = fc.record({
      vendor: fc.constantFrom('8086', '10DE'),
      device: hex16,
      subsystem: fc.constantFrom('8086:0001', '10DE:0002'),
      classCode: fc.constantFrom('20000', '60400'),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 2, maxLength: 6 }), (entries) => {
        const known: KnownIds = new Map()
        for (const { vendor, device, subsystem, classCode, order } of entries) {
          const lines = [
            'DRIVER=x',
            `PCI_CLASS=${classCode}`,
            `PCI_ID=${vendor}:${device}`,
            `PCI_SUBSYS_ID=${subsystem}`,
            'PCI_SLOT_NAME=0000:01:00.0',
          ]
          const text = order.map((at) => lines[at]).join('\n')
          expect(idsOf(nothing, text, undefined, known)).toEqual({
            vendorId: vendor.toLowerCase(),
            deviceId: device.toLowerCase(),
            subsystemVendorId: subsystem.slice(0, 4).toLowerCase(),
            subsystemId: subsystem.slice(5),
            classCode: `0${classCode}`,
          })
        }
      }),
    )
  })

  it('is asked of single files where the uevent does not say', () => {
    const files: Record<string, string> = {
      vendor: '0x8086',
      device: '0x10d3',
      class: '0x020000',
      revision: '0x02',
    }
    const ids = { vendorId: '8086', deviceId: '10d3', classCode: '020000', revision: '02' }
    for (const uevent of [undefined, '', 'PCI_ID=zz:1', 'PCI_CLASS=20000\nPCI_SUBSYS_ID=:'])
      expect(idsOf((name) => files[name], uevent, undefined, new Map())).toEqual(ids)
  })
})
