/**
 * Is this the device that was recorded? Serials decide, ids and places support; what cannot be read proves
 * nothing.
 */
import type { Identity } from './identity.ts'

/**
 * `same`: a serial agrees and none disagrees. `other`: ids or a serial disagree. `unproven`: the ids agree,
 * no serial speaks.
 */
export type Likeness = 'same' | 'other' | 'unproven'

const ids = ['vendorId', 'deviceId', 'subsystemVendorId', 'subsystemId'] as const
const ownSerials = ['nvmeSerial', 'sasAddress', 'vpdSerial'] as const

/**
 * Disk serials are left out: disks are swapped by hand. The class and revision too: a RAID switch in the
 * firmware setup or a firmware update changes them. The Device Serial Number is the card's, not the
 * function's, so the function number must agree with it.
 */
export function compareIdentity(recorded: Identity, found: Identity): Likeness {
  for (const key of ids) if (differ(recorded[key], found[key])) return 'other'
  let isProven = false
  for (const key of ownSerials) {
    if (differ(recorded[key], found[key])) return 'other'
    isProven ||= recorded[key] !== undefined && found[key] !== undefined
  }
  if (recorded.macs !== undefined && found.macs !== undefined) {
    if (!recorded.macs.some((mac) => found.macs?.includes(mac))) return 'other'
    isProven = true
  }
  if (recorded.deviceSerialNumber !== undefined && found.deviceSerialNumber !== undefined) {
    if (differ(recorded.deviceSerialNumber, found.deviceSerialNumber)) return 'other'
    if (differ(functionOf(recorded.path), functionOf(found.path))) return isProven ? 'same' : 'other'
    isProven = true
  }
  return isProven ? 'same' : 'unproven'
}

/** Alike in every id. What states no ids is like nothing. */
export function isSameKind(a: Identity, b: Identity): boolean {
  return a.vendorId !== undefined && a.deviceId !== undefined && ids.every((key) => a[key] === b[key])
}

export function hasSerial(identity: Identity): boolean {
  return (
    identity.deviceSerialNumber !== undefined ||
    (identity.macs?.length ?? 0) > 0 ||
    ownSerials.some((key) => identity[key] !== undefined)
  )
}

/** What was recorded and cannot be read now (a driver that showed it is gone) is kept beside what can. */
export function mergeIdentity(recorded: Identity, found: Identity): Identity {
  return { ...recorded, ...found }
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLowerCase() !== b.toLowerCase()
}

function functionOf(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf('.') + 1)
}
