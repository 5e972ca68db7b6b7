/**
 * Two listings in one paste: of one machine, then the later statement counts and a warning says so; of two
 * machines, then no fact of one belongs to a device of the other. It owns telling the two apart.
 */
import type { PciAddress } from '../../pci/address.ts'
import { classFromWords } from './class-words.ts'
import { deviceAt, type DeviceDraft, type HostDraft } from './draft.ts'

/** Who a listing says is at an address. */
export type Who = Pick<DeviceDraft, 'vendorId' | 'deviceId' | 'classCode' | 'className' | 'name'>

/** The draft of this device. What was stated of another device at its address is not kept for it. */
export function stateWho(draft: HostDraft, address: PciAddress, who: Who): DeviceDraft {
  const known = draft.devices.get(address)
  if (known !== undefined && isOther(known, who)) {
    stateTwoMachines(draft, `${address} is listed as ${wordsFor(known)} and as ${wordsFor(who)}`)
    draft.devices.delete(address)
  }
  return deviceAt(draft, address)
}

export function stateTwoMachines(draft: HostDraft, why: string): void {
  draft.twoMachines ??= why
}

/** Ids decide where both state them, then the class, then the name. */
function isOther(a: Who, b: Who): boolean {
  if (
    a.vendorId !== undefined &&
    a.deviceId !== undefined &&
    b.vendorId !== undefined &&
    b.deviceId !== undefined
  )
    return a.vendorId !== b.vendorId || a.deviceId !== b.deviceId
  const [classA, classB] = [classOf(a), classOf(b)]
  if (classA !== undefined && classB !== undefined && classA !== classB) return true
  // Words behind a bare address may be anybody's; those of a listing stand beside a class.
  if (!hasClass(a) || !hasClass(b)) return false
  return a.name !== undefined && b.name !== undefined && !isSameName(a.name, b.name)
}

function hasClass({ classCode, className }: Who): boolean {
  return classCode !== undefined || className !== undefined
}

function classOf({ classCode, className }: Who): string | undefined {
  return classCode?.slice(0, 4) ?? (className === undefined ? undefined : classFromWords(className))
}

/**
 * Scripts leave the maker out, lists of names grow: a name within the other, or one that is not known yet, is
 * the same.
 */
function isSameName(a: string, b: string): boolean {
  const [one, other] = [plain(a), plain(b)]
  if (one.includes(other) || other.includes(one)) return true
  return /\bdevice [0-9a-f]{4}$/.test(one) || /\bdevice [0-9a-f]{4}$/.test(other)
}

function plain(name: string): string {
  return name
    .slice(0, 300)
    .toLowerCase()
    .replace(/\(rev [0-9a-f]{2}\)/g, '')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
}

function wordsFor({ vendorId, deviceId, name, className, classCode }: Who): string {
  const ids = vendorId !== undefined && deviceId !== undefined ? `${vendorId}:${deviceId}` : undefined
  return (
    ids ??
    name ??
    className ??
    (classCode === undefined ? 'something else' : `class ${classCode}`)
  ).slice(0, 80)
}

/** The group a listing states. Every boot makes groups again, so a second, other one is of a later boot. */
export function stateGroup(draft: HostDraft, device: DeviceDraft, group: number): void {
  const before = device.iommuGroup
  if (typeof before === 'number' && before !== group)
    warnOnce(draft, `${device.address} is stated in IOMMU group ${before} and in ${group}`)
  device.iommuGroup = group
}

/**
 * The later of two listings states another driver: what was there before was bound to something else, or is a
 * boot ago.
 */
export function warnOfDrivers(draft: HostDraft, device: DeviceDraft, before: string | null): void {
  const now = driverWords(device.driver ?? null)
  warnOnce(draft, `${device.address} is stated with ${driverWords(before)} and with ${now}`)
}

function driverWords(driver: string | null): string {
  return driver === null ? 'no driver' : `driver ${driver}`
}

function warnOnce(draft: HostDraft, what: string): void {
  if (draft.findings.some((f) => f.code === 'input-incomplete' && f.severity === 'warning')) return
  draft.findings.push({
    code: 'input-incomplete',
    severity: 'warning',
    message: `the input contradicts itself: ${what}; the later statement counts`,
    help: 'give one listing of one machine at a time',
  })
}
