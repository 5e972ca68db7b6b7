/**
 * MAC, VLAN, trust and spoof check of one virtual function: set, and read again, through the network interface of its card, by
 * whatever name that has now. The card's identity is checked first.
 */
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError, CommandError } from '../base/errors.ts'
import { settingWords } from '../pci/virtual-functions.ts'
import type { Step } from './step.ts'
import type { System } from '../machine/system.ts'
import { refuseOther } from './check-identity.ts'
import { findPort } from './read-functions.ts'
import { readStanding } from './read-state.ts'

/** Some drivers ask the card's firmware, which takes seconds. */
const ipSeconds = 30

type FunctionStep = Extract<Step, { kind: 'vf' }>

export async function performFunction(system: System, step: FunctionStep): Promise<void> {
  refuseOther(system, step.address, step.identity)
  const port = findPort(system, step.address)
  if (port === undefined) throw new AppError(`${step.address} has no network interface`)
  const argv = ['ip', 'link', 'set', 'dev', port, 'vf', String(step.number), ...settingWords(step.after)]
  const result = await system.exec(argv, { timeoutSeconds: ipSeconds })
  if (result.timedOut) throw new AppError(`${formatCommand(argv)} did not answer within ${ipSeconds} seconds`)
  if (result.status !== 0) throw new CommandError(argv, result.status, result.stderr.slice(-2048))
  const standing = readStanding(system, step)
  if (standing.kind === 'after') return
  const why =
    'difference' in standing ? standing.difference : `only a part of ${settingWords(step.after).join(' ')} was taken`
  throw new AppError(`virtual function ${step.number} of ${step.address} is not as set: ${why}`)
}
