/**
 * Virtual functions: made on cards that stay with the host, set up, and recreated at every boot. Which
 * functions there will be is known only when the card has made them, so a plan makes them first; roles that
 * ask for one wait, and the plan after that apply sets them up and gives them away, each identified as it
 * then is.
 */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import { virtualFunctionFiles, type WantedFunctions } from '../../boot/virtual-functions.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import { isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { identityOf, type Identity } from '../../pci/identity.ts'
import {
  isSameSetting,
  pickSettings,
  settingKeys,
  settingWords,
  type VirtualFunctionSettings,
} from '../../pci/virtual-functions.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec, VirtualFunctionsSpec } from '../../spec/spec.ts'
import { runsSystemd } from '../../boot/boot-paths.ts'
import { layoutOf, type Layout } from '../who/cards.ts'
import { ownFileSteps, removeFileSteps } from '../../boot/own-file-steps.ts'
import { findDevices } from '../who/select.ts'
import { sayWaiting, waitingRoles, withoutRoles } from './waiting-roles.ts'
import type { Step, SysfsStep } from '../../steps/step.ts'
import { nameOf, sayDemand } from '../words.ts'

export type FunctionPlan = {
  /** The spec without the roles that wait. */
  readonly spec: Spec
  readonly physicalOf: ReadonlyMap<string, PciAddress>
  readonly steps: readonly Step[]
  /** For every later boot. */
  readonly files: readonly Step[]
  readonly findings: readonly Finding[]
  /** Virtual functions are made by this plan: the next one gives them away. */
  readonly again: boolean
}

type Problem = { readonly message: string; readonly help?: string; readonly severity?: 'warning' }

export function planVirtualFunctions(host: Host, spec: Spec, places?: SpecPlaces): FunctionPlan {
  const asked = spec.host.virtualFunctions ?? []
  const physicalOf = new Map<string, PciAddress>()
  if (asked.length === 0)
    return { spec, physicalOf, steps: [], files: forget(host), findings: [], again: false }
  const layout = layoutOf(host)
  const findings: Finding[] = []
  const steps: Step[] = []
  const wanted: WantedFunctions[] = []
  const there = new Set<string>()
  for (const one of asked) {
    const found = findPhysical(one, layout)
    if ('message' in found) {
      findings.push(told(one, found, places))
      continue
    }
    physicalOf.set(one.name, found.address)
    const identity = identityOf(found, layout.devices)
    const planned = planCard(host, one, { device: found, identity })
    findings.push(...planned.problems.map((problem) => told(one, problem, places)))
    if (planned.problems.some(({ severity }) => severity === undefined)) continue
    steps.push(...planned.steps)
    wanted.push({ identity, count: one.count, functions: one.functions })
    if (planned.isThere) there.add(one.name)
  }
  const waiting = waitingRoles(spec, there)
  return {
    spec: withoutRoles(spec, waiting),
    physicalOf,
    steps,
    files: filesFor(host, wanted),
    findings: [...findings, ...sayWaiting(waiting, { findings, iommu: host.iommu.state, places })],
    again:
      steps.some((step) => step.kind === 'sysfs' && step.purpose === 'virtual-functions') &&
      (waiting.length > 0 || isSetUpLater(asked, there)),
  }
}

/** Settings wait as roles do: what a function has is known when it is there. */
function isSetUpLater(asked: readonly VirtualFunctionsSpec[], there: ReadonlySet<string>): boolean {
  return asked.some(
    ({ name, functions }) => !there.has(name) && functions.some((one) => settingWords(one).length > 0),
  )
}

/** The one card that is meant. */
function findPhysical({ name, of }: VirtualFunctionsSpec, layout: Layout): PciDevice | Problem {
  const found = findDevices(of, [...layout.devices.values()], layout).filter(
    (device) => !isVirtualFunction(device),
  )
  const [device] = found
  if (device === undefined)
    return {
      message: `the virtual functions ${name} are to be made on ${sayDemand(of)}, and this host has none`,
      help: 'handover inspect shows what there is',
    }
  const alike = listAll(found.slice(0, 6).map(({ address }) => address))
  if (found.length > 1)
    return {
      message: `the virtual functions ${name} are to be made on ${sayDemand(of)}: that is each of ${alike}`,
      help: 'say more about the card, such as its mac, serial or slot',
    }
  return device
}

type SharedPort = { readonly device: PciDevice; readonly identity: Identity }
type PlannedCard = {
  readonly steps: readonly Step[]
  readonly problems: readonly Problem[]
  readonly isThere: boolean
}

