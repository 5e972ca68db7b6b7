/**
 * Trial boots that go wrong: one loses the network, one does not start, one is not confirmed. After each the
 * host goes back to its old boot entry by itself.
 */
import { mustWork, typeCommand, type Typist } from '../type-command.ts'
import { readBootedAs, readState, type HostState } from './host-state.ts'
import { checkAsBefore, restart, restartSeconds } from './reboot-story.ts'

type Failure = {
  readonly name: string
  readonly spec: string
  /** False where the trial boot never reaches the point at which the agent answers. */
  readonly answers: boolean
  /** The reason that the host gives afterwards. */
  readonly reason: RegExp
}

const failures: readonly Failure[] = [
  {
    name: 'a trial without the network',
    spec: 'reboot-no-network.yaml',
    answers: true,
    reason: /there is no default route|does not have its address/,
  },
  {
    name: 'a trial that does not start',
    spec: 'reboot-no-start.yaml',
    answers: false,
    reason: /did not come up/,
  },
  { name: 'a trial that nobody confirms', spec: 'reboot.yaml', answers: true, reason: /nobody confirmed it/ },
]

/** `console`: everything the host wrote on its serial console so far. */
export async function runFailureStory(story: Typist, console: () => string): Promise<string> {
  const { host, log } = story
  await host.run('cp /opt/handover/specs/*.yaml /root/')
  const capture = (await host.run('handover capture')).lines.join('\n')
  const before = await log.phase('remember every file', () => readState(host))
  for (const failure of failures) await runFailure(story, failure, { before, console })
  return `${capture}\n`
}

async function runFailure(
  story: Typist,
  { name, spec, answers, reason }: Failure,
  given: { readonly before: HostState; readonly console: () => string },
): Promise<void> {
  const { host, log } = story
  await log.phase(`${name}: apply`, async () =>
    mustWork(await typeCommand(story, `handover apply ${spec} --yes --confirm-within '4 min'`), 'apply'),
  )
  const seen = given.console().length
  await log.phase(`${name}: restart`, () => restart(story))
  if (answers) {
    const trial = await readBootedAs(host)
    log.check(`${name} is started`, trial.isTrial, trial.cmdline)
    await log.phase(`${name}: until it goes back by itself`, () =>
      host.restart(() => Promise.resolve(), restartSeconds),
    )
  } else {
    const tried = /Booting .Handover: trial boot|handover\.trial=1/.exec(given.console().slice(seen))
    log.check(`${name} is started`, tried !== null, tried?.[0] ?? 'the boot loader never named it')
  }
  const back = await readBootedAs(host)
  log.check(`after ${name} the old entry is back`, !back.isTrial && back.groups === 0, back.cmdline)
  const said = await typeCommand(story, 'handover journal')
  const why = said.lines.find((line) => reason.test(line))
  log.check(`after ${name} the journal says why`, why !== undefined, why ?? said.lines.slice(-3).join(' | '))
  await log.phase(`${name}: rollback`, async () =>
    mustWork(await typeCommand(story, 'handover rollback --yes'), 'rollback'),
  )
  await checkAsBefore(story, `after ${name}`, given.before)
}
