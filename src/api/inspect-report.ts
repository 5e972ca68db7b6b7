/**
 * How the document of `inspect --json` is made of a Host and its Judgement. Absent knowledge is an absent key
 * or null. It loads no schema: `inspect` pays for none.
 */
import type { Finding } from '../base/finding.ts'
import type { Host, HostNeed } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import { findingOf } from '../judge/reasons.ts'
import type { DeviceJudgement, GroupJudgement, Judgement, Reason } from '../judge/types.ts'
import type { InspectDocument } from './inspect.ts'

type ReportedDevice = InspectDocument['devices'][number]
type ReportedGroup = InspectDocument['groups'][number]

export function inspectDocument(host: Host, judgement: Judgement): InspectDocument {
  const judgedOf = judgedBy(judgement.devices)
  const groupOf = groupFinder(judgement.groups)
  const { predicted } = judgement
  return {
    schema: 1,
    source: host.source,
    iommu: {
      state: host.iommu.state,
      kind: host.iommu.kind,
      interruptRemapping: host.iommu.interruptRemapping ?? null,
    },
    devices: host.devices.map((device, index) =>
      reportDevice(device, judgedOf(device.address, index), groupOf),
    ),
    groups: judgement.groups.map(reportGroup),
    ...(predicted && {
      predictedGroups: predicted.map((group) => group.devices),
      predictedConfidence: predicted.map((group) => group.confidence),
    }),
    ...(host.lostNeeds && host.lostNeeds.length > 0 && { lostNeeds: host.lostNeeds }),
    findings: allFindings(host, judgement),
  }
}

/** Devices are judged in their order; where the judgement is of another host, they are looked for. */
function judgedBy(judged: readonly DeviceJudgement[]) {
  let byAddress: Map<PciAddress, DeviceJudgement> | undefined
  return (address: PciAddress, index: number): DeviceJudgement | undefined => {
    const there = judged[index]
    if (there?.address === address) return there
    byAddress ??= new Map(judged.map((one) => [one.address, one]))
    return byAddress.get(address)
  }
}

/** By the list of groups, for devices that do not state their own. */
function groupFinder(groups: readonly GroupJudgement[]) {
  let ids: Map<PciAddress, number> | undefined
  return (address: PciAddress): number | undefined => {
    ids ??= new Map(groups.flatMap(({ id, devices }) => devices.map((member) => [member, id] as const)))
    return ids.get(address)
  }
}

function reportDevice(
  device: PciDevice,
  judged: DeviceJudgement | undefined,
  groupOf: (address: PciAddress) => number | undefined,
): ReportedDevice {
  return {
    address: device.address,
    name: device.name,
    vendorId: device.vendorId,
    deviceId: device.deviceId,
    subsystemVendorId: device.subsystemVendorId,
    subsystemId: device.subsystemId,
    classCode: device.classCode,
    driver: device.driver,
    numaNode: device.numaNode,
    resetMethods: device.resetMethods,
    iommuGroup: device.iommuGroup ?? groupOf(device.address) ?? device.iommuGroup,
    path: device.path,
    serial: device.deviceSerialNumber ?? device.nvmeSerial ?? device.vpdSerial,
    neededBy: (judged?.neededBy ?? []).map(reportNeed),
    verdict: judged?.verdict ?? 'unknown',
    findings: codesOf(judged?.reasons ?? []),
  }
}

function codesOf(reasons: readonly Reason[]): readonly string[] {
  // By index: taking a list apart by an iterator is garbage for every device.
  const first = reasons[0]
  const second = reasons[1]
  if (first === undefined) return []
  if (second === undefined) return [first.code]
  if (reasons.length === 2) return first.code === second.code ? [first.code] : [first.code, second.code]
  return [...new Set(reasons.map((reason) => reason.code))]
}

/** From the card up to the need, as the contract shows it: `["eth0", "br0"]`. */
function reportNeed(need: HostNeed): { what: string; chain: readonly string[] } {
  return { what: need.what, chain: need.chain.toReversed() }
}

function reportGroup(group: GroupJudgement): ReportedGroup {
  return { id: group.id, devices: group.devices, viable: group.viable ?? null, isolated: group.isolated }
}

/** The host's own findings first, then each device's in order; what several devices share is listed once. */
function allFindings(host: Host, judgement: Judgement): Finding[] {
  const findings = new Map<string, Finding>()
  for (const finding of [...judgement.findings, ...host.findings]) findings.set(finding.message, finding)
  for (const { reasons } of judgement.devices) {
    for (const reason of reasons) findings.set(reason.message, findingOf(reason))
  }
  return [...findings.values()]
}

/**
 * The same document about one device: its own facts, its group, and the findings about it or the whole host.
 */
export function onlyDevice(report: InspectDocument, address: PciAddress): InspectDocument {
  return {
    ...report,
    devices: report.devices.filter((device) => device.address === address),
    groups: report.groups.filter((group) => group.devices.includes(address)),
    ...(report.predictedGroups && keepForecast(report, address)),
    findings: report.findings.filter(({ about }) => about === undefined || about.includes(address)),
  }
}

function keepForecast(report: InspectDocument, address: PciAddress): Partial<InspectDocument> {
  const index = report.predictedGroups?.findIndex((group) => group.includes(address)) ?? -1
  const group = report.predictedGroups?.[index]
  const confidence = report.predictedConfidence?.[index]
  return { predictedGroups: group ? [group] : [], predictedConfidence: confidence ? [confidence] : [] }
}
