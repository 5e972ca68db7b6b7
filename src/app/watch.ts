/**
 * The update watch at work: makes the record of this boot before its first VM starts, compares it with the
 * last good one, and keeps those VMs down that a difference makes unsafe (docs/decisions/0024).
 */
import { readLastApplied, type JournalRecord } from '../apply/journal.ts'
import { defined } from '../base/defined.ts'
import { AppError, messageOf } from '../base/errors.ts'
import { engine } from '../engines/engines.ts'
import { readFirmware } from '../host/read/read-firmware.ts'
import { readHost } from '../host/read/read-host.ts'
import type { Reader, System } from '../machine/system.ts'
import { slotOf } from '../pci/address.ts'
import type { Spec } from '../spec/spec.ts'
import { readBootId } from '../steps/boot-id.ts'
import { compareBoots, unsafeFor, type Difference } from '../watch/compare.ts'
import { recordOf, type BootRecord, type GivenFunction } from '../watch/record.ts'
import {
  bootFolder,
  findBoot,
  findLastGood,
  listBoots,
  markGood,
  readBootRecord,
  writeBootRecord,
  type RecordRead,
} from './boot-records.ts'
import { readInForce } from './in-force.ts'

/** The last good boot before this one. */
export type LastGood =
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly record: BootRecord }
  /** There is one, or there may be one, and it cannot be compared with. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly isDenied?: true }

export function readLastGood(reader: Reader): LastGood {
  const listed = listBoots(reader)
  if (!listed.ok) return { ...listed, kind: 'unreadable' }
  const good = findLastGood(listed.boots, readBootId(reader))
  if (good === undefined) return { kind: 'none' }
  const read = readBootRecord(reader, good)
  return read.ok ? { kind: 'known', record: read.record } : { ...read, kind: 'unreadable' }
}

/** What the plan in force gives to VMs. What is taken along goes with the function of its slot. */
export function givenBy({ assignments, takenAlong }: JournalRecord, { vms }: Spec): GivenFunction[] {
  const isOptional = (vm: string, role: string) =>
    vms.some(({ name, devices }) => name === vm && devices.some((one) => one.role === role && one.optional))
  const assigned = assignments.map(({ vm, role, address }) => ({
    ...{ vm, address },
    ...(isOptional(vm, role) ? { optional: true as const } : {}),
  }))
  const along = takenAlong.map(({ vm, address }) => {
    const beside = assigned.find((one) => one.vm === vm && slotOf(one.address) === slotOf(address))
    return { vm, address, ...defined({ optional: beside?.optional }) }
  })
  return [...assigned, ...along]
}

/** Empty where no plan is in force. */
export function givenInForce(system: System): readonly GivenFunction[] {
  if (readLastApplied(system) === undefined) return []
  const { record, spec } = readInForce(system, undefined)
  return givenBy(record, spec)
}

/** The boot as it is now. It is not stored. */
export async function readThisBoot(system: System, given: readonly GivenFunction[]): Promise<BootRecord> {
  const host = readHost(system, undefined, 'verdicts')
  const firmware = readFirmware(system)
  const qemu = await engine.version(system)
  return recordOf(host, {
    bootId: readBootId(system),
    at: system.now().toISOString(),
    given,
    ...defined({ firmware, qemu }),
  })
}

export type Watched = {
  /** Since the last good boot; undefined if this boot was compared before. */
  readonly news?: readonly Difference[]
  /** Why the record of this boot is not on disk. */
  readonly unrecorded?: string
  /** Why the last good boot is not known, so that nothing is known to be safe. */
  readonly unknown?: string
  /** What makes a start of the VM unsafe. */
  readonly unsafe: (vm: string) => readonly Difference[]
  /**
   * A VM has started: this boot is good if nothing is unsafe. Gives back why it could not be written down.
   */
  readonly started: () => string | undefined
}

/** Called before any VM starts. */
export async function watchStart(system: System, given: readonly GivenFunction[]): Promise<Watched> {
  const good = readLastGood(system)
  const stored = readStored(system)
  const isOfPlan = stored?.ok === true && isSameGiven(stored.record.given, given)
  const known = isOfPlan ? differencesSince(good, stored.record) : undefined
  // A person may have put right in this boot what was unsafe when it was recorded.
  if (known?.every(isSafe) === true) return watched(system, good, known)
  const now = await readThisBoot(system, given)
  const unrecorded = store(system, now)
  const differences = differencesSince(good, now)
  return {
    ...watched(system, good, differences),
    ...defined({ unrecorded }),
    ...(differences.length > 0 ? { news: differences } : {}),
  }
}

function isSameGiven(a: readonly GivenFunction[], b: readonly GivenFunction[]): boolean {
  const words = (given: readonly GivenFunction[]) => given.map(({ vm, address }) => `${vm} ${address}`)
  return words(a).toSorted().join('\n') === words(b).toSorted().join('\n')
}

/** The record of this boot, if one was made. */
export function readStored(reader: Reader): RecordRead | undefined {
  const listed = listBoots(reader)
  const boot = listed.ok ? findBoot(listed.boots, readBootId(reader)) : undefined
  return boot && readBootRecord(reader, boot)
}

export function differencesSince(good: LastGood, now: BootRecord): readonly Difference[] {
  return good.kind === 'known' ? compareBoots(good.record, now) : []
}

function isSafe(difference: Difference): boolean {
  return difference.unsafeFor.length === 0
}

function watched(system: System, good: LastGood, differences: readonly Difference[]): Watched {
  const isGood = good.kind !== 'unreadable' && differences.every(isSafe)
  return {
    ...(good.kind === 'unreadable' ? { unknown: good.reason } : {}),
    unsafe: (vm) => unsafeFor(differences, vm),
    started: () => (isGood ? mark(system, 'started') : undefined),
  }
}

/**
 * A person has applied a plan to the host as it is now: what is different from earlier boots is accepted.
 * Gives back why it could not be written down.
 */
export async function acceptBoot(system: System): Promise<string | undefined> {
  try {
    const given = givenInForce(system)
    if (given.length === 0) return undefined
    const now = await readThisBoot(system, given)
    return store(system, now) ?? mark(system, 'accepted')
  } catch (error) {
    // The apply is done, whatever the spec of an older journal says.
    if (error instanceof AppError) return error.message
    throw error
  }
}

/** Where no boot id can be read (a file tree), there is no boot to record. */
function store(system: System, record: BootRecord): string | undefined {
  if (record.bootId === '') return undefined
  return written(() => {
    const listed = listBoots(system)
    if (!listed.ok) throw new AppError(listed.reason)
    writeBootRecord(system, listed.boots, record)
  })
}

function mark(system: System, by: 'started' | 'accepted'): string | undefined {
  return written(() => {
    const listed = listBoots(system)
    const boot = listed.ok ? findBoot(listed.boots, readBootId(system)) : undefined
    if (boot !== undefined) markGood(system, boot, by)
  })
}

/** A full disk must not keep the VMs of the host down: the reason is given back in words. */
function written(write: () => void): string | undefined {
  try {
    write()
    return undefined
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (error instanceof AppError) return error.message
    if (typeof code !== 'string') throw error
    return `${bootFolder} cannot be written (${messageOf(error)})`
  }
}
