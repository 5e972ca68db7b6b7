/** inspect: a host, and the verdict on each of its devices. It only looks. */
import { defined } from '../base/defined.ts'
import { AppError } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import type { Host } from '../host/host.ts'
import { judgeHost } from '../judge/judge.ts'
import { leftOpen } from '../judge/left-open.ts'
import type { Judgement } from '../judge/types.ts'
import type { System } from '../machine/system.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import { readSource } from './read-source.ts'

export type InspectRequest = {
  /** A capture, folder, archive or listing in place of the machine; `-` is standard input. */
  readonly from?: string
  /** The one device that is asked about: all of its configuration space is read. */
  readonly address?: PciAddress
}

export type Inspection = {
  readonly host: Host
  readonly judgement: Judgement
  readonly device?: PciDevice
}

export async function inspect(system: System, { from, address }: InspectRequest = {}): Promise<Inspection> {
  const host = await readSource(system, from, address === undefined ? 'verdicts' : 'all')
  const device = address && host.devices.find((one) => one.address === address)
  if (address !== undefined && device === undefined)
    throw new AppError(`there is no device ${address} on this host`, {
      help: 'handover inspect --table lists all',
    })
  const judgement = judgeHost(host, { ownVms: host.needs.flatMap(({ vm }) => vm ?? []) })
  return { host, judgement, ...defined({ device }) }
}

/** What is to be said of the host as a whole, for pages that list the reasons of no device. */
export function hostFindings({ host, judgement }: Inspection): Finding[] {
  return [...judgement.findings, ...host.findings, ...leftOpen(judgement)]
}
