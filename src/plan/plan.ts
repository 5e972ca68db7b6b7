/**
 * plan: who gets what, what goes along, what is wrong, and every change. Pure: the same host, spec and lock
 * give the same plan, byte by byte. The web, the CLI, a dry run and the tests all call this one function.
 */
import { defined } from '../base/defined.ts'
import { hasErrors, type Finding } from '../base/finding.ts'
import type { Binding } from '../boot/early-binding.ts'
import type { Host } from '../host/host.ts'
import { isGivenUp } from '../judge/checks/needs.ts'
import type { Identity } from '../pci/identity.ts'
import type { Lock } from '../spec/lock.ts'
import type { SpecPlaces } from '../spec/places.ts'
import type { Spec } from '../spec/spec.ts'
import type { Step } from '../steps/step.ts'
import { sparesOf, stayingOf, takeAlong } from './who/along.ts'
import { demandsOf } from './who/demands.ts'
import { followLock } from './who/follow-lock.ts'
import { removeForeignIds, type Removal } from './changes/foreign-ids.ts'
import { concessionsOf } from './who/concessions.ts'
import { checkLastLegs } from './who/last-legs.ts'
import { checkLeftovers } from './changes/leftovers.ts'
import { planMemory } from './outlook/memory.ts'
import { leaveBootAlone } from './changes/boot-left-alone.ts'
import type { BootChange } from '../boot/edits.ts'
import { bootChange, noBootPlan, planBoot, type BootPlan, type BootWish } from './changes/plan-boot.ts'
import { checkWhatIsLeft, withConditions } from './outlook/conditions.ts'
import { checkBridges } from './outlook/networks.ts'
import { checkOutage, forecastOutage, hostWaits } from './outlook/outage.ts'
import { checkKernelArguments } from './changes/kernel-arguments.ts'
import { planHugepages } from './changes/plan-hugepages.ts'
import { planUnits } from './changes/plan-units.ts'
import { planResets } from './changes/plan-reset.ts'
import { planVirtualFunctions } from './changes/plan-sriov.ts'
import { planDrivers } from './changes/plan-drivers.ts'
import { guardsOf } from './changes/pool-guard.ts'
import { settle } from './who/settled.ts'
import { share } from './who/share.ts'
import { startOrder } from './outlook/start-order.ts'
import type { Plan } from './types.ts'
import { viewOf } from './who/view.ts'
import { checkVmDisks } from './outlook/vm-disks.ts'
import { checkVmFiles } from './outlook/vm-files.ts'
import { checkVmStart } from './outlook/vm-start.ts'
import { warningsOf } from './outlook/warnings.ts'

/** `places` lets findings point into the spec; `lock` holds the identities of last time. */
export type PlanInput = {
  readonly places?: SpecPlaces
  readonly lock?: Lock
  /** New kernel arguments get one trial boot first, unless this is false. */
  readonly trial?: boolean
  /** How many minutes the trial boot waits for its confirmation; 10 when absent. */
  readonly trialMinutes?: number
  /** False leaves alone how the host boots: the drivers then change until the next reboot only. */
  readonly boot?: boolean
  /**
   * True where the host is an input that does not say what the machine uses, such as a listing: what the
   * input leaves open counts as free, each assignment states its condition, and there are no steps.
   */
  readonly conditional?: boolean
}

export function plan(host: Host, spec: Spec, given: PlanInput = {}): Plan {
  const who = decideWho(host, spec, given)
  const changes = decideChanges(who, given)
  const { view, shared, gone, said, concessions, functions } = who
  const { memory, boot } = changes
  const doubtful = [...who.lock.followed]
    .filter(([, followed]) => followed.kind === 'lost')
    .map(([key]) => key)
  const findings = findingsOf(who, changes, given)
  const conditional = given.conditional === true
  return {
    ...(conditional ? { conditional } : {}),
    assignments: conditional ? withConditions(view, shared.assignments) : shared.assignments,
    takenAlong: conditional ? withConditions(view, who.taken) : who.taken,
    spare: sparesOf(view, gone),
    staying: stayingOf(view, gone),
    ...(doubtful.length > 0 ? { doubtful } : {}),
    ...(said.settled.length > 0 ? { settled: said.settled } : {}),
    ...(concessions.open.length > 0 ? { concessions: concessions.open } : {}),
    findings,
    steps: conditional || hasErrors(findings) ? [] : stepsOf(who, changes, given),
    needsReboot: boot.needsReboot,
    ...(functions.again && host.iommu.state !== 'off' ? { again: true } : {}),
    memory: memory.memory,
    startOrder: startOrder(spec.vms),
    outage: forecastOutage(spec),
  }
}

/** Who gets which device, what goes along, and what the host gives up for it. */
function decideWho(host: Host, spec: Spec, given: PlanInput) {
  const functions = planVirtualFunctions(host, spec, given.places)
  const view = viewOf(host, functions.spec, given.places, functions.physicalOf)
  const lock = followLock(view, given.lock)
  const wanted = demandsOf(view, lock.followed)
  const shared = share(view, wanted, lock.followed)
  const taken = takeAlong(view, shared.assignments)
  const leaving = [...shared.assignments, ...taken]
  const gone = new Set(leaving.map(({ address }) => address))
  const said = settle(view)
  const concessions = concessionsOf(view, gone)
  return { host, spec, functions, view, lock, wanted, shared, taken, leaving, gone, said, concessions }
}

