/** Parts that the schemas of several step kinds share. A journal may be torn, edited by hand or hostile. */
import { z } from 'zod'
import { parseAddress, type PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'

export const text = z.string()
export const mode = z.int().min(0).max(0o7777)
export const absolutePath = z.string().regex(/^\/[^\0]*$/)

/** Canonical, as the kernel writes it. */
export const address = z.custom<PciAddress>(
  (value) => typeof value === 'string' && parseAddress(value) === value,
  'not a PCI address',
)

const optional = z.exactOptional(text)
const texts = z.exactOptional(z.array(text).readonly())

/** Recorded with a place and ids: without them nothing tells one device from another. */
export const identity: z.ZodType<Identity> = z.looseObject({
  path: text,
  vendorId: text,
  deviceId: text,
  subsystemVendorId: optional,
  subsystemId: optional,
  classCode: optional,
  revision: optional,
  deviceSerialNumber: optional,
  macs: texts,
  nvmeSerial: optional,
  sasAddress: optional,
  vpdSerial: optional,
  diskSerials: texts,
  physicalSlot: optional,
})
