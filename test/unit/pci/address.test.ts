import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import {
  addressParts,
  compareAddresses,
  formatAddress,
  parseAddress,
  type PciAddress,
} from '../../../src/pci/address.ts'
import { at } from '../../support/host-builder.ts'

describe('PCI addresses', () => {
  it.each([
    ['0000:01:00.0', '0000:01:00.0'],
    ['01:00.0', '0000:01:00.0'],
    ['0000:0A:1F.7', '0000:0a:1f.7'],
    ['10000:e1:00.0', '10000:e1:00.0'],
  ])('reads %s as %s', (text, canonical) => expect(parseAddress(text)).toBe(canonical))

  it.each(['', '01:00', '01:00.8', '01:20.0', '1:00.0', '0000:01:00.0 ', 'eth0', '000:01:00.0'])(
    'refuses %j',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  )

  it('keeps wide domains and sorts them last', () => {
    const vmd = at('10000:e1:00.0')
    const plain = at('0000:ff:1f.7')
    expect(addressParts(vmd).domain).toBe(0x10000)
    expect([vmd, plain].toSorted(compareAddresses)).toEqual([plain, vmd])
  })

  it('sorts by their numbers, whatever the width of the domain', () => {
    const numbers = fc.record({
      domain: fc.oneof(fc.nat(3), fc.nat(0xfffff)),
      bus: fc.nat(0xff),
      slot: fc.nat(0x1f),
      function: fc.nat(7),
    })
    const inNumbers = (a: PciAddress, b: PciAddress) => {
      const [x, y] = [addressParts(a), addressParts(b)]
      return Math.sign(x.domain - y.domain || x.bus - y.bus || x.slot - y.slot || x.function - y.function)
    }
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        const [a, b] = [formatAddress(one), formatAddress(other)]
        expect(Math.sign(compareAddresses(a, b))).toBe(inNumbers(a, b))
      }),
    )
  })
})
