/** Parts that the schemas of several step kinds share. A journal may be torn, edited by hand or hostile. */
import { z } from 'zod'
import { parseAddress, type PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'

export const text = z.string()
export const mode = z.int().min(0).max(0o7777)
export const absolutePath = z.string().regex(/^\/[^\0]*$/)

/** Canonical, as the kernel writes it. */
export const address = z
  .string()
  .regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/)
  .describe('PCI address: domain, bus, slot and function, such as 0000:01:00.0')
  .transform((value, context): PciAddress => {
    const parsed = parseAddress(value)
    if (parsed !== undefined) return parsed
    context.addIssue('not a PCI address')
    return z.NEVER
  })

const optional = z.exactOptional(text)
const texts = z.exactOptional(z.array(text).readonly())

/**
 * Who a device is: its place without bus numbers, its ids, and every serial it has. What is not known is
 * absent.
 */
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
