/** Who a device is: its place without bus numbers, its ids, and every serial it has. What is not known is absent. */
import { z } from 'zod'
import { text, texts } from './document.ts'

export const identity = z.object({
  path: z.optional(text).describe('root bus, then slot.function at each step down: 0000:00/1c.0/00.0'),
  vendorId: z.optional(text),
  deviceId: z.optional(text),
  subsystemVendorId: z.optional(text),
  subsystemId: z.optional(text),
  classCode: z.optional(text),
  revision: z.optional(text),
  deviceSerialNumber: z.optional(text),
  macs: z.optional(texts),
  nvmeSerial: z.optional(text),
  sasAddress: z.optional(text),
  vpdSerial: z.optional(text),
  diskSerials: z.optional(texts),
  physicalSlot: z.optional(text),
})
