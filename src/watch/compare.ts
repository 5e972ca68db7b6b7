/**
 * What is different between two boots, as data, and for which VMs a difference makes a start unsafe. The
 * words are in `words.ts`. What one of the records does not know is no difference, except where a start
 * rests on it: a group or a reset that cannot be read any more.
 */
import { parseCmdline, readArg } from '../boot/cmdline.ts'
import type { PciAddress } from '../pci/address.ts'
import { compareIdentity } from '../pci/compare-identity.ts'
import type { Identity } from '../pci/identity.ts'
import type { BootRecord, Firmware, GivenFunction, RecordedFunction, RecordedGroup, Use } from './record.ts'

/**
 * `missing`: a given function is not there. `device`: another device stands in its place. `place`: the same
 * device has another path.
 */
export type DifferenceKind =
  | 'kernel'
  | 'arguments'
  | 'firmware'
  | 'qemu'
  | 'missing'
  | 'device'
  | 'place'
  | 'group'
  | 'reset'
  | 'driver'
  | 'link'

export type Difference = {
  readonly kind: DifferenceKind
  /** The functions that are different. */
  readonly about: readonly PciAddress[]
  /**
   * `group`: the members. `reset`: the methods that work, or what is left without one. `arguments`: those
   * that only one boot has, or all of them if only their order is different. Absent: not there, or not
   * known.
   */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
  /** Of a group: who keeps VFIO from it now, and did not then. */
  readonly inTheWay?: readonly Member[]
  /** The VMs that must not start, or only without the device, where it is optional. */
  readonly unsafeFor: readonly string[]
}

/** A member of a group by its address, or by its kernel name if it is no PCI function. */
export type Member = { readonly name: string; readonly use: Use }

/** The machine as a whole first, then the functions in the order of the list of what is given. */
export function compareBoots(before: BootRecord, now: BootRecord): readonly Difference[] {
  const [then, today] = [byAddress(before), byAddress(now)]
  const given = now.given.flatMap((one) => {
    const old = then.get(one.address)
    return old === undefined ? [] : givenDifferences(old, today.get(one.address), one)
  })
  const isGiven = new Set(now.given.map(({ address }) => address))
  const others = now.functions.flatMap((fn) => {
    const old = isGiven.has(fn.address) ? undefined : then.get(fn.address)
    return old === undefined ? [] : [...identityDifferences(old, fn, []), ...plainDifferences(old, fn)]
  })
  return [...machineDifferences(before, now), ...given, ...groupDifferences(before, now), ...others]
}

export function unsafeFor(differences: readonly Difference[], vm: string): readonly Difference[] {
  return differences.filter((one) => one.unsafeFor.includes(vm))
}

function byAddress({ functions }: BootRecord): ReadonlyMap<PciAddress, RecordedFunction> {
  return new Map(functions.map((fn) => [fn.address, fn]))
}

function machineDifferences(before: BootRecord, now: BootRecord): Difference[] {
  return [
    ...changed('kernel', wordsOf(before.kernel), wordsOf(now.kernel)),
    ...argumentDifferences(before.arguments, now.arguments),
    ...changed('firmware', firmwareWords(before.firmware), firmwareWords(now.firmware)),
    ...changed('qemu', wordsOf(before.qemu), wordsOf(now.qemu)),
  ]
}

function wordsOf(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : [text]
}

function firmwareWords(firmware: Firmware | undefined): readonly string[] | undefined {
  const words = [firmware?.vendor, firmware?.version, firmware?.date].filter((word) => word !== undefined)
  return words.length === 0 ? undefined : words
}

function changed(
  kind: DifferenceKind,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
  about: readonly PciAddress[] = [],
): Difference[] {
  if (before === undefined || after === undefined || isSame(before, after)) return []
  return [{ kind, about, before, after, unsafeFor: [] }]
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index])
}

/** Where the loader found the kernel is no argument to it, and changes with each update. */
const ofLoader: ReadonlySet<string> = new Set(['BOOT_IMAGE', 'initrd'])

function argumentDifferences(before: string | undefined, now: string | undefined): Difference[] {
  if (before === undefined || now === undefined) return []
  const [then, today] = [argumentsOf(before), argumentsOf(now)]
  const [gone, come] = [without(then, today), without(today, then)]
  if (gone.length === 0 && come.length === 0) return changed('arguments', then, today)
  return changed('arguments', gone, come)
}

function argumentsOf(cmdline: string): string[] {
  const args = parseCmdline(cmdline).args.map(({ raw }) => raw)
  return args.filter((raw) => !ofLoader.has(readArg(raw).key))
}

/** An argument that stands twice counts twice. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return all.filter((word) => {
    const at = left.indexOf(word)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function givenDifferences(
  old: RecordedFunction,
  now: RecordedFunction | undefined,
  { address, vm, optional }: GivenFunction,
): Difference[] {
  const unsafeFor = optional ? [] : [vm]
  if (now === undefined)
    return [{ kind: 'missing', about: [address], before: identityWords(old.identity), unsafeFor }]
  const device = identityDifferences(old, now, [vm])
  // Of another device, nothing else can be compared.
  if (device.some(({ kind }) => kind === 'device')) return device
  return [...device, ...resetDifferences(old, now, vm), ...plainDifferences(old, now)]
}

/** Without a serial, a device with another path may be another one of the same kind. */
function identityDifferences(
  { identity: old, address }: RecordedFunction,
  { identity: now }: RecordedFunction,
  unsafe: readonly string[],
): Difference[] {
  const likeness = compareIdentity(old, now)
  const isMoved = old.path !== undefined && now.path !== undefined && old.path !== now.path
  if (likeness === 'same' && isMoved) return changed('place', wordsOf(old.path), wordsOf(now.path), [address])
  if (likeness !== 'other' && !isMoved) return []
  const [before, after] = [identityWords(old, isMoved), identityWords(now, isMoved)]
  return [{ kind: 'device', about: [address], before, after, unsafeFor: unsafe }]
}

