/**
 * The ids of a function from sysfs. One read of `uevent` gives ids, class and driver; without it (some
 * archives) each attribute has its own file. The text is parsed by hand, since regular expressions on
 * thousands of functions take longer than the reads.
 */
import { hex } from '../../pci/hex.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { Draft } from '../../pci/draft.ts'

/** Reads one attribute. `undefined`: absent, or unreadable, which is noted. */
export type TextOf = (name: string) => string | undefined

/** The value of the first line `KEY=value`. */
export function ueventValue(
  uevent: string,
  key: 'DRIVER' | 'PCI_CLASS' | 'PCI_ID' | 'PCI_SUBSYS_ID',
): string | undefined {
  const isFirst = uevent.startsWith(`${key}=`)
  const start = isFirst ? 0 : uevent.indexOf(`\n${key}=`) + 1
  if (start === 0 && !isFirst) return undefined
  const end = uevent.indexOf('\n', start)
  return uevent.slice(start + key.length + 1, end < 0 ? undefined : end)
}

export type Ids = Draft<
  Pick<PciDevice, 'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemId' | 'classCode' | 'revision'>
>

/**
 * Ids by the `uevent` lines that state them. Many functions have the same ids, so each set is parsed once.
 */
export type KnownIds = Map<string, Ids>

/** `uevent` has all ids and the class; the single files are read only for what it lacks. */
export function idsOf(
  text: TextOf,
  uevent: string | undefined,
  config: Uint8Array | undefined,
  known: KnownIds,
): Ids {
  const ids: Ids = uevent === undefined ? {} : { ...statedIds(linesOfIds(uevent), known) }
  addMissing(ids, text)
  // If the function answers, byte 8 equals the `revision` file.
  const isThere = config !== undefined && config.length >= 64 && !isSilent(config)
  const revision = isThere ? hex(config[8] ?? 0, 2) : hexOf(text('revision'), 2)
  if (revision !== undefined) ids.revision = revision
  return ids
}

/**
 * The three lines with ids, which the kernel writes in sequence. If they are not in sequence, the whole text.
 */
function linesOfIds(uevent: string): string {
  const start = uevent.indexOf('PCI_CLASS=')
  const last = uevent.indexOf('\nPCI_SUBSYS_ID=', start)
  const id = uevent.indexOf('\nPCI_ID=', start)
  const end = uevent.indexOf('\n', last + 1)
  return start >= 0 && id > start && last > id && end > last ? uevent.slice(start, end) : uevent
}

function statedIds(lines: string, known: KnownIds): Ids {
  const read = known.get(lines)
  if (read !== undefined) return read
  const ids: Ids = {}
  const [vendor, device] = pairOf(ueventValue(lines, 'PCI_ID'))
  const [subVendor, subDevice] = pairOf(ueventValue(lines, 'PCI_SUBSYS_ID'))
  if (vendor !== undefined && device !== undefined) Object.assign(ids, { vendorId: vendor, deviceId: device })
  if (subVendor !== undefined && subDevice !== undefined)
    Object.assign(ids, { subsystemVendorId: subVendor, subsystemId: subDevice })
  const classCode = plainHex(ueventValue(lines, 'PCI_CLASS'), 6)
  if (classCode !== undefined) ids.classCode = classCode
  known.set(lines, ids)
  return ids
}

const files = [
  ['classCode', 'class', 6],
  ['vendorId', 'vendor', 4],
  ['deviceId', 'device', 4],
  ['subsystemVendorId', 'subsystem_vendor', 4],
  ['subsystemId', 'subsystem_device', 4],
] as const

function addMissing(ids: Ids, text: TextOf): void {
  const { classCode, deviceId, subsystemId } = ids
  // statedIds sets a vendor only together with its device.
  if (classCode !== undefined && deviceId !== undefined && subsystemId !== undefined) return
  for (const [key, file, width] of files) {
    if (ids[key] !== undefined) continue
    const value = hexOf(text(file), width)
    if (value !== undefined) ids[key] = value
  }
}

/** `8086:10D3` */
function pairOf(text: string | undefined): readonly (string | undefined)[] {
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0) return none
  const first = plainHex(text.slice(0, colon), 4)
  const second = plainHex(text.slice(colon + 1), 4)
  return first !== undefined && second !== undefined ? [first, second] : none
}

const none: readonly undefined[] = []

/** At most `width` digits, padded with zeros: `60400` is class 060400. */
function plainHex(digits: string | undefined, width: number): string | undefined {
  if (digits === undefined || digits.length > width || !/^[0-9a-f]+$/i.test(digits)) return undefined
  return digits.toLowerCase().padStart(width, '0')
}

/** `0x8086` → `8086`, padded to `width`; `undefined` for any other text. */
function hexOf(text: string | undefined, width: number): string | undefined {
  const digits = /^0x([0-9a-f]{1,8})$/i.exec(text ?? '')?.[1]
  return digits === undefined || digits.length > width ? undefined : digits.toLowerCase().padStart(width, '0')
}

/** 64 bytes of ff: a function that does not answer. */
export function isSilent(config: Uint8Array): boolean {
  for (let i = 0; i < 64; i++) if (config[i] !== 0xff) return false
  return true
}
