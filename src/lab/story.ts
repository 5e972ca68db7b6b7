/**
 * The story of the seed example, run by the real tool inside the lab host: the commands a user would type,
 * and between them the lab's own questions to the kernel, the guests and the outer QEMU.
 */
import { z } from 'zod'
import type { AcceleratorKind } from '../base/accelerator.ts'
import { AppError } from '../base/errors.ts'
import type { VmVerdict } from '../run/verify.ts'
import type { LabHost } from './lab-host.ts'
import { measurement, measureVirtio } from './measurement.ts'
import type { MediaFile } from './media-disks.ts'
import type { LabLog } from './result.ts'
import { parseSnapshot, type Snapshot } from './snapshot.ts'
import { mustWork, typeCommand as type } from './type-command.ts'
import {
  checkAfterRollback,
  checkGuests,
  checkNetwork,
  checkScreen,
  checkUntouched,
  type NetworkAnswers,
  type VerifyDocument,
} from './story-checks.ts'

export type StoryInput = {
  readonly host: LabHost
  readonly log: LabLog
  /** The text of the lab's internet page; new in every run. */
  readonly page: string
  readonly media: readonly MediaFile[]
  /** Takes a screenshot of the passed-through display from outside: binary PPM. */
  readonly screenshot: () => Promise<Uint8Array>
  readonly colour: boolean
}

export type StoryOutcome = {
  /** `handover capture` of the host as it was at the beginning. */
  readonly capture: string
  /** Host address → VM that owned the device while the guests ran. */
  readonly owners: Readonly<Record<string, string>>
  /** Under which the guests ran; null where none did. */
  readonly guestAccelerator: AcceleratorKind | null
}

const specFile = 'home.yaml'
const measuredDisk = 'MEDIA-1'

export async function runStory(story: StoryInput): Promise<StoryOutcome> {
  const { host, log } = story
  const before = await snapshot(host)
  const capture = await lookAtHost(story)
  await log.phase('plan', async () => mustWork(await type(story, `handover plan ${specFile}`), 'plan'))
  await log.phase('apply', async () =>
    mustWork(await type(story, `handover apply ${specFile} --yes`), 'apply'),
  )
  const applied = await snapshot(host)
  await log.phase('up', async () => mustWork(await type(story, 'handover up'), 'up'))
  const guestAccelerator = await readAccelerator(host)
  const document = await log.phase('verify', async () => {
    const { status } = await type(story, 'handover verify')
    return { match: status === 0, vms: await readCertificates(host) }
  })
  await log.phase('look from outside', async () => {
    checkNetwork(log, document, await askNetwork(story, document))
    checkGuests(log, before, document)
    checkScreen(log, await story.screenshot())
    log.measurements.push(measurement('passed through', await host.run('handover lab ask media measure')))
  })
  const running = await snapshot(host)
  await log.phase('down', async () => mustWork(await type(story, 'handover down'), 'down'))
  await log.phase('rollback', async () => mustWork(await type(story, 'handover rollback --yes'), 'rollback'))
  const after = await snapshot(host)
  checkUntouched(log, { before, applied, running, after }, document)
  checkAfterRollback(log, before, after)
  await log.phase('measure virtio', async () => {
    const say = (text: string) => log.report({ kind: 'note', text })
    log.measurements.push(await measureVirtio(host, measuredDisk, say))
  })
  const owners = document.vms.flatMap((vm) => vm.roles.map((role) => [role.address, vm.vm]))
  return { capture, owners: Object.fromEntries(owners), guestAccelerator }
}

/** The capture of the host as it is before anything is applied. */
async function lookAtHost(story: StoryInput): Promise<string> {
  const { host, log } = story
  await log.phase('inspect', async () => {
    await type(story, 'handover inspect')
  })
  const capture = await log.phase('capture', async () =>
    (await host.run('handover capture')).lines.join('\n'),
  )
  await log.phase('measure the bare host', async () => {
    log.measurements.push(
      measurement('bare host', await host.run(`/lib/lab/measure.sh ${measuredDisk} 3000`)),
    )
  })
  return capture
}

const statusSchema = z.object({ vms: z.array(z.object({ accelerator: z.enum(['kvm', 'tcg']) })) })

/** As the tool recorded it of the guests that run. */
async function readAccelerator(host: LabHost): Promise<AcceleratorKind | null> {
  const { lines } = await host.run('handover status --json')
  const status = statusSchema.safeParse(parseJson(lines.join('\n')))
  return status.success ? (status.data.vms[0]?.accelerator ?? null) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No document: no guest is known.
    return undefined
  }
}

async function snapshot(host: LabHost): Promise<Snapshot> {
  return parseSnapshot((await host.run('/lib/lab/snapshot.sh')).lines)
}

/** What `handover verify` wrote down: a certificate for each VM, one line each. */
async function readCertificates(host: LabHost): Promise<readonly VmVerdict[]> {
  const said = await host.run('cat /var/lib/handover/certificates/*.json')
  try {
    return said.lines.map((line) => JSON.parse(line) as VmVerdict)
  } catch (error) {
    throw new AppError('the certificates of handover verify are not JSON', {
      cause: error,
      help: said.lines.slice(-5).join('\n'),
    })
  }
}

/** The host itself asks: its lease, its route, the internet's page, the media files. */
async function askNetwork(
  { host, page, media }: StoryInput,
  document: VerifyDocument,
): Promise<NetworkAnswers> {
  const one = async (command: string) => (await host.run(command)).lines.join('\n').trim()
  // The DHCP client asks every second; the lease may be a moment younger than the firewall's first answer.
  const lease = await one(
    'for i in 1 2 3 4 5 6 7 8 9 10; do cat /run/lease.br0 2>/dev/null && break; sleep 1; done',
  )
  const server =
    document.vms.find((vm) => vm.vm === 'media')?.report?.addresses[0]?.address.split('/')[0] ?? '0.0.0.0'
  const fetched = []
  for (const file of media) {
    const url = `http://${server}/${file.disk}/${file.name}`
    const sum = await one(`timeout 20 wget -q -O - ${url} | sha256sum`)
    fetched.push({ file, url, sha256: sum.split(' ')[0] ?? '' })
  }
  return {
    lease,
    route: await one("ip route show default | grep '^default'"),
    page: await one('timeout 20 wget -q -O - http://10.0.2.100/'),
    expectedPage: page.trim(),
    media: fetched,
  }
}
