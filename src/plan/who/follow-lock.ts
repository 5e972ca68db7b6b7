/**
 * Where the locked devices are now: unchanged, moved, replaced, ambiguous or missing. Group numbers, bus
 * numbers and interface names are never asked.
 */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import type { Finding, FindingCode } from '../../base/finding.ts'
import { compareAddresses } from '../../pci/address.ts'
import { compareIdentity, hasSerial, mergeIdentity } from '../../pci/compare-identity.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { identityOf, type Identity } from '../../pci/identity.ts'
import type { Lock, LockedDevice } from '../../spec/lock.ts'
import { placeOf } from '../../spec/places.ts'
import type { DeviceSelector, RoleSpec } from '../../spec/spec.ts'
import type { View } from './view.ts'
import { nameOf } from '../words.ts'

export type Followed =
  | {
      readonly kind: 'same'
      readonly device: PciDevice
      /** What is known of it: read now, and recorded where it cannot be read now. */
      readonly identity: Identity
      readonly moved: { readonly from: string; readonly to: string } | null
      /** The spec names a place (address, path, slot): only this device is meant, wherever it is. */
      readonly only: boolean
    }
  /** Not to be guessed; a finding says why. */
  | { readonly kind: 'lost' }

export type FollowedLock = {
  /** By `vm/role`; roles without an entry are chosen freely. */
  readonly followed: ReadonlyMap<string, Followed>
  readonly findings: readonly Finding[]
}

type Candidate = { readonly device: PciDevice; readonly identity: Identity }

export function followLock(view: View, lock: Lock | undefined): FollowedLock {
  if (lock === undefined) return { followed: new Map(), findings: [] }
  const followed = new Map<string, Followed>()
  const findings: Finding[] = []
  const candidates = view.host.devices
    .filter((device) => !isBridge(device))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
    .map((device) => ({ device, identity: identityOf(device, view.layout.devices) }))
  for (const entry of lock.devices) {
    if (!isStillWanted(view, entry)) continue
    const result = follow(entry, candidates)
    followed.set(`${entry.vm}/${entry.role}`, result.followed)
    if (result.finding) {
      const at = placeOf(view.places, ['vms', entry.vm, 'devices', entry.role], 'key')
      findings.push({ ...forOptional(view, entry, result.finding), ...defined({ at }) })
    }
  }
  return { followed, findings }
}

/** A VM starts without an optional device that is gone; another device in its place stays an error. */
function forOptional(view: View, entry: LockedDevice, finding: Finding): Finding {
  if (finding.code !== 'device-missing' || roleOf(view, entry)?.optional === undefined) return finding
  return { ...finding, severity: 'warning', message: `${finding.message}; the VM starts without it` }
}

function roleOf({ spec }: View, { vm, role }: LockedDevice): RoleSpec | undefined {
  return spec.vms.find(({ name }) => name === vm)?.devices.find((one) => one.role === role)
}

function isStillWanted(view: View, entry: LockedDevice): boolean {
  const role = roleOf(view, entry)
  return role !== undefined && canonical(role.select) === canonical(entry.wanted)
}

