/**
 * The text form of home.lock, which records the identity of every assigned device. `handover lock` writes it
 * and `plan` compares it; plan/follow-lock.ts decides what a difference means.
 *
 *     version: 1
 *     devices:
 *       firewall/wan:
 *         wanted: { class: nic, card: quad }
 *         address: 0000:05:00.0      # for people; never compared
 *         path: 0000:00/1c.4/00.0
 *         ...
 */
import { defined } from '../base/defined.ts'
import { LineCounter, parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import type { Finding } from '../base/finding.ts'
import type { WholeIdentity } from '../pci/identity.ts'
import type { DeviceSelector } from './spec.ts'

export type LockedDevice = {
  readonly vm: string
  readonly role: string
  /** The selector that found the device. If the role has another selector now, its device is chosen again. */
  readonly wanted: DeviceSelector
  readonly address: string
  readonly name?: string
  readonly identity: WholeIdentity
  /**
   * Paths of other devices of the same kind when the lock was written. A device at one of these paths is not
   * the locked device.
   */
  readonly twins?: readonly string[]
}

export type Lock = { readonly version: 1; readonly devices: readonly LockedDevice[] }

const text = z.string().max(512)
const list = z.array(text).max(4096)
const entrySchema = z.object({
  wanted: z.record(text, z.union([text, z.number()])),
  address: text,
  name: text.optional(),
  twins: list.optional(),
  path: text,
  vendorId: text,
  deviceId: text,
  subsystemVendorId: text.optional(),
  subsystemId: text.optional(),
  classCode: text.optional(),
  revision: text.optional(),
  deviceSerialNumber: text.optional(),
  macs: list.optional(),
  nvmeSerial: text.optional(),
  sasAddress: text.optional(),
  vpdSerial: text.optional(),
  diskSerials: list.optional(),
  physicalSlot: text.optional(),
})
const lockSchema = z.object({
  version: z.literal(1),
  devices: z.record(z.string().regex(/^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*$/), entrySchema),
})

const maxCharacters = 4 * 1024 * 1024

/** A lock that cannot be read is an error: without it the plan could choose other devices than before. */
export function parseLock(source: string, file: string): { lock?: Lock; findings: readonly Finding[] } {
  if (source.length > maxCharacters) return broken(file, 'it is larger than 4 MiB')
  const lines = new LineCounter()
  try {
    const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
    const [error] = document.errors
    if (error) return broken(file, error.message.split('\n')[0] ?? '', lines.linePos(error.pos[0]).line)
    const parsed = lockSchema.safeParse(document.toJS({ maxAliasCount: 0 }))
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      return broken(file, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not a lock'}`)
    }
    const devices = Object.entries(parsed.data.devices).map(
      ([key, { wanted, address, name, twins, ...identity }]): LockedDevice => {
        const [vm = '', role = ''] = key.split('/')
        // By its type zod's result may hold undefined; a parsed file never does.
        return {
          vm,
          role,
          wanted,
          address,
          ...defined({ name }),
          identity: identity as WholeIdentity,
          ...defined({ twins }),
        }
      },
    )
    return { lock: { version: 1, devices }, findings: [] }
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof ReferenceError)) throw error
    return broken(file, 'it is nested too deeply or uses aliases')
  }
}

export function formatLock(lock: Lock): string {
  const devices = Object.fromEntries(
    lock.devices
      .toSorted((a, b) => compareText(a.vm, b.vm) || compareText(a.role, b.role))
      .map(({ vm, role, wanted, address, name, identity, twins }) => [
        `${vm}/${role}`,
        {
          wanted,
          address,
          ...defined({ name }),
          ...identity,
          ...defined({ twins }),
        },
      ]),
  )
  const head =
    '# Written by `handover lock`: who the devices of the spec are. Keep it beside the spec.\n' +
    '# Before anything is bound, the device at hand is compared with this; bus numbers are never compared.\n'
  // Ids such as "0010" or "1e10" must stay texts, so every text is quoted.
  return (
    head +
    stringify(
      { version: 1, devices },
      {
        defaultStringType: 'QUOTE_DOUBLE',
        defaultKeyType: 'PLAIN',
        lineWidth: 0,
        aliasDuplicateObjects: false,
      },
    )
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function broken(file: string, why: string, line = 1): { findings: readonly Finding[] } {
  return {
    findings: [
      {
        code: 'lock-unreadable',
        severity: 'error',
        message: `the lock cannot be read: ${why}`,
        help: 'restore its last good version, or remove it, read the plan and run handover lock',
        at: { file, line, column: 1 },
      },
    ],
  }
}
