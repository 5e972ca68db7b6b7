/**
 * Handles two listings in one text. If they are of one machine, the later statement counts and a warning
 * reports it. If they are of two machines, no fact of one is applied to a device of the other.
 */
import type { PciAddress } from '../../pci/address.ts'
import { classFromWords } from './class-words.ts'
import { deviceAt, type DeviceDraft, type HostDraft } from './draft.ts'

/** The device that a listing names at an address. */
export type Who = Pick<DeviceDraft, 'vendorId' | 'deviceId' | 'classCode' | 'className' | 'name'>

/** The draft of this device. Facts about another device at the same address are dropped. */
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

/** Compares ids if both listings have them, then the class, then the name. */
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
  // Words after a bare address may be a comment; only a listing also names the class.
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
 * Names are the same if one contains the other (scripts leave the maker out), or if one was unknown to the
 * older pci.ids.
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

/**
 * Sets the group of a device. The kernel numbers groups again at every boot, so a second number comes from
 * another boot.
 */
export function stateGroup(draft: HostDraft, device: DeviceDraft, group: number): void {
  const before = device.iommuGroup
  if (typeof before === 'number' && before !== group)
    warnOnce(draft, `${device.address} is stated in IOMMU group ${before} and in ${group}`)
  device.iommuGroup = group
}

/**
 * Warns that two listings name different drivers: the function was bound to another driver in between, or one
 * listing is from an earlier boot.
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
