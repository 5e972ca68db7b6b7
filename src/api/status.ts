/** `status --json`: the VMs that run. */
import { z } from 'zod'
import type { VmStatus } from '../app/status.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { text, version, type Document } from './document.ts'

export const vmRecord = z.object({
  ...version,
  name: text,
  pid: z.int(),
  accelerator: z.enum(['kvm', 'tcg']),
  started: text.describe('ISO 8601'),
  functions: z.array(z.object({ role: text, address })),
})

const vm = vmRecord.extend({ consoleSocket: text, lastLine: text.describe('the last line of its console') })

export const statusSchema = z.object({ ...version, vms: z.array(vm) })

export type StatusDocument = Document<typeof statusSchema>

export function statusDocument(vms: readonly VmStatus[]): StatusDocument {
  return { schema: 1, vms }
}
