/** `status --json`: the VMs of the plan in force, and those that run. */
import { z } from 'zod'
import type { Checked } from '../app/check.ts'
import type { VmStatus } from '../app/status.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { difference, differenceDocument, goodBoot, goodDocument } from './check.ts'
import { text, version, type Document } from './document.ts'

const functions = z.array(z.object({ role: text, address }))
const started = text.describe('ISO 8601')
const accelerator = z.enum(['kvm', 'tcg'])

export const vmRecord = z.object({ ...version, name: text, pid: z.int(), accelerator, started, functions })

const vm = z.object({
  ...version,
  name: text,
  state: z.enum(['running', 'starting', 'waiting', 'stopping', 'failed', 'stopped']),
  functions,
  pid: z.optional(z.int()).describe('this and the next three: of what runs'),
  accelerator: z.optional(accelerator),
  started: z.optional(started),
  consoleSocket: z.optional(text),
  service: z.optional(
    z.object({ said: text.describe('what it waits for'), restarts: z.int().describe('by systemd') }),
  ),
  cause: z.optional(
    z.object({
      cause: text,
      proof: text.describe('a command that shows whether it is so, and changes nothing'),
      remedy: z.array(text).describe('the safest first'),
    }),
  ),
  lastLine: text.describe('the last line of its console'),
})

const changes = z.object({
  lastGood: goodBoot,
  differences: z.array(difference),
  unreadable: z.optional(text).describe('why the last good boot is not known'),
})

export const statusSchema = z.object({
  ...version,
  vms: z.array(vm),
  changes: z.optional(changes).describe('since the last good boot, as this boot was recorded'),
})

export type StatusDocument = Document<typeof statusSchema>

export function statusDocument(vms: readonly VmStatus[], changes?: Checked): StatusDocument {
  return {
    schema: 1,
    ...(changes === undefined ? {} : { changes: changesDocument(changes) }),
    vms: vms.map(({ record, service, cause, ...vm }) => ({
      schema: 1,
      ...vm,
      ...(cause === undefined ? {} : { cause: { ...cause, remedy: [...cause.remedy] } }),
      ...(record === undefined
        ? {}
        : { pid: record.pid, accelerator: record.accelerator, started: record.started }),
      ...(service === undefined ? {} : { service: { said: service.said, restarts: service.restarts } }),
    })),
  }
}

function changesDocument({ good, differences }: Checked): StatusDocument['changes'] {
  return {
    lastGood: goodDocument(good),
    differences: differences.map(differenceDocument),
    ...(good.kind === 'unreadable' ? { unreadable: good.reason } : {}),
  }
}
