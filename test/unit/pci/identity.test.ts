/** Absent ids and places are no ids and places: nothing is like them, and nothing is found by them. */
import { expect, it } from 'vitest'
import { parseAddress } from '../../../src/pci/address.ts'
import { compareIdentity, isSameKind } from '../../../src/pci/compare-identity.ts'
import { indexDevices, isWhole, pathOf } from '../../../src/pci/identity.ts'
import type { PciDevice } from '../../../src/pci/device.ts'

const at = (text: string) =>
  parseAddress(text) ??
  (() => {
    throw new Error(text)
  })()

it('what states no ids is like nothing', () => {
  expect(isSameKind({ vendorId: '1aaa', deviceId: '0001' }, { vendorId: '1aaa', deviceId: '0001' })).toBe(
    true,
  )
  expect(isSameKind({ vendorId: '1aaa' }, { vendorId: '1aaa' })).toBe(false)
  expect(isSameKind({}, {})).toBe(false)
})

it('a serial proves it is the same where no place is stated', () => {
  const serial = { deviceSerialNumber: '0011223344556677' }
  expect(compareIdentity({ ...serial, path: '0000:00/1c.0/00.0' }, serial)).toBe('same')
  expect(
    compareIdentity({ ...serial, path: '0000:00/1c.0/00.0' }, { ...serial, path: '0000:00/1d.0/00.1' }),
  ).toBe('other')
})

it('is whole with a place and ids', () => {
  expect(isWhole({ path: '0000:00/02.0', vendorId: '1aaa', deviceId: '0001' })).toBe(true)
  expect(isWhole({ path: '0000:00/02.0', vendorId: '1aaa' })).toBe(false)
  expect(isWhole({ vendorId: '1aaa', deviceId: '0001' })).toBe(false)
})

it('a walk up that ends at a bus other than 0 has found no place', () => {
  const port: PciDevice = { address: at('00:1c.0') }
  const below: PciDevice = { address: at('03:00.0'), parent: port.address }
  const alone: PciDevice = { address: at('04:00.0') }
  const index = indexDevices([port, below, alone])
  expect(pathOf(below, index)).toBe('0000:00/1c.0/00.0')
  expect(pathOf(alone, index)).toBeUndefined()
})
