/**
 * Schemas that several step kinds share. They check journals, which may be damaged, edited by hand or
 * hostile.
 */
import { z } from 'zod'
import type { Identity } from '../pci/identity.ts'

export const text = z.string()
export const mode = z.int().min(0).max(0o7777)
export const absolutePath = z.string().regex(/^\/[^\0]*$/)

const optional = z.exactOptional(text)
const texts = z.exactOptional(z.array(text).readonly())

/** A device's place without bus numbers, its ids, and all its serials. Unknown members are absent. */
export const identity: z.ZodType<Identity> = z.looseObject({
  path: z.exactOptional(text.describe('root bus, then slot.function at each step down: 0000:00/1c.0/00.0')),
  vendorId: optional,
  deviceId: optional,
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
