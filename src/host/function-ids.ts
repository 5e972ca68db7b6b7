/**
 * Who a function is, from sysfs: `uevent` has ids, class and driver in one read; where it is missing (some archives) the
 * single attribute files have them. Parsed by hand: patterns over thousands of functions cost more than the reading.
 */
import type { PciDevice } from '../pci/device.ts'
import type { Draft } from '../pci/draft.ts'
import { toHex } from './hex.ts'

/** Reads one attribute of the function; `undefined` where it is absent or unreadable (which is noted). */
export type TextOf = (name: string) => string | undefined

/** Lines of `KEY=value`; at most 32. */
export function parseUevent(text: string | undefined): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text?.split('\n', 32) ?? []) {
    const equals = line.indexOf('=')
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1))
  }
  return values
}

/** `uevent` alone tells ids and class in one read; where it is missing (some archives) the single files do. */
export function idsOf(
  text: TextOf,
  uevent: ReadonlyMap<string, string>,
  config: Uint8Array | undefined,
): Partial<PciDevice> {
  const [vendor, device] = pairOf(uevent.get('PCI_ID'))
  const [subVendor, subDevice] = pairOf(uevent.get('PCI_SUBSYS_ID'))
  const classCode = plainHex(uevent.get('PCI_CLASS'), 6) ?? hexOf(text('class'), 6)
  const vendorId = vendor ?? hexOf(text('vendor'), 4)
  const deviceId = device ?? hexOf(text('device'), 4)
  const subsystemVendorId = subVendor ?? hexOf(text('subsystem_vendor'), 4)
  const subsystemId = subDevice ?? hexOf(text('subsystem_device'), 4)
  // Byte 8 of an image that answers is the same as the `revision` file.
  const isThere = config !== undefined && config.length >= 64 && !isSilent(config)
  const revision = isThere ? toHex(config.subarray(8, 9)) : hexOf(text('revision'), 2)
  const ids: Draft<Partial<PciDevice>> = {}
  if (vendorId !== undefined) ids.vendorId = vendorId
  if (deviceId !== undefined) ids.deviceId = deviceId
  if (subsystemVendorId !== undefined) ids.subsystemVendorId = subsystemVendorId
  if (subsystemId !== undefined) ids.subsystemId = subsystemId
  if (classCode !== undefined) ids.classCode = classCode
  if (revision !== undefined) ids.revision = revision
  return ids
}

/** `8086:10D3` */
function pairOf(text: string | undefined): readonly (string | undefined)[] {
  const [first, second, more] = text?.split(':') ?? []
  const ids = [plainHex(first, 4), plainHex(second, 4)]
  return more === undefined && ids[0] !== undefined && ids[1] !== undefined ? ids : []
}

/** Up to `width` digits, padded: `60400` is class 060400. */
function plainHex(digits: string | undefined, width: number): string | undefined {
  if (digits === undefined || digits.length > width || !/^[0-9a-f]+$/i.test(digits)) return undefined
  return digits.toLowerCase().padStart(width, '0')
}

/** `0x8086` → `8086`, padded to `width`; anything else is not stated. */
function hexOf(text: string | undefined, width: number): string | undefined {
  const digits = /^0x([0-9a-f]{1,8})$/i.exec(text ?? '')?.[1]
  return digits === undefined || digits.length > width ? undefined : digits.toLowerCase().padStart(width, '0')
}

/** 64 bytes of ff: a function that does not answer. */
export function isSilent(config: Uint8Array): boolean {
  for (let i = 0; i < 64; i++) if (config[i] !== 0xff) return false
  return true
}
