import { z } from 'zod'
import { parseAddress, type PciAddress } from '../pci/address.ts'

/** A PCI address in a document or a record, in the form that the kernel uses. */
export const addressSchema = z
  .string()
  .regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/)
  .describe('PCI address: domain, bus, slot and function, such as 0000:01:00.0')
  .transform((value, context): PciAddress => {
    const parsed = parseAddress(value)
    if (parsed !== undefined) return parsed
    context.addIssue('not a PCI address')
    return z.NEVER
  })
