/** Bare `handover`: what this host is to Handover now, and the next command. */
import { readHistory } from '../../app/journal.ts'
import { vmStatus, type VmStatus } from '../../app/status.ts'
import { AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { wrap } from '../../base/text.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { version } from '../version.ts'

type Next = readonly (readonly [command: string, why: string])[]
type State = { readonly words: string; readonly next: Next }

const first: Next = [
  ['handover inspect', 'what can be given to a VM, and why not the rest'],
  ['handover plan home.yaml', 'who gets what, before anything is touched'],
]

export async function runGreet(
  _args: readonly string[],
  _options: ReadingOptions,
  { system, out, style, columns }: Context,
): Promise<ExitCode> {
  const { words, next } = await stateOf(system)
  const width = Math.max(...next.map(([command]) => command.length))
  const lines = next.map(([command, why]) => `${command.padEnd(width)}  ${why}`)
  const about = 'gives real PCI devices to virtual machines, and takes nothing from the host that it needs'
  out(
    [
      ...wrap(`${style.bold(`Handover ${version}`)} ${about}.`, columns, 0),
      '',
      ...wrap(`${style.bold('State')}  ${clean(words)}`, columns, 7),
      ...lines.map((line, i) => `${i === 0 ? `${style.bold('Next')} ` : '     '}  ${line}`),
      `${style.bold('Help')}   handover --help`,
    ].join('\n'),
  )
  return exitCode.done
}

/** What cannot be read is reported here, too: a greeting never fails. */
async function stateOf(system: Context['system']): Promise<State> {
  try {
    const { journals, trial } = await readHistory(system)
    if (trial !== undefined) return { words: trial.message, next: trialNext(trial.code) }
    const vms = await vmStatus(system)
    if (journals.length === 0) return { words: 'nothing was applied on this host', next: first }
    if (vms.length === 0) return { words: 'no plan is in force on this host', next: first }
    return { words: vms.map(({ name, state }) => `${name} ${state}`).join(', '), next: nextOf(vms) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { words: error.message, next: [['sudo handover', error.help ?? 'as root'], ...first] }
  }
}

function trialNext(code: string): Next {
  if (code === 'trial-unconfirmed')
    return [['handover confirm', 'when everything works; else wait: the host goes back by itself']]
  return [
    ['handover journal', 'what was done, and why the trial ended'],
    ['handover rollback', 'takes it back'],
  ]
}

function nextOf(vms: readonly VmStatus[]): Next {
  const look = ['handover status', 'each VM, its devices, and what it said last'] as const
  return vms.every(({ state }) => state === 'running')
    ? [look, ['handover verify', 'look inside the guests, and compare with the plan']]
    : [['handover up', 'starts the VMs, each when what it needs answers'], look]
}
