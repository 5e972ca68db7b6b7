/** Asks the guests for their devices, and compares them with the plan. The comparison is pure. */
import { defined } from '../base/defined.ts'
import type { JournalRecord } from '../apply/journal.ts'
import { AppError } from '../base/errors.ts'
import type { Assignment } from '../plan/types.ts'
import type { VmSpec } from '../spec/spec.ts'
import type { System } from '../machine/system.ts'
import { functionsFor } from './given.ts'
import { readGuestReport, type GuestDevice, type GuestReport } from './guest-report.ts'
import { engine, runningVms } from '../engines/engines.ts'

/** What is compared. Members that the host did not know, or that the guest did not report, are absent. */
export type Seen = {
  readonly vendorId?: string
  readonly deviceId?: string
  readonly classCode?: string
  readonly driver?: string
  readonly link?: boolean
  readonly macs?: readonly string[]
  readonly disks?: readonly string[]
}

export type RoleVerdict = {
  readonly vm: string
  readonly role: string
  /** The address on the host. */
  readonly address: string
  readonly guestAddress: string | null
  readonly promised: Seen
  readonly reported: Seen | null
  /** Null: not knowable; `differences` says why. */
  readonly match: boolean | null
  readonly differences: readonly string[]
  /** The line of the guest's report. */
  readonly evidence: string
}

export type VmVerdict = {
  readonly vm: string
  readonly roles: readonly RoleVerdict[]
  readonly report: GuestReport | null
  readonly problem: string | null
}

export async function verifyVm(system: System, record: JournalRecord, vm: VmSpec): Promise<VmVerdict> {
  const assignments = record.assignments.filter((assignment) => assignment.vm === vm.name)
  try {
    const places = await engine.places(system, vm.name, functionsFor(record, vm))
    const report = await readGuestReport(await engine.openReport(system, vm.name), 15)
    return {
      vm: vm.name,
      roles: assignments.map((a) =>
        isWithout(system, vm, a) ? withoutIt(a) : compareRole(a, vm, places.get(a.role), report),
      ),
      report,
      problem: null,
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return {
      vm: vm.name,
      roles: assignments.map((a) => unseen(a, error.message)),
      report: null,
      problem: error.message,
    }
  }
}

/** Pure. */
export function compareRole(
  assignment: Assignment,
  vm: VmSpec,
  guestAddress: string | undefined,
  report: GuestReport,
): RoleVerdict {
  const { identity } = assignment
  const promised: Seen = {
    ...statedIds(identity),
    ...defined({ classCode: identity.classCode }),
    // Only a Linux guest uses the same driver names as the host.
    ...(vm.guest === 'linux' && assignment.hostDriver !== null ? { driver: assignment.hostDriver } : {}),
    ...defined({ link: assignment.link }),
    ...(identity.macs?.length ? { macs: identity.macs } : {}),
    ...(identity.diskSerials?.length ? { disks: identity.diskSerials } : {}),
  }
  const found = findDevice(report, guestAddress, promised)
  if (!found) return { ...unseen(assignment, 'the guest does not see it'), promised }
  const reported = seenBy(found)
  const differences = Object.entries(promised).flatMap(([key, want]) => {
    const is = reported[key as keyof Seen]
    // A guest that says nothing about the link may have no driver for the port yet; its driver is compared.
    if (key === 'link' && is === undefined) return []
    return sameText(want, is) ? [] : [`${key} is ${textOf(is)}, promised was ${textOf(want)}`]
  })
  return {
    ...{ vm: assignment.vm, role: assignment.role, address: assignment.address, guestAddress: found.address },
    ...{ promised, reported, match: differences.length === 0, differences },
    evidence: report.lines.find((line) => line.startsWith(`device ${found.address} `)) ?? '',
  }
}

function findDevice(
  report: GuestReport,
  address: string | undefined,
  promised: Seen,
): GuestDevice | undefined {
  const byAddress = report.devices.find((device) => device.address === address)
  if (byAddress) return byAddress
  // The guest may renumber buses after its firmware did, so that QEMU's address is wrong: serials decide
  // then.
  return report.devices.find(
    (device) =>
      device.vendorId === promised.vendorId &&
      device.deviceId === promised.deviceId &&
      (promised.macs === undefined || promised.macs.includes(device.mac ?? '')) &&
      (promised.disks === undefined || device.disks.some((disk) => promised.disks?.includes(disk.serial))),
  )
}

function seenBy(device: GuestDevice): Seen {
  return {
    vendorId: device.vendorId,
    deviceId: device.deviceId,
    classCode: device.classCode,
    ...defined({ driver: device.driver, link: device.link }),
    ...(device.mac === undefined ? {} : { macs: [device.mac] }),
    ...(device.disks.length > 0 ? { disks: device.disks.map((disk) => disk.serial).toSorted() } : {}),
  }
}

/** The running VM was started without this optional device. */
function isWithout(system: System, vm: VmSpec, { role }: Assignment): boolean {
  if (vm.devices.find((one) => one.role === role)?.optional === undefined) return false
  const running = runningVms(system).find(({ name }) => name === vm.name)
  return running !== undefined && !running.functions.some((one) => one.role === role)
}

function withoutIt(assignment: Assignment): RoleVerdict {
  return { ...unseen(assignment, 'the VM runs without this optional device'), match: null }
}

function unseen(assignment: Assignment, why: string): RoleVerdict {
  return {
    ...{ vm: assignment.vm, role: assignment.role, address: assignment.address, guestAddress: null },
    ...{ promised: statedIds(assignment.identity), reported: null },
    ...{ match: false, differences: [why], evidence: '' },
  }
}

function statedIds({ vendorId, deviceId }: Assignment['identity']): Seen {
  return { ...defined({ vendorId, deviceId }) }
}

function textOf(value: Seen[keyof Seen]): string {
  if (value === undefined) return 'not reported'
  return typeof value === 'object' ? value.toSorted((a, b) => a.localeCompare(b)).join(', ') : String(value)
}

function sameText(a: Seen[keyof Seen], b: Seen[keyof Seen]): boolean {
  return a !== undefined && b !== undefined && textOf(a) === textOf(b)
}