type Who = ReturnType<typeof decideWho>

/** What changes on the host for it. */
function decideChanges({ host, spec, functions, leaving, gone }: Who, given: PlanInput) {
  const memory = planMemory(host, spec, given.places)
  const resets = planResets(host, leaving)
  const hugepages = planHugepages(host, spec, given.places)
  const identities = leaving.map(({ address, identity }) => withResets(identity, resets.methods.get(address)))
  const removal = spec.host.foreignIds === 'remove' ? removeForeignIds(host, given.boot !== false) : undefined
  const wish = wishOf(spec, given, {
    identities,
    guards: guardsOf(host, gone),
    replace: withRemoval(hugepages.arguments, removal),
    edits: removal?.edits ?? [],
  })
  const units = planUnits(host, spec)
  const files = [...hugepages.files, ...functions.files, ...units.files]
  const boot = planBootOf(host, spec, { wish, files, given })
  return { memory, resets, hugepages, units, removal, files, boot }
}

type Changes = ReturnType<typeof decideChanges>

function findingsOf(who: Who, changes: Changes, given: PlanInput): Finding[] {
  const { places } = given
  const { host, spec, functions, view, lock, wanted, shared, leaving, gone, said, concessions } = who
  const { memory, hugepages, units, removal, boot } = changes
  const kept = host.needs.filter((need) => !isGivenUp(need, new Set(spec.host.giveUp)))
  return bySeverity([
    ...[view, lock, wanted, shared].flatMap((part) => part.findings),
    ...warningsOf(view, leaving, {
      needsReboot: boot.needsReboot && bootChange(host) !== undefined,
      conditional: given.conditional === true,
    }),
    ...(given.conditional === true ? checkWhatIsLeft(view, gone) : []),
    ...[memory, hugepages, functions, units, boot].flatMap((part) => part.findings),
    ...checkKernelArguments(spec, places),
    ...said.findings,
    ...concessions.findings,
    ...checkLastLegs(kept, gone),
    ...checkLeftovers(view, gone, removal),
    ...checkBridges(host, spec, places),
    ...checkVmFiles(host, spec, places),
    ...checkVmDisks(view, leaving),
    ...checkVmStart(view, leaving),
    ...checkOutage(spec, places),
  ])
}

/**
 * What fails soonest comes first. Without a working IOMMU vfio-pci cannot take a device: the drivers follow
 * after the reboot.
 */
function stepsOf(
  { host, functions, leaving, view }: Who,
  changes: Changes,
  given: PlanInput,
): readonly Step[] {
  const { resets, hugepages, files, boot } = changes
  const atBoot = given.boot === false ? [] : [...files, ...boot.steps]
  const setup = [...hugepages.steps, ...functions.steps, ...atBoot]
  const handing = host.iommu.state === 'off' ? [] : [...resets.steps, ...planDrivers(leaving, view.layout)]
  return [...setup, ...handing]
}

function wishOf(
  spec: Spec,
  given: PlanInput,
  more: Pick<BootWish, 'identities' | 'guards' | 'replace' | 'edits'>,
): BootWish {
  return {
    ...more,
    trial: given.trial ?? true,
    arguments: spec.host.kernelArguments ?? [],
    waits: hostWaits(spec),
    ...defined({ minutes: given.trialMinutes }),
  }
}

function withRemoval(change: BootChange | undefined, removal: Removal | undefined): BootChange {
  return { add: change?.add ?? [], remove: [...(change?.remove ?? []), ...(removal?.arguments ?? [])] }
}

function withResets(identity: Identity, resetMethods: readonly string[] | undefined): Binding {
  return resetMethods === undefined ? identity : { ...identity, resetMethods }
}

/** How another machine boots is planned there. */
function planBootOf(
  host: Host,
  spec: Spec,
  { wish, files, given }: { wish: BootWish; files: readonly Step[]; given: PlanInput },
): BootPlan {
  if (given.conditional === true) return noBootPlan
  return given.boot === false ? leaveBootAlone(host, wish, files) : bootOf(host, spec, wish)
}

/** A spec without real devices needs no IOMMU, so none is turned on for it. */
function bootOf(host: Host, spec: Spec, wish: BootWish): BootPlan {
  const asks = spec.vms.some((vm) => vm.devices.length > 0)
  return planBoot(host, { ...wish, iommu: asks })
}

const severities = ['error', 'warning', 'note'] as const

/**
 * What stops the plan first. A fact about the whole host that a role fails by is reported once, at the role.
 */
function bySeverity(findings: readonly Finding[]): Finding[] {
  const failing = new Set(
    findings.filter((f) => f.severity === 'error' && f.at !== undefined).map((f) => f.code),
  )
  return severities.flatMap((severity) =>
    findings.filter(
      (f) => f.severity === severity && (severity === 'error' || f.at !== undefined || !failing.has(f.code)),
    ),
  )
}