function identityWords(identity: Identity, withPlace = false): string[] {
  const { vendorId = '?', deviceId = '?', subsystemVendorId, subsystemId, path } = identity
  const subsystem = subsystemVendorId === undefined ? [] : [`subsystem ${subsystemVendorId}:${subsystemId}`]
  const serials = [
    ...(identity.macs ?? []),
    ...[identity.nvmeSerial, identity.sasAddress, identity.vpdSerial, identity.deviceSerialNumber],
  ]
  const known = serials.filter((serial) => serial !== undefined)
  return [`${vendorId}:${deviceId}`, ...subsystem, ...known, ...(withPlace ? [`at ${path}`] : [])]
}

/** A driver that cannot be read is no difference: the start asks for vfio-pci itself (run/given.ts). */
function plainDifferences(old: RecordedFunction, now: RecordedFunction): Difference[] {
  const driver = (fn: RecordedFunction) => (fn.driver === null ? ['none'] : wordsOf(fn.driver))
  return [
    ...changed('driver', driver(old), driver(now), [now.address]),
    ...changed('link', linkWords(old), linkWords(now), [now.address]),
  ]
}

function linkWords({ link }: RecordedFunction): readonly string[] | undefined {
  if (link?.speed === undefined || link.width === undefined) return undefined
  return [link.speed, `x${link.width}`]
}

/** The larger, the better; 0 is no reset at all, or one that cannot be known. */
const resetRank = { function: 3, bus: 3, together: 2, power: 1, none: 0, unknown: 0 } as const

function resetDifferences(old: RecordedFunction, now: RecordedFunction, vm: string): Difference[] {
  if (old.reset === undefined) return []
  const [before, after] = [resetWords(old), resetWords(now)]
  const rank = now.reset === undefined ? 0 : resetRank[now.reset]
  const isStatedAsBefore =
    old.resetMethods !== undefined &&
    now.resetMethods !== undefined &&
    isSame(old.resetMethods, now.resetMethods)
  // Of a distribution's kernel it may not be known whether it has a quirk; its own list has not changed.
  const isOnlyDoubt = now.reset === 'unknown' && isStatedAsBefore
  const isGone = rank < resetRank[old.reset] && !isOnlyDoubt
  if (isSame(before, after) && !isGone) return []
  return [{ kind: 'reset', about: [now.address], before, after, unsafeFor: isGone ? [vm] : [] }]
}

function resetWords({ usableResets = [], reset = 'unknown' }: RecordedFunction): readonly string[] {
  return usableResets.length > 0 && reset !== 'unknown' ? usableResets : [reset]
}

function groupDifferences(before: BootRecord, now: BootRecord): Difference[] {
  const found = new Map<string, Difference>()
  for (const { address, vm } of now.given) {
    const isThere = now.functions.some((fn) => fn.address === address)
    const difference = isThere ? groupDifference(before, now, { address, vm }) : undefined
    if (difference === undefined) continue
    const { before: was, after: is, inTheWay } = difference
    const key = JSON.stringify([vm, was, is, inTheWay])
    const known = found.get(key)
    found.set(key, { ...difference, about: [...(known?.about ?? []), address] })
  }
  return [...found.values()]
}

function groupDifference(
  before: BootRecord,
  now: BootRecord,
  { address, vm }: GivenFunction,
): Difference | undefined {
  const old = groupOf(before, address)
  if (old === undefined) return undefined
  const group = groupOf(now, address)
  const was = membersOf(old)
  if (group === undefined) return { kind: 'group', about: [address], before: was, unsafeFor: [vm] }
  const is = membersOf(group)
  const known = new Set(was)
  const inTheWay = is
    .map((name): Member => ({ name, use: useOf(now, name) }))
    .filter(({ use }) => isInTheWay(use, vm))
    .filter(({ name, use }) => !known.has(name) || !isSameUse(use, useOf(before, name)))
  if (isSame(was, is) && inTheWay.length === 0) return undefined
  const unsafe = inTheWay.length > 0
  return {
    ...{ kind: 'group', about: [address], before: was, after: is, unsafeFor: unsafe ? [vm] : [] },
    ...(unsafe ? { inTheWay } : {}),
  }
}

function groupOf({ groups }: BootRecord, address: PciAddress): RecordedGroup | undefined {
  return groups.find(({ devices }) => devices.includes(address))
}

function membersOf({ devices, otherMembers = [] }: RecordedGroup): string[] {
  return [...devices, ...otherMembers].toSorted()
}

/** What is a member and no recorded function is a platform device, or a function that could not be read. */
function useOf({ functions }: BootRecord, name: string): Use {
  const fn = functions.find(({ address }) => address === name)
  return fn?.use ?? { kind: 'unknown', why: ['nothing was read of it'] }
}

function isInTheWay(use: Use, vm: string): boolean {
  switch (use.kind) {
    case 'free':
      return false
    case 'vm':
      return use.vm !== vm
    case 'host':
    case 'unknown':
      return true
  }
}

/** What the host uses a function for changes; a need that was in the way already is no news. */
function isSameUse(a: Use, b: Use): boolean {
  return a.kind === b.kind && (a.kind !== 'vm' || b.kind !== 'vm' || a.vm === b.vm)
}
