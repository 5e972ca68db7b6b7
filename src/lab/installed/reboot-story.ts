/**
 * The story of a host whose boot is changed: plan, apply, a trial boot, confirm, a plain restart, rollback.
 * Between the commands the story asks the kernel of the host what is true.
 */
import { z } from 'zod'
import { AppError } from '../../base/errors.ts'
import { allDifferences } from '../snapshot.ts'
import { mustWork, typeCommand, type Typist } from '../type-command.ts'
import {
  changedPaths,
  driverLines,
  readBootedAs,
  readFunctions,
  readState,
  type BootedAs,
  type HostState,
} from './host-state.ts'

/**
 * A restart under software emulation takes 20 to 60 s, and several minutes on a busy machine. Only a host
 * that hangs reaches this limit.
 */
export const restartSeconds = 900

const functions = z.array(z.object({ address: z.string() })).readonly()

/** What the story needs of `plan --json`. */
const plannedSchema = z.object({
  assignments: functions,
  takenAlong: functions,
  steps: z
    .array(
      z.object({
        kind: z.string(),
        path: z.exactOptional(z.string()),
        outputs: z.exactOptional(z.array(z.string()).readonly()),
      }),
    )
    .readonly(),
  needsReboot: z.boolean(),
})

export type PlannedSteps = Readonly<z.infer<typeof plannedSchema>>

/** The capture of the host as it was at the beginning. */
export async function runRebootStory(story: Typist): Promise<string> {
  const { host, log } = story
  await log.phase('look at the host', async () => {
    await host.run('cp /opt/handover/specs/*.yaml /root/')
    await typeCommand(story, 'handover inspect')
  })
  const capture = (await host.run('handover capture')).lines.join('\n')
  const before = await log.phase('remember every file', () => readState(host))
  const booted = await readBootedAs(host)
  log.check(
    'at first the IOMMU is off',
    booted.groups === 0 && !booted.isTrial,
    `${booted.groups} groups; ${booted.cmdline}`,
  )
  await runTrial(story, before)
  await runRollback(story, before, booted)
  await typeCommand(story, 'handover journal')
  return `${capture}\n`
}

/** From the apply to a plain restart after the confirmation. */
async function runTrial(story: Typist, before: HostState): Promise<void> {
  const { log } = story
  const planned = await readPlan(story, 'reboot.yaml')
  const addresses = [...planned.assignments, ...planned.takenAlong].map(({ address }) => address)
  const drivers = addresses
    .map((address) => before.functions.get(address)?.driver ?? '-')
    .filter((name) => name !== '-')
  const handed = { addresses, drivers: [...new Set(drivers)] }
  await log.phase('apply', async () =>
    mustWork(await typeCommand(story, 'handover apply reboot.yaml --yes'), 'apply'),
  )
  await checkOnlyPlanned(story, before, planned)

  await log.phase('restart into the trial', () => restart(story))
  await checkHandedOver(story, 'on trial', handed, true)
  await log.phase('wait until the trial is healthy', () => waitUntilHealthy(story))
  await log.phase('confirm', async () => mustWork(await typeCommand(story, 'handover confirm'), 'confirm'))

  await log.phase('restart as on any day', () => restart(story))
  await checkHandedOver(story, 'after a plain restart', handed, false)
  const again = await readPlan(story, 'reboot.yaml')
  log.check(
    'the machine is as planned: planning again finds nothing to do',
    again.steps.length === 0 && !again.needsReboot,
    `${again.steps.length} steps, needsReboot ${again.needsReboot}`,
  )
}

async function runRollback(story: Typist, before: HostState, booted: BootedAs): Promise<void> {
  const { host, log } = story
  await log.phase('rollback', async () =>
    mustWork(await typeCommand(story, 'handover rollback --yes'), 'rollback'),
  )
  await log.phase('restart after the rollback', () => restart(story))
  await checkAsBefore(story, 'after rollback and a restart', before)
  const end = await readBootedAs(host)
  log.check(
    'the host boots as at the beginning',
    end.cmdline === booted.cmdline && end.groups === 0,
    end.cmdline,
  )
}

