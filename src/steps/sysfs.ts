/**
 * Writes one kernel attribute and reads it again. For an attribute of a device, the identity is checked
 * first.
 */
import { z } from 'zod'
import { addressSchema } from '../base/address-schema.ts'
import { AppError } from '../base/errors.ts'
import type { Reader, System } from '../machine/system.ts'
import { readBootId } from './boot-id.ts'
import { refuseOther } from './check-identity.ts'
import { findElsewhere } from './elsewhere.ts'
import { stepKind, type Past, type Standing, type Undone } from './kind.ts'
import { absolutePath, identity, text } from './parts.ts'
import { functionsOf } from './read-functions.ts'
import { unreadable } from './unreadable.ts'
import { findVfioUse } from './vfio-use.ts'

const schema = z.object({
  kind: z.literal('sysfs'),
  path: absolutePath,
  before: text,
  after: text,
  /** The device is checked before the write. */
  of: z.exactOptional(
    z.object({ address: addressSchema, identity }).describe('the device whose attribute it is'),
  ),
  /**
   * The kernel may give less than asked (nr_hugepages). A number between the two states counts as half-way.
   */
  partial: z.exactOptional(z.literal(true).describe('the kernel may give less than asked')),
  /**
   * `virtual-functions`: the step creates the virtual functions of a card, or removes all of them. The kernel
   * accepts another number only when there are none (drivers/pci/iov.c, `sriov_numvfs_store`).
   */
  purpose: z.exactOptional(z.literal('virtual-functions')),
  why: text,
})

export type SysfsStep = Readonly<z.infer<typeof schema>>

export const sysfs = stepKind(schema, {
  object: ({ path }) => path,
  words: ({ path, before, after }) => `${path}: ${before.trim()} → ${after.trim()}`,
  wordsBefore: ({ path, before }) => `${path}: ${before.trim()}`,
  planned: ({ path, before, after }) => `${path}  ${before || '""'} → ${after || '""'}`,
  standing,
  perform,
  undo,
  device: ({ of }) => of,
  inUse: (system, step, now) => (now.kind === 'before' ? [] : findFunctionHolders(system, step)),
})

/** Making 63 virtual functions, or zeroing some hundred gigabytes of pages, takes seconds. */
const attributeSeconds = 120

async function perform(system: System, step: SysfsStep): Promise<void> {
  if (step.of) refuseOther(system, step.of.address, step.of.identity)
  const holders = findFunctionHolders(system, step)
  if (holders.length > 0)
    throw new AppError(holders.join('\n'), { help: 'stop the virtual machines first: handover down' })
  await write(system, step)
  const now = standing(system, step)
  if (now.kind === 'after') return
  const read = system.readText(step.path, 65_536)
  const is = read.ok ? read.value.trim() : 'unreadable'
  if (step.partial && Number(step.after) < Number(step.before))
    throw new AppError(`${step.path} is still ${is}, not ${step.after.trim()}: pages are in use`, {
      help: 'stop the virtual machines first: handover down',
    })
  if (step.partial)
    throw new AppError(`${step.path}: the kernel gave ${is} of ${step.after.trim()}`, {
      help: step.of
        ? 'the card or its driver does not support more: ask for fewer'
        : 'the free memory is fragmented; try again soon after a boot, or ask for fewer pages',
    })
  throw new AppError(
    `${step.path} is not as written${'difference' in now ? `: ${now.difference}` : ' when read again'}`,
  )
}

async function write(system: System, step: SysfsStep): Promise<void> {
  if (!step.of && !step.partial) return system.writeAttribute(step.path, step.after)
  try {
    await system.writeAttributeWithin(step.path, step.after, attributeSeconds)
  } catch (error) {
    if (!(error instanceof AppError) || step.purpose !== 'virtual-functions') throw error
    throw new AppError(error.message, {
      help:
        `see the driver's reason in the kernel log: dmesg | grep ${step.of?.address ?? ''}; if it lacks ` +
        'memory space or bus numbers, switch on SR-IOV and "Above 4G Decoding" in the firmware setup',
      cause: error,
    })
  }
}

/**
 * One line for each virtual function of this card that a virtual machine or a driver of the host uses.
 * Changing their number removes them all, and the kernel waits inside that write until none is in use.
 */
function findFunctionHolders(system: System, step: SysfsStep): string[] {
  if (step.of === undefined || step.purpose !== 'virtual-functions') return []
  return functionsOf(system, step.of.address).flatMap(({ address }) => {
    const use = findVfioUse(system, address)
    if (use !== undefined) return [use]
    const bound = system.readLink(`/sys/bus/pci/devices/${address}/driver`)
    const driver = bound.ok ? bound.value.split('/').at(-1) : undefined
    if (driver === undefined || driver === 'vfio-pci') return []
    return [
      `${address} has driver ${driver}, so the host may use it: echo ${address} > ` +
        `/sys/bus/pci/drivers/${driver}/unbind`,
    ]
  })
}

function standing(reader: Reader, step: SysfsStep): Standing {
  const read = reader.readText(step.path, 65_536)
  if (!read.ok) {
    if (read.reason !== 'absent') return unreadable(step.path, read)
    return { kind: 'gone', difference: `${step.path} is not there` }
  }
  const value = read.value.trim()
  if (value === step.after.trim()) return { kind: 'after' }
  if (value === step.before.trim()) return { kind: 'before' }
  const [low, high] = [Number(step.before), Number(step.after)].toSorted((a, b) => a - b)
  if (step.partial && Number(value) > (low ?? 0) && Number(value) < (high ?? 0)) return { kind: 'between' }
  return { kind: 'drifted', difference: `${step.path} holds ${quote(value)}, expected ${quote(step.before)}` }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

async function undo(system: System, { bootId }: Past, step: SysfsStep): Promise<Undone> {
  const now = standing(system, step)
  if (now.kind === 'before') return { restored: true }
  const elsewhere = step.of && findElsewhere(system, bootId, step.of)
  if (elsewhere) return elsewhere
  if (now.kind === 'gone' && bootId !== readBootId(system))
    return { restored: true, note: `${step.path}: the reboot cleared the setting` }
  if (now.kind === 'drifted' || now.kind === 'gone') return { restored: false, note: now.difference }
  await perform(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}
