/**
 * judgeHost: a verdict with reasons for every function of a host. Pure: `inspect` shows what it says and `plan` refuses
 * by it.
 */
import type { Host, IommuGroup } from '../host/host.ts'
import type { PciDevice } from '../pci/device.ts'
import type { PciAddress } from '../pci/address.ts'
import { isVfioDriver } from '../pci/vfio-driver.ts'
import type { Draft } from '../pci/draft.ts'
import { canPredictGroups } from '../pci/predict-groups.ts'
import { nothing } from './check.ts'
import { checks } from './checks.ts'
import { checkHost } from './host-checks.ts'
import type { DeviceJudgement, GroupJudgement, JudgeOptions, Judgement, Reason, Verdict } from './types.ts'
import { companions, viewOf, type HostView } from './view.ts'

export function judgeHost(host: Host, options?: JudgeOptions): Judgement {
  const view = viewOf(host, options)
  return {
    devices: view.host.devices.map((device) => judgeDevice(device, view)),
    groups: view.groups.map((group) => judgeGroup(group, view)),
    ...predictionOf(view),
    findings: checkHost(view),
  }
}

/** Only where the input carries configuration space (bytes, or what `lspci -vvv` says of it). */
function predictionOf(view: HostView): Pick<Judgement, 'predicted'> {
  return canPredictGroups(view.host.devices) ? { predicted: view.foretold() } : {}
}

function judgeDevice(device: PciDevice, view: HostView): DeviceJudgement {
  let reasons: readonly Reason[] = nothing
  // By index: a function for every check of every device is garbage to collect.
  for (let i = 0; i < checks.length; i += 1) {
    const found = checks[i]?.(device, view) ?? nothing
    if (found.length > 0) reasons = reasons.length === 0 ? found : [...reasons, ...found]
  }
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

/** VFIO takes a group when nobody in it holds the DMA interface: no driver, a VFIO or stub driver, or pcieport. */
function viabilityOf(group: IommuGroup, view: HostView): boolean | undefined {
  let viable: boolean | undefined = true
  for (const address of group.devices) {
    const driver = view.byAddress.get(address)?.driver
    if (driver === undefined) viable = undefined
    else if (driver !== null && !isHarmless(driver)) return false
  }
  return viable
}

/** These leave their device's DMA to whoever holds the group (`driver_managed_dma`, drivers/pci/pci-driver.c). */
function isHarmless(driver: string): boolean {
  return isVfioDriver(driver) || stubs.has(driver)
}

const stubs: ReadonlySet<string> = new Set(['pci-stub', 'pcieport', 'shpchp'])

export function findJudgement(judgement: Judgement, address: PciAddress): DeviceJudgement | undefined {
  return judgement.devices.find((device) => device.address === address)
}