export async function restart({ host }: Typist): Promise<void> {
  await host.restart(async () => {
    // In the background, since the agent goes down with the host and could not answer.
    await host.run('(sleep 0.5; systemctl reboot) >/dev/null 2>&1 &')
  }, restartSeconds)
}

export async function readPlan({ host }: Typist, spec: string): Promise<PlannedSteps> {
  const said = await host.run(`handover plan ${spec} --json 2>/dev/null`)
  try {
    return plannedSchema.parse(JSON.parse(said.lines.join('\n')))
  } catch (error) {
    throw new AppError('handover plan --json gave no JSON in the lab host', {
      cause: error,
      help: said.lines.slice(-5).join('\n'),
    })
  }
}

/**
 * The rule: the plan names every path that differs after `apply`. New folders above a named path are allowed.
 */
async function checkOnlyPlanned(
  { host, log }: Typist,
  before: HostState,
  planned: PlannedSteps,
): Promise<void> {
  const { files } = await readState(host)
  const changed = changedPaths(before.files, files)
  const named = planned.steps.flatMap((step) => step.outputs ?? (step.path === undefined ? [] : [step.path]))
  const patterns = named.map(
    (path) => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`),
  )
  const unplanned = changed.filter(
    (path) =>
      !patterns.some((pattern) => pattern.test(path)) && !named.some((one) => one.startsWith(`${path}/`)),
  )
  log.check(
    'every path that differs after apply is named in the plan',
    changed.length > 0 && unplanned.length === 0,
    unplanned.length > 0 ? `unplanned: ${unplanned.join(', ')}` : changed.join(', '),
  )
}

/** The functions that leave the host, and the drivers they had there. */
type HandedOver = { readonly addresses: readonly string[]; readonly drivers: readonly string[] }

export async function checkHandedOver(
  { host, log }: Typist,
  when: string,
  { addresses, drivers: own }: HandedOver,
  isTrial: boolean,
): Promise<void> {
  const booted = await readBootedAs(host)
  log.check(
    `${when} the IOMMU is on`,
    booted.groups > 0 && booted.isTrial === isTrial,
    `${booted.groups} groups; ${booted.cmdline}`,
  )
  const functions = await readFunctions(host)
  const drivers = addresses.map((address) => `${address} ${functions.get(address)?.driver ?? 'missing'}`)
  log.check(
    `${when} every assigned device is on vfio-pci`,
    addresses.length > 0 && drivers.every((line) => line.endsWith(' vfio-pci')),
    drivers.join('; '),
  )
  const touched = await driverLines(host, own, addresses)
  // The log has lines of the same drivers about the functions that stay, so it would show lines about others.
  const staying = [...functions.values()].filter(({ driver }) => own.includes(driver))
  const others = await driverLines(
    host,
    own,
    staying.map(({ address }) => address),
  )
  log.check(
    `${when} no driver of the host ever touched them`,
    own.length > 0 && touched.length === 0 && others.length > 0,
    touched[0] ??
      `${addresses.length} functions named by no driver; of the host's own ` +
        `${others.length} lines: ${others[0] ?? ''}`,
  )
}

export async function waitUntilHealthy({ host }: Typist): Promise<void> {
  const said = await host.run(
    'for i in $(seq 100); do grep -qx healthy /run/handover/trial-health && exit 0; sleep ' +
      '1; done; cat /run/handover/trial-health; exit 1',
  )
  if (said.status === 0) return
  throw new AppError(`the trial boot is not healthy: ${said.lines.join(' ') || 'nothing has checked it'}`)
}

export async function checkAsBefore({ host, log }: Typist, when: string, before: HostState): Promise<void> {
  const now = await readState(host)
  const changed = changedPaths(before.files, now.files)
  log.check(
    `${when} every file is as at the beginning`,
    changed.length === 0 && now.files.size > 100,
    changed.length === 0 ? `${now.files.size} facts compared` : changed.join(', '),
  )
  const moved = allDifferences(before.functions, now.functions)
  log.check(
    `${when} every driver is as at the beginning`,
    moved.length === 0 && now.functions.size > 0,
    moved.length === 0 ? `${now.functions.size} functions compared` : moved.join('; '),
  )
}
