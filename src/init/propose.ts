/**
 * Who could get what, for what the owner wants (pure). Every choice is planned before it is proposed: a
 * proposal whose plan has an error is never made. What cannot be served names what is in the way.
 */
import { hasErrors, type Finding } from '../base/finding.ts'
import type { Host } from '../host/host.ts'
import type { PciDevice } from '../pci/device.ts'
import { layoutOf, type Layout } from '../plan/who/cards.ts'
import { plan } from '../plan/plan.ts'
import type { Assignment, Plan } from '../plan/types.ts'
import { nameOf, portWords } from '../plan/words.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import { keysOf } from './name-device.ts'
import { choicesFor, sizesFor, type DeviceDraft, type VmDraft, type Wish } from './wishes.ts'
import { writeSpec } from './write-spec.ts'

export type Proposed = Pick<Assignment, 'vm' | 'role' | 'address' | 'onlyIf'> & { readonly why: string }

export type Refused = { readonly wish: Wish; readonly reasons: readonly Finding[] }

export type Proposal = {
  readonly assignments: readonly Proposed[]
  readonly refused: readonly Refused[]
  /** The whole home.yaml; absent where no wish can be served. */
  readonly text?: string
  /** Warnings and notes of its plan. */
  readonly findings: readonly Finding[]
}

export type Circumstances = {
  /** The host is an input that does not say what the machine uses. */
  readonly conditional: boolean
  /** Serials and addresses of the host are stand-ins, as in a capture. */
  readonly standIns: boolean
}

export function propose(host: Host, asked: readonly Wish[], given: Circumstances): Proposal {
  const served: Served[] = []
  const refused: Refused[] = []
  for (const wish of asked) {
    const choices = choicesFor(wish, host).map((devices) => ({ wish, devices }))
    const tried = tryChoices(host, served, choices, given)
    if (tried.choice === undefined) refused.push({ wish, reasons: tried.reasons })
    else served.push(tried.choice)
  }
  if (served.length === 0) return { assignments: [], refused, findings: [] }
  const named = nameDevices(host, sized(served, host), given)
  return { ...named, refused }
}

type Served = Pick<VmDraft, 'wish' | 'devices'>

/** The memory is shared among the VMs that there will be, and not among all that were asked for. */
function sized(served: readonly Served[], host: Host): VmDraft[] {
  const sizes = sizesFor(
    served.map(({ wish }) => wish),
    host,
  )
  return served.map((one) => ({ ...one, ...(sizes.get(one.wish) ?? { memoryMiB: 1024, cpus: 1 }) }))
}

type Tried = { readonly choice?: Served; readonly reasons: readonly Finding[] }

/** The first that plans without an error; else why the best one does not. */
function tryChoices(
  host: Host,
  served: readonly Served[],
  choices: readonly Served[],
  given: Circumstances,
): Tried {
  let reasons: readonly Finding[] = []
  for (const choice of choices) {
    const obstacles = obstaclesOf(planOf(host, writeSpec(sized([...served, choice], host)), given))
    if (obstacles.length === 0) return { choice, reasons: [] }
    if (reasons.length === 0 || obstacles.length < reasons.length) reasons = obstacles
  }
  return { reasons }
}

/** In a conditional plan the last port or controller is an obstacle, too: the machine needs one itself. */
function obstaclesOf({ findings }: Pick<Plan, 'findings'>): Finding[] {
  const last = new Set(['host-network', 'host-disk', 'boot-display'])
  const found = findings.filter(
    ({ severity, code }) => severity === 'error' || (severity === 'warning' && last.has(code)),
  )
  return [...new Map(found.map(({ at: _place, ...finding }) => [finding.message, finding])).values()]
}

function planOf(host: Host, text: string, { conditional }: Circumstances): Plan {
  const { spec, places } = parseSpec(text, 'home.yaml')
  if (spec === undefined) throw new TypeError('init wrote a spec that cannot be read')
  return plan(host, spec, { places, ...(conditional && { conditional }) })
}

/** The devices of the plan by the surest keys; the plan of the result is the last check. */
function nameDevices(
  host: Host,
  served: readonly VmDraft[],
  given: Circumstances,
): Omit<Proposal, 'refused'> {
  const first = planOf(host, writeSpec(served), given)
  const layout = layoutOf(host)
  const named = served.map((vm): VmDraft => ({
    ...vm,
    devices: vm.devices.map((device) => nameDevice(host, layout, first, { vm, device })),
  }))
  const text = writeSpec(named, notesOf(given))
  const last = planOf(host, text, given)
  const isSame = last.assignments.every(({ vm, role, address }) =>
    first.assignments.some((one) => one.vm === vm && one.role === role && one.address === address),
  )
  if (hasErrors(last.findings) || !isSame) throw new TypeError('init named a device in another way')
  const assignments = last.assignments.map(({ vm, role, address, onlyIf }): Proposed => ({
    ...{ vm, role, address, why: whyOf(layout.devices.get(address), layout) },
    ...(onlyIf === undefined ? {} : { onlyIf }),
  }))
  return { assignments, text, findings: last.findings }
}

function nameDevice(
  host: Host,
  layout: Layout,
  { assignments }: Plan,
  { vm, device }: { readonly vm: VmDraft; readonly device: DeviceDraft },
): DeviceDraft {
  const given = assignments.find((one) => one.vm === vm.wish && one.role === device.role)
  const found = given && layout.devices.get(given.address)
  if (found === undefined) return device
  const keys = keysOf(found, host.devices, layout)
  return { role: device.role, keys, comment: `${whyOf(found, layout)}; today ${found.address}` }
}

/** `Intel I350, port 1 of 4; enp5s0f0`. */
function whyOf(device: PciDevice | undefined, layout: Layout): string {
  if (device === undefined) return ''
  const { address, networkInterfaces = [], disks = [] } = device
  const parts = [
    [nameOf(device), portWords(address, layout)].filter((part) => part !== '').join(', '),
    ...networkInterfaces.slice(0, 2).map(({ name }) => name),
    ...(disks.length === 0 ? [] : [`disks: ${disks.map(({ name, serial }) => serial ?? name).join(', ')}`]),
  ]
  return parts.join('; ')
}

function notesOf({ conditional, standIns }: Circumstances): string[] {
  return [
    ...(conditional
      ? ['The listing does not say what the host uses: plan this on the machine itself before anything else.']
      : []),
    ...(standIns
      ? ['Serials and MAC addresses of a capture are stand-ins: on the machine, run handover init again.']
      : []),
  ]
}
