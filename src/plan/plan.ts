/**
 * plan: who gets what, what goes along, what is wrong, and every change. Pure: the same host, spec and lock give the same
 * plan, byte by byte. The web, the CLI, a dry run and the tests all call this one function.
 */
import { hasErrors, type Finding } from '../finding.ts'
import type { Host } from '../host/host.ts'
import { compareAddresses, type PciAddress } from '../pci/address.ts'
import { deviceClass, isBridge, type PciDevice } from '../pci/device.ts'
import { identityOf } from '../pci/identity.ts'
import { placeOf, type SpecPlaces } from '../spec/places.ts'
import type { Spec } from '../spec/spec.ts'
import { allocate, type Demand } from './allocate.ts'
import { layoutOf, type Layout } from './cards.ts'
import { judgeHost, type DeviceJudgement } from './judgement.ts'
import { planMemory } from './memory.ts'
import { planDrivers } from './plan-drivers.ts'
import { findDevices } from './select.ts'
import { startOrder } from './start-order.ts'
import type { Assignment, Plan, TakenAlong } from './types.ts'
import { listWords, sayDemand } from './words.ts'

export type PlanInput = { readonly places?: SpecPlaces }

type View = {
  readonly host: Host
  readonly layout: Layout
  readonly judgements: ReadonlyMap<PciAddress, DeviceJudgement>
  readonly places: SpecPlaces | undefined
}

export function plan(host: Host, spec: Spec, given: PlanInput = {}): Plan {
  const judgement = judgeHost(host)
  const view: View = {
    host,
    layout: layoutOf(host),
    judgements: new Map(judgement.devices.map((one) => [one.address, one])),
    places: given.places,
  }
  const demands = findDemands(view, spec)
  const shared = share(view, demands.demands)
  const taken = takeAlong(view, shared.assignments)
  const { memory, findings: memoryFindings } = planMemory(host, spec, given.places)
  const findings = [
    ...host.findings,
    ...judgement.findings,
    ...demands.findings,
    ...shared.findings,
    ...warningsOf(view, [...shared.assignments, ...taken]),
    ...memoryFindings,
  ]
  const leaving = [...shared.assignments, ...taken]
  return {
    assignments: shared.assignments,
    takenAlong: taken,
    spare: sparesOf(view, new Set(leaving.map(({ address }) => address))),
    staying: stayingOf(view),
    findings,
    steps: hasErrors(findings) ? [] : planDrivers(leaving, view.layout),
    needsReboot: false,
    memory,
    startOrder: startOrder(spec.vms),
  }
}

function findDemands(view: View, spec: Spec): { demands: Demand[]; findings: Finding[] } {
  const demands: Demand[] = []
  const findings: Finding[] = []
  const devices = view.host.devices.toSorted((a, b) => compareAddresses(a.address, b.address))
  for (const vm of spec.vms) {
    for (const { role, select } of vm.devices) {
      const meant = findDevices(select, devices, view.layout)
      const free = meant.filter((device) => !isRefused(view, device.address))
      if (free.length === 0) {
        const at = placeOf(view.places, ['vms', vm.name, 'devices', role], 'key')
        const why =
          meant.length === 0 ? [missing(view, vm.name, role, sayDemand(select))] : refusals(view, vm.name, role, meant)
        findings.push(...why.map((finding) => ({ ...finding, ...(at ? { at } : {}) })))
        continue
      }
      const { card, pair } = select
      const candidates = free.map((device) => view.host.devices.indexOf(device))
      demands.push({
        vm: vm.name,
        role,
        candidates,
        ...(card === undefined ? {} : { card }),
        ...(pair === undefined ? {} : { pair }),
      })
    }
  }
  return { demands, findings }
}

function isRefused(view: View, address: PciAddress): boolean {
  const members = view.layout.unitOf.get(address)?.members ?? [address]
  return members.some((member) => view.judgements.get(member)?.verdict === 'refused')
}

