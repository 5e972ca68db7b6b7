/** The checks of the story (pure): each has the evidence it rests on. A check that saw nothing fails. */
import type { GuestReport } from '../run/guest-report.ts'
import type { VmVerdict } from '../run/verify.ts'
import { matchPattern } from '../images/pattern.ts'
import type { MediaFile } from './media-disks.ts'
import type { LabLog } from './result.ts'
import { allDifferences, differences, type Snapshot } from './snapshot.ts'

/** What verify said in all, and what it wrote down of each VM. */
export type VerifyDocument = { readonly match: boolean; readonly vms: readonly VmVerdict[] }

export type NetworkAnswers = {
  readonly lease: string
  readonly route: string
  readonly page: string
  readonly expectedPage: string
  readonly media: readonly { readonly file: MediaFile; readonly sha256: string; readonly url: string }[]
}

function reportOf(document: VerifyDocument, vm: string): GuestReport | undefined {
  return document.vms.find((candidate) => candidate.vm === vm)?.report ?? undefined
}

export function checkNetwork(log: LabLog, document: VerifyDocument, answers: NetworkAnswers): void {
  const lease = reportOf(document, 'firewall')?.facts.find((fact) => fact.startsWith('lease wan ')) ?? ''
  log.check(
    'the WAN port, inside the firewall guest, has a lease',
    /address=10\.0\.2\.\d+/.test(lease),
    lease || 'no lease reported',
  )
  log.check(
    'the host has its own address on br0 from the firewall guest',
    /address=192\.168\.77\.\d+ .*server=192\.168\.77\.1/.test(answers.lease) &&
      answers.route.includes('via 192.168.77.1'),
    `${answers.lease || 'no lease'}; ${answers.route || 'no default route'}`,
  )
  log.check(
    'a page of the internet reaches the host through the firewall guest',
    answers.page !== '' && answers.page === answers.expectedPage,
    `http://10.0.2.100/ said «${answers.page.slice(0, 100)}»`,
  )
  const wrong = answers.media.filter(({ file, sha256 }) => file.sha256 !== sha256)
  log.check(
    'media files fetched from the media guest have the SHA-256 they were written with',
    answers.media.length > 0 && wrong.length === 0,
    answers.media.map(({ url, sha256 }) => `${url} ${sha256.slice(0, 16)}…`).join('; ') || 'nothing fetched',
  )
}

/** Compares what the guests see with what the kernel of the bare host showed, without asking the tool. */
export function checkGuests(log: LabLog, before: Snapshot, document: VerifyDocument): void {
  const roles = document.vms.flatMap((vm) => vm.roles)
  const wrong: string[] = []
  const right: string[] = []
  for (const role of roles) {
    const bare = before.get(role.address)
    const guest = role.reported
    const same =
      bare !== undefined &&
      guest !== null &&
      bare.ids === `${guest.vendorId}:${guest.deviceId}` &&
      bare.classCode === guest.classCode &&
      bare.driver === guest.driver &&
      bare.macs.join() === (guest.macs ?? []).join() &&
      bare.disks.toSorted((a, b) => a.localeCompare(b)).join() === (guest.disks ?? []).join()
    const words =
      `${role.vm}/${role.role} ${bare?.ids ?? '?'} ${bare?.driver ?? '?'} ${[...(bare?.macs ?? []), ...(bare?.disks ?? [])].join(' ')}`.trim()
    if (same) right.push(words)
    else wrong.push(`${words}, but the guest says: ${role.evidence || role.differences.join('; ')}`)
  }
  log.check(
    'ids, class, driver, MAC and disk serials in the guests equal what the bare host saw',
    roles.length > 0 && wrong.length === 0,
    [...wrong, ...right].join('; '),
  )
  log.check(
    'handover verify agrees',
    document.match,
    `${roles.filter((role) => role.match).length} of ${roles.length} roles match`,
  )
}

export function checkScreen(log: LabLog, ppm: Uint8Array): void {
  const { points, right, size } = matchPattern(ppm)
  log.check(
    'a screenshot of the passed-through display shows the pattern the guest painted',
    right === points,
    `${size}: ${right} of ${points} sampled points have the painted colour`,
  )
}

type Stages = {
  readonly before: Snapshot
  readonly applied: Snapshot
  readonly running: Snapshot
  readonly after: Snapshot
}

/**
 * Every function that is in no guest kept its driver at every stage. The evidence names the spare pair.
 */
export function checkUntouched(log: LabLog, stages: Stages, document: VerifyDocument): void {
  const given = new Set(document.vms.flatMap((vm) => vm.roles.map((role) => role.address)))
  const kept = [...stages.before.values()].filter((line) => !given.has(line.address))
  const changed = kept.flatMap((line) =>
    [stages.applied, stages.running, stages.after].flatMap((stage) =>
      differences(line, stage.get(line.address)),
    ),
  )
  const spare = kept.filter(
    (line) => line.ids === '8086:10d3' && line.disks.length === 0 && line.address.startsWith('0000:02:'),
  )
  const spareChanged = changed.filter((text) => spare.some((line) => text.startsWith(line.address)))
  log.check(
    'the spare pair never changed',
    spare.length === 2 && spareChanged.length === 0,
    spareChanged.join('; ') || spare.map((line) => `${line.address} stayed with ${line.driver}`).join('; '),
  )
  const driven = kept.filter((line) => line.driver !== '-')
  log.check(
    'the refused devices never left their drivers',
    driven.length > 0 && changed.length === 0,
    changed.join('; ') || driven.map((line) => `${line.address} ${line.driver}`).join('; '),
  )
  const bound = [...given].filter((address) => stages.applied.get(address)?.driver === 'vfio-pci')
  log.check(
    'every planned device was on vfio-pci after apply',
    given.size > 0 && bound.length === given.size,
    `${bound.length} of ${given.size}: ${bound.join(' ')}`,
  )
}

export function checkAfterRollback(log: LabLog, before: Snapshot, after: Snapshot): void {
  const changed = allDifferences(before, after)
  log.check(
    'after rollback drivers, overrides and groups equal the beginning',
    before.size > 0 && changed.length === 0,
    changed.join('; ') || `${before.size} functions compared`,
  )
}
