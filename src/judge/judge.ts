/**
 * judgeHost: a verdict with reasons for every function of a host. Pure: `inspect` shows what it says and
 * `plan` refuses by it.
 */
import type { Host, IommuGroup } from '../host/host.ts'
import type { PciDevice } from '../pci/device.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Draft } from '../pci/draft.ts'
import { canPredictGroups } from '../pci/predict-groups.ts'
import { nothing } from './check.ts'
import { checks } from './checks.ts'
import { groupJudge } from './group-verdict.ts'
import { checkHost } from './host-checks.ts'
import type { DeviceJudgement, GroupJudgement, JudgeOptions, Judgement, Reason, Verdict } from './types.ts'
import { viabilityOf } from './viability.ts'
import type { HostView } from './host-view.ts'
import { companions, viewOf } from './view.ts'

export function judgeHost(host: Host, options?: JudgeOptions): Judgement {
  const view = viewOf(host, options)
  return {
    devices: judgeDevices(view),
    groups: view.groups.map((group) => judgeGroup(group, view)),
    ...predictionOf(view),
    findings: checkHost(view),
  }
}

/** Only where the input carries configuration space (bytes, or what `lspci -vvv` says of it). */
function predictionOf(view: HostView): Pick<Judgement, 'predicted'> {
  return canPredictGroups(view.host.devices) ? { predicted: view.predicted() } : {}
}

/** Each function for itself, then with what leaves together with it. */
function judgeDevices(view: HostView): DeviceJudgement[] {
  const { devices } = view.host
  const own = devices.map((device) => ownReasons(device, view))
  const byAddress = new Map(devices.map(({ address }, index) => [address, own[index] ?? nothing]))
  const ofGroup = groupJudge(view, (address) => byAddress.get(address) ?? nothing)
  return devices.map((device, index) =>
    judgeDevice(device, view, inOrder(own[index] ?? nothing, ofGroup(device))),
  )
}

function ownReasons(device: PciDevice, view: HostView): readonly Reason[] {
  let reasons: readonly Reason[] = nothing
  // By index: a function for every check of every device is garbage to collect.
  for (let i = 0; i < checks.length; i += 1) {
    const found = checks[i]?.(device, view) ?? nothing
    if (found.length > 0) reasons = reasons.length === 0 ? found : [...reasons, ...found]
  }
  return reasons
}

/** What refuses the function itself first, then its group, then its own drawbacks. */
function inOrder(own: readonly Reason[], ofGroup: readonly Reason[]): readonly Reason[] {
  if (ofGroup.length === 0) return own
  if (own.length === 0) return ofGroup
  const isFirst = ({ severity, undecided }: Reason) => severity === 'error' || undecided === true
  return [...own.filter(isFirst), ...ofGroup, ...own.filter((reason) => !isFirst(reason))]
}

function judgeDevice(device: PciDevice, view: HostView, reasons: readonly Reason[]): DeviceJudgement {
  return {
    address: device.address,
    verdict: verdictOf(reasons),
    reasons,
    neededBy: view.needsOf(device.address),
    goesWith: companions(device, view),
  }
}

/** Refusal beats ignorance, ignorance beats a drawback. */
export function verdictOf(reasons: readonly Reason[]): Verdict {
  let verdict: Verdict = 'ready'
  for (let i = 0; i < reasons.length; i += 1) {
    const reason = reasons[i]
    if (reason?.severity === 'error' && reason.undecided !== true) return 'refused'
    if (reason?.undecided === true) verdict = 'unknown'
    else if (reason?.severity === 'warning' && verdict === 'ready') verdict = 'caution'
  }
  return verdict
}

function judgeGroup(group: IommuGroup, view: HostView): GroupJudgement {
  const { id, devices, otherMembers, type, reservedRegions } = group
  const isolated = view.isolation().get(id)?.isolated ?? 'unknown'
  const judged: Draft<GroupJudgement> = { id, devices, viable: viabilityOf(group, view), isolated }
  if (otherMembers !== undefined) judged.otherMembers = otherMembers
  if (type !== undefined) judged.type = type
  if (reservedRegions !== undefined) judged.reservedRegions = reservedRegions
  return judged
}

export function findJudgement(judgement: Judgement, address: PciAddress): DeviceJudgement | undefined {
  return judgement.devices.find((device) => device.address === address)
}