function missing(view: View, vm: string, role: string, words: string): Finding {
  const kinds = new Map<string, number>()
  for (const device of view.host.devices) {
    const kind = deviceClass(device)
    if (!isBridge(device) && kind !== 'other') kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const has = [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} × ${kind}`)
  return {
    code: 'device-missing',
    severity: 'error',
    message: `${role} of ${vm}: this host has no device that is ${words}`,
    help:
      has.length === 0 ? 'this host shows no device at all' : `it has ${listWords(has)}; handover inspect shows them`,
  }
}

function refusals(view: View, vm: string, role: string, meant: readonly PciDevice[]): Finding[] {
  return meant.flatMap((device) => {
    const members = view.layout.unitOf.get(device.address)?.members ?? [device.address]
    const own = view.judgements.get(device.address)?.reasons.filter((f) => f.severity === 'error') ?? []
    const others = members.flatMap(
      (member) => view.judgements.get(member)?.reasons.filter((f) => f.severity === 'error') ?? [],
    )
    return (own.length > 0 ? own : others).map((finding) => ({
      ...finding,
      message: `${role} of ${vm} cannot be ${device.address}: ${finding.message}`,
    }))
  })
}

function share(view: View, demands: readonly Demand[]): { assignments: Assignment[]; findings: Finding[] } {
  const unitNumbers = new Map(view.layout.units.map((unit, i) => [unit, i]))
  const supplies = view.host.devices.map(({ address }) => {
    const unit = view.layout.unitOf.get(address)
    const slot = address.slice(0, -2)
    return { unit: (unit && unitNumbers.get(unit)) ?? -1, card: view.layout.cardOf.get(address) ?? slot, slot }
  })
  const allocation = allocate({ demands, supplies })
  if (allocation.kind !== 'found') {
    const message = `these demands cannot all be met: ${listWords(demands.map(({ vm, role }) => `${role} of ${vm}`))}`
    return { assignments: [], findings: [{ code: 'demands-conflict', severity: 'error', message }] }
  }
  const assignments = demands.flatMap(({ vm, role }, i): Assignment[] => {
    const device = view.host.devices[allocation.chosen[i] ?? -1]
    if (device === undefined) return []
    const identity = identityOf(device, view.layout.devices)
    return [{ vm, role, address: device.address, identity, hostDriver: device.driver ?? null, moved: null }]
  })
  return { assignments, findings: [] }
}

function takeAlong(view: View, assignments: readonly Assignment[]): TakenAlong[] {
  const given = new Set(assignments.map(({ address }) => address))
  const taken: TakenAlong[] = []
  for (const { vm, address } of assignments) {
    for (const member of view.layout.unitOf.get(address)?.members ?? []) {
      const device = view.layout.devices.get(member)
      if (given.has(member) || device === undefined) continue
      given.add(member)
      const group = view.layout.groupOf.get(member)
      const sameGroup = group !== undefined && group === view.layout.groupOf.get(address)
      const because = sameGroup ? `group ${group}` : `same card as ${address}`
      taken.push({ vm, address: member, because, identity: identityOf(device, view.layout.devices) })
    }
  }
  return taken.toSorted((a, b) => compareAddresses(a.address, b.address))
}

/** What judging the devices that leave turned up short of refusing them. */
function warningsOf(view: View, leaving: readonly { vm: string; address: PciAddress }[]): Finding[] {
  return leaving.flatMap(
    ({ address }) => view.judgements.get(address)?.reasons.filter((f) => f.severity !== 'error') ?? [],
  )
}

const worthSparing = new Set(['nic', 'storage', 'nvme', 'gpu', 'usb'])

function sparesOf(view: View, leaving: ReadonlySet<PciAddress>): PciAddress[] {
  return view.host.devices
    .filter((device) => !isBridge(device) && worthSparing.has(deviceClass(device)))
    .map(({ address }) => address)
    .filter((address) => !leaving.has(address) && !isRefused(view, address))
    .toSorted(compareAddresses)
}

/** Refused devices with the first reason; bridges and the board's own small functions would only fill the page. */
function stayingOf(view: View): Plan['staying'] {
  return view.host.devices
    .filter((device) => !isBridge(device) && worthSparing.has(deviceClass(device)) && isRefused(view, device.address))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
    .map(({ address }) => ({ address, because: refusalWords(view, address) }))
}

function refusalWords(view: View, address: PciAddress): string {
  const members = view.layout.unitOf.get(address)?.members ?? [address]
  for (const member of [address, ...members]) {
    const need = view.host.needs.find((need) => need.device === member && need.weight === 'vital')
    const group = member === address ? '' : `, ${member} in its group`
    if (need) return `${[need.what, ...need.chain].join(' → ')}${group}`
    const error = view.judgements.get(member)?.reasons.find((finding) => finding.severity === 'error')
    if (error) return error.message
  }
  return 'refused'
}