function canonical(select: DeviceSelector): string {
  return JSON.stringify(Object.entries(select).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

type Result = { readonly followed: Followed; readonly finding?: Finding }

function follow(entry: LockedDevice, candidates: readonly Candidate[]): Result {
  const recorded = entry.identity
  const here = candidates.find(({ identity }) => identity.path === recorded.path)
  const proven = candidates.filter(({ identity }) => compareIdentity(recorded, identity) === 'same')
  const likeness = here && compareIdentity(recorded, here.identity)
  if (proven.length > 1 && !(here && proven.includes(here)))
    return lost(
      entry,
      'device-ambiguous',
      `its serial is on ${proven.length} devices: ${addresses(proven)}`,
      'serials should be unique; take one of them out, then run handover lock',
    )
  const [only] = proven
  if (here && likeness !== 'other' && (proven.length === 0 || proven.includes(here)))
    return unchanged(entry, here, candidates)
  if (only) return moved(entry, only, here)
  const unproven = candidates.filter(
    ({ identity }) =>
      compareIdentity(recorded, identity) === 'unproven' && !entry.twins?.includes(identity.path ?? ''),
  )
  if (unproven.length > 0) return ambiguous(entry, here, unproven)
  if (here)
    return lost(
      entry,
      'device-replaced',
      `another device is at its place: ${here.device.address} ` +
        `${nameOf(here.device)}${differences(recorded, here.identity)}`,
      'when this is the new device you want there: handover lock SPEC records it; else put the old one back',
    )
  return lost(
    entry,
    'device-missing',
    `it is nowhere on this host (it was at ${recorded.path})`,
    'put it back, or change the role in the spec',
  )
}

/** Devices of the recorded kind, none of which proves that it is the one. */
function ambiguous(entry: LockedDevice, here: Candidate | undefined, unproven: readonly Candidate[]): Result {
  const what = here
    ? `another device is at its place (${here.device.address} ${nameOf(here.device)})`
    : `nothing is at its place ${entry.identity.path}`
  const isOne = unproven.length === 1
  const kind = isOne ? 'is of its kind and shows' : 'are of its kind and show'
  const settle = hasSerial(entry.identity)
    ? `give ${isOne ? 'it' : 'them'} back to the host driver so that the serial shows (handover rollback), ` +
      'or look and run handover lock'
    : 'look which card is which; when the new place is right, run handover lock'
  const could = `${addresses(unproven)} ${kind} no serial that would prove it`
  return lost(entry, 'device-ambiguous', `${what}, and ${could}`, settle)
}

function unchanged(entry: LockedDevice, here: Candidate, candidates: readonly Candidate[]): Result {
  const swapped = swappedDisks(entry.identity, here, candidates)
  if (swapped)
    return lost(
      entry,
      'device-ambiguous',
      `its disks (${listAll(entry.identity.diskSerials ?? [])}) are behind ${swapped.device.address} ` +
        'now, a controller of the same kind: cables or cards were swapped',
      'swap them back, or look and run handover lock to accept it',
    )
  return renumbered(entry, here, candidates)
}

/**
 * The same place under another address, after a card came or went: the trap of every address written down
 * somewhere.
 */
function renumbered(entry: LockedDevice, here: Candidate, candidates: readonly Candidate[]): Result {
  const to = here.device.address
  if (entry.address === to) return { followed: same(entry, here, null) }
  const old = candidates.find(({ device }) => device.address === entry.address)
  const instead =
    old === undefined
      ? 'nothing answers at the old address'
      : `at ${entry.address} answers ${nameOf(old.device)} now, which is another device`
  return {
    followed: same(entry, here, { from: entry.address, to }),
    finding: {
      code: 'device-moved',
      severity: 'note',
      message:
        `${entry.role} of ${entry.vm} stands where it stood, and its address changed: ${entry.address} → ` +
        `${to}; ${instead}`,
      help: 'nothing to do; handover lock SPEC records the new address',
      about: [to],
    },
  }
}

/**
 * Disks may be exchanged by hand and never decide alone; but all of them on a twin of this controller is no
 * exchange of a disk.
 */
function swappedDisks(
  recorded: Identity,
  here: Candidate,
  candidates: readonly Candidate[],
): Candidate | undefined {
  const old = recorded.diskSerials ?? []
  const now = here.identity.diskSerials ?? []
  if (
    old.length === 0 ||
    compareIdentity(recorded, here.identity) === 'same' ||
    old.some((serial) => now.includes(serial))
  )
    return undefined
  return candidates.find(
    (other) =>
      other !== here &&
      compareIdentity(recorded, other.identity) !== 'other' &&
      old.every((serial) => other.identity.diskSerials?.includes(serial)),
  )
}

function moved(entry: LockedDevice, to: Candidate, here: Candidate | undefined): Result {
  const places = { from: entry.identity.path, to: to.identity.path ?? 'a place that is not stated' }
  const instead =
    here === undefined
      ? ''
      : `; at its old place is ${here.device.address} ${nameOf(here.device)}, which stays`
  return {
    followed: same(entry, to, places),
    finding: {
      code: 'device-moved',
      severity: 'warning',
      message:
        `${entry.role} of ${entry.vm} moved: ${places.from} → ${places.to}, now ${to.device.address} (its ` +
        `serial proves it)${instead}`,
      help: 'nothing to do; handover lock SPEC records the new place',
      about: [to.device.address],
    },
  }
}

function same(
  entry: LockedDevice,
  { device, identity }: Candidate,
  movedPlaces: { from: string; to: string } | null,
): Followed {
  const { address, path, physicalSlot } = entry.wanted
  const only = address !== undefined || path !== undefined || physicalSlot !== undefined
  return { kind: 'same', device, identity: mergeIdentity(entry.identity, identity), moved: movedPlaces, only }
}

function lost(entry: LockedDevice, code: FindingCode, why: string, help: string): Result {
  const name = entry.name === undefined ? '' : ` (${entry.name})`
  return {
    followed: { kind: 'lost' },
    finding: { code, severity: 'error', message: `${entry.role} of ${entry.vm}${name}: ${why}`, help },
  }
}

function addresses(candidates: readonly Candidate[]): string {
  return listAll(candidates.slice(0, 8).map(({ device }) => device.address))
}

function differences(recorded: Identity, found: Identity): string {
  const parts: string[] = []
  if (recorded.vendorId !== found.vendorId || recorded.deviceId !== found.deviceId)
    parts.push(
      `${found.vendorId ?? '?'}:${found.deviceId ?? '?'} instead of ` +
        `${recorded.vendorId}:${recorded.deviceId}`,
    )
  for (const [key, word] of [
    ['deviceSerialNumber', 'serial'],
    ['nvmeSerial', 'serial'],
    ['vpdSerial', 'serial'],
    ['sasAddress', 'SAS address'],
  ] as const)
    if (recorded[key] !== undefined && found[key] !== undefined && recorded[key] !== found[key])
      parts.push(`${word} ${found[key]} instead of ${recorded[key]}`)
  if (recorded.macs && found.macs && !recorded.macs.some((mac) => found.macs?.includes(mac)))
    parts.push(`MAC ${found.macs.join(' ')} instead of ${recorded.macs.join(' ')}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