function planCard(host: Host, one: VirtualFunctionsSpec, card: SharedPort): PlannedCard {
  const { device } = card
  const stop = (message: string, help?: string): PlannedCard => ({
    steps: [],
    problems: [{ message, ...defined({ help }) }],
    isThere: false,
  })
  const what = `${device.address} (${nameOf(device)})`
  const { sriov } = device
  if (sriov === undefined && !isKnownWithout(host, device))
    return stop(
      `the input does not say whether ${what} makes virtual functions, or how many`,
      'run handover plan on the machine, or add the output of: sudo lspci -nnvvv',
    )
  if (sriov === undefined || sriov.totalVfs === 0)
    return stop(
      `${what} makes no virtual functions: it has no SR-IOV capability`,
      'some cards have it switched off: look for SR-IOV in the firmware setup, or in the tool of its maker',
    )
  if (sriov.totalVfs !== undefined && one.count > sriov.totalVfs)
    return stop(`${what} makes ${sriov.totalVfs} virtual functions at most, and ${one.count} are wanted`)
  if (device.driver === null || device.driver === 'vfio-pci')
    return stop(
      `${what} has ${device.driver === null ? 'no driver' : 'driver vfio-pci'}, and only ` +
        'its own driver makes virtual functions',
      'give it back to its driver first',
    )
  if (sriov.numVfs === one.count) return planSettings(host, one, card)
  if (sriov.numVfs > 0)
    return stop(
      `${what} has ${sriov.numVfs} virtual functions, and ${one.count} are wanted; the ` +
        'kernel changes the number only by removing all',
      'stop what uses them (handover down), then: echo 0 > ' +
        `/sys/bus/pci/devices/${device.address}/sriov_numvfs`,
    )
  // Without an IOMMU nothing could be given away: the functions are made after the reboot that turns it on.
  if (host.iommu.state === 'off') return { steps: [], problems: [], isThere: false }
  return { steps: makingSteps(one, card), problems: needsPort(one, card), isThere: false }
}

/**
 * sysfs has `sriov_totalvfs` where there is the capability; a listing, or a copy of a few files, may only
 * leave it out.
 */
function isKnownWithout({ source }: Host, { facts }: PciDevice): boolean {
  return facts?.sriov === null || source.kind === 'live' || source.kind === 'capture'
}

function makingSteps({ count }: VirtualFunctionsSpec, { device, identity }: SharedPort): Step[] {
  const { address, sriov } = device
  const folder = `/sys/bus/pci/devices/${address}`
  const of = { address, identity }
  const step = (
    name: string,
    change: Pick<SysfsStep, 'before' | 'after' | 'why' | 'partial' | 'purpose'>,
  ): Step => ({
    kind: 'sysfs',
    path: `${folder}/${name}`,
    of,
    ...change,
  })
  const why = 'new virtual functions wait for a virtual machine, not for drivers of the host'
  return [
    ...(sriov?.driversAutoprobe === true
      ? [step('sriov_drivers_autoprobe', { before: '1', after: '0', why })]
      : []),
    step('sriov_numvfs', {
      before: '0',
      after: String(count),
      partial: true,
      purpose: 'virtual-functions',
      why: `${count} virtual functions of ${nameOf(device)}`,
    }),
  ]
}

function needsPort(one: VirtualFunctionsSpec, { device }: SharedPort): Problem[] {
  const isSetUp = one.functions.some((settings) => settingWords(settings).length > 0)
  if (!isSetUp || (device.networkInterfaces ?? []).length > 0) return []
  return [
    {
      message:
        `${device.address} has no network interface, and MAC, VLAN, trust and spoof check ` +
        'are set through it',
      help: `leave functions out of ${one.name}, or let the card have its driver`,
    },
  ]
}

/** The functions are there: what of their settings is not as wanted. */
function planSettings(host: Host, one: VirtualFunctionsSpec, card: SharedPort): PlannedCard {
  const { device, identity } = card
  const problems = [...needsPort(one, card)]
  const steps: Step[] = []
  const known = device.sriov?.functions
  for (const [number, wanted] of one.functions.entries()) {
    if (problems.length > 0 || settingWords(wanted).length === 0) continue
    const is = known?.[number]
    if (is === undefined) {
      problems.push(unread(host, device))
      continue
    }
    const before = pickSettings(is, wanted)
    const missing = settingKeys.filter((key) => wanted[key] !== undefined && before[key] === undefined)
    if (missing.length > 0)
      problems.push({
        message:
          `${device.address}: its driver ${device.driver ?? ''} does not know ` +
          `${listAll(missing.map(keyWord))} of a virtual function`,
        help: `leave ${listAll(missing.map(keyWord))} out of ${one.name}`,
      })
    else if (!isSameSetting(before, wanted))
      steps.push({
        kind: 'vf',
        address: device.address,
        identity,
        number,
        before,
        after: wanted,
        why: `virtual function ${number} of ${one.name}`,
      })
  }
  return { steps, problems, isThere: true }
}

/** On another machine's listing they are not known, and that is no reason to say nothing else. */
function unread(host: Host, { address }: PciDevice): Problem {
  const message = `settings of the virtual functions of ${address} cannot be read, so they are not compared`
  if (host.source.kind !== 'live') return { message, severity: 'warning' }
  return { message, help: 'install ip (package iproute2)' }
}

function keyWord(key: keyof VirtualFunctionSettings): string {
  return key === 'spoofCheck' ? 'spoof-check' : key
}

function told({ name }: VirtualFunctionsSpec, problem: Problem, places: SpecPlaces | undefined): Finding {
  const at = placeOf(places, ['host', 'virtual-functions', name], 'key')
  return {
    code: 'virtual-functions',
    severity: problem.severity ?? 'error',
    message: problem.message,
    ...defined({ help: problem.help, at }),
  }
}

function filesFor(host: Host, wanted: readonly WantedFunctions[]): Step[] {
  if (host.iommu.state === 'off' || !runsSystemd(host)) return []
  if (wanted.length === 0) return []
  return ownFileSteps(
    virtualFunctionFiles(wanted),
    host.files ?? [],
    'the same virtual functions at every boot',
  )
}

function forget(host: Host): Step[] {
  return removeFileSteps(
    virtualFunctionFiles([]),
    host.files ?? [],
    'no virtual functions are wanted any more',
  )
}
