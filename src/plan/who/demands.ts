/** From roles to demands: which devices could serve each role here, and what is wrong when none can. */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import { findingOf } from '../../judge/reasons.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import { deviceClass, isBridge, isWireless, type PciDevice } from '../../pci/device.ts'
import { placeOf } from '../../spec/places.ts'
import type { DeviceSelector, RoleSpec, VmSpec } from '../../spec/spec.ts'
import type { Demand, Supply } from './allocate.ts'
import type { Followed } from './follow-lock.ts'
import { omit } from '../omit.ts'
import { findDevices } from './select.ts'
import { mayGo, refusalsOf, type View } from './view.ts'
import { sayDemand } from '../words.ts'

export type Demands = {
  readonly demands: readonly Demand[]
  /** The functions in the order of addresses; demands speak of them by number. */
  readonly supplies: readonly Supply[]
  readonly addresses: readonly PciAddress[]
  readonly selects: readonly DeviceSelector[]
  readonly findings: readonly Finding[]
}

export function demandsOf(view: View, followed: ReadonlyMap<string, Followed>): Demands {
  const all = view.host.devices.toSorted((a, b) => compareAddresses(a.address, b.address))
  const devices = all.filter((device) => !isBridge(device))
  const numbers = new Map(devices.map((device, i) => [device.address, i]))
  const candidatesFor = cached((select: DeviceSelector) => findDevices(select, all, view.layout))
  const free = new Set(devices.filter(({ address }) => mayGo(view, address)).map(({ address }) => address))
  const listOf = cached((meant: readonly PciDevice[]) =>
    meant.filter(({ address }) => free.has(address)).flatMap(({ address }) => numbers.get(address) ?? []),
  )
  const demands: Demand[] = []
  const selects: DeviceSelector[] = []
  const findings: Finding[] = []
  for (const { vm, role } of rolesOf(view)) {
    const lock = followed.get(`${vm.name}/${role.role}`)
    if (lock?.kind === 'lost') continue
    const { card, pair, ...own } = role.select
    const selected = candidatesFor(own)
    const isLocked = lock?.kind === 'same' && (lock.only || !selected.includes(lock.device))
    const meant = isLocked ? [lock.device] : selected
    const candidates = listOf(meant)
    if (candidates.length === 0) {
      findings.push(...whyNone(view, vm, role, meant))
      continue
    }
    const locked = lock?.kind === 'same' ? numbers.get(lock.device.address) : undefined
    demands.push({ vm: vm.name, role: role.role, candidates, ...defined({ card, pair, locked }) })
    selects.push(role.select)
  }
  const addresses = devices.map(({ address }) => address)
  return { demands, supplies: suppliesOf(view, devices), addresses, selects, findings }
}

function rolesOf({ spec }: View): { readonly vm: VmSpec; readonly role: RoleSpec }[] {
  return spec.vms.flatMap((vm) => vm.devices.map((role) => ({ vm, role })))
}

function suppliesOf(view: View, devices: readonly PciDevice[]): Supply[] {
  const unitNumbers = new Map(view.layout.units.map((unit, i) => [unit, i]))
  return devices.map((device) => {
    const { address, numaNode } = device
    const unit = view.layout.unitOf.get(address)
    const slot = address.slice(0, -2)
    const verdict = view.judgements.get(address)?.verdict
    return {
      unit: (unit && unitNumbers.get(unit)) ?? -1,
      card: view.layout.cardOf.get(address) ?? slot,
      slot,
      ...(numaNode === undefined || numaNode < 0 ? {} : { numaNode }),
      ...(verdict === 'caution' ? { caution: true } : {}),
      ...(verdict === 'unknown' || isWireless(device) ? { last: true } : {}),
    }
  })
}

function whyNone(view: View, vm: VmSpec, asked: RoleSpec, meant: readonly PciDevice[]): Finding[] {
  const { role, select, optional } = asked
  const at = placeOf(view.places, ['vms', vm.name, 'devices', role], 'key')
  const none = () => withoutIt(missing(view, vm.name, role, select), optional)
  const findings = meant.length === 0 ? [none()] : refused(view, vm.name, role, meant)
  return findings.map((finding) => ({ ...finding, ...defined({ at }) }))
}

/** A VM starts without an optional device that is not there; one that the host needs stays an error. */
function withoutIt(finding: Finding, optional: true | undefined): Finding {
  if (optional === undefined) return finding
  return { ...finding, severity: 'warning', message: `${finding.message}; the VM starts without it` }
}

function missing(view: View, vm: string, role: string, select: DeviceSelector): Finding {
  const near = nearMiss(view, select)
  const kinds = new Map<string, number>()
  for (const device of view.host.devices) {
    const kind = deviceClass(device)
    if (!isBridge(device) && kind !== 'other') kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const has = [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} × ${kind}`)
  const help =
    near ??
    (has.length === 0
      ? 'this host shows no device at all'
      : `it has ${listAll(has)}; handover inspect shows them`)
  return {
    code: 'device-missing',
    severity: 'error',
    message: `${role} of ${vm}: this host has no device that is ${sayDemand(select)}`,
    help,
  }
}

/** The one key that, left out, would let a device match: that key is probably what is wrong. */
function nearMiss(view: View, select: DeviceSelector): string | undefined {
  const keys = (Object.keys(select) as (keyof DeviceSelector)[]).filter(
    (key) => key !== 'card' && key !== 'pair',
  )
  if (keys.length < 2) return undefined
  for (const key of keys) {
    const found = findDevices(omit(select, key), view.host.devices, view.layout)
    if (found.length > 0 && found.length <= 4)
      return `without ${key} it would be ${listAll(found.map((device) => device.address))}`
  }
  return undefined
}

function refused(view: View, vm: string, role: string, meant: readonly PciDevice[]): Finding[] {
  const shown = meant.slice(0, 8)
  return shown.flatMap((device) =>
    refusalsOf(view, device.address).map((reason) => ({
      ...findingOf(reason),
      message: `${role} of ${vm}: ${reason.message}`,
    })),
  )
}

/**
 * Remembers by content for selectors and by identity for lists: 256 roles often ask for the same few things.
 */
function cached<A extends object, R>(make: (asked: A) => R): (asked: A) => R {
  const known = new Map<unknown, R>()
  return (asked) => {
    const key = Array.isArray(asked) ? asked : JSON.stringify(asked)
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(asked)
    known.set(key, made)
    return made
  }
}
