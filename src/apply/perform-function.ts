/**
 * MAC, VLAN, trust and spoof check of one virtual function: read and set through the network interface of its card, by
 * whatever name that has now. The card's identity is checked first.
 */
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError, CommandError } from '../errors.ts'
import type { PciAddress } from '../pci/address.ts'
import {
  isSameSetting,
  parseVirtualFunctions,
  pickSettings,
  settingKeys,
  settingWords,
  type VirtualFunctionSettings,
} from '../pci/virtual-functions.ts'
import type { Step } from '../plan/step.ts'
import type { Reader, System } from '../system/system.ts'
import { checkIdentity } from './check-identity.ts'
import type { Standing } from './read-state.ts'

/** Some drivers ask the card's firmware, which takes seconds. */
const ipSeconds = 30

type FunctionStep = Extract<Step, { kind: 'vf' }>

export function functionStanding(reader: Reader, step: FunctionStep): Standing {
  const what = `virtual function ${step.number} of ${step.address}`
  const port = findPort(reader, step.address)
  if (port === undefined) return { kind: 'gone', difference: `${step.address} has no network interface` }
  const text = reader.showLink?.(port)
  const known = text?.ok ? parseVirtualFunctions(text.value) : undefined
  if (known === undefined) return { kind: 'drifted', difference: `${what} cannot be read (ip link show dev ${port})` }
  const found = known.get(step.number)
  if (found === undefined) return { kind: 'gone', difference: `${what} is not there` }
  const is = pickSettings(found, step.after)
  if (isSameSetting(is, step.after)) return { kind: 'after' }
  if (isSameSetting(is, step.before)) return { kind: 'before' }
  const isBetween = settingKeys.every((key) => is[key] === step.before[key] || is[key] === step.after[key])
  return isBetween
    ? { kind: 'between' }
    : { kind: 'drifted', difference: `${what} has ${say(is)}, expected ${say(step.before)}` }
}

export async function performFunction(system: System, step: FunctionStep): Promise<void> {
  const { differences } = checkIdentity(system, step.address, step.identity)
  if (differences.length > 0)
    throw new AppError(`${step.address} is not the card that was meant: ${differences.join('; ')}`, {
      help: `nothing was changed; look at what sits there with: handover inspect ${step.address}`,
    })
  const port = findPort(system, step.address)
  if (port === undefined) throw new AppError(`${step.address} has no network interface`)
  const argv = ['ip', 'link', 'set', 'dev', port, 'vf', String(step.number), ...settingWords(step.after)]
  const result = await system.exec(argv, { timeoutSeconds: ipSeconds })
  if (result.timedOut) throw new AppError(`${formatCommand(argv)} did not answer within ${ipSeconds} seconds`)
  if (result.status !== 0) throw new CommandError(argv, result.status, result.stderr.slice(-2048))
  const standing = functionStanding(system, step)
  if (standing.kind === 'after') return
  const why = 'difference' in standing ? standing.difference : `only a part of ${say(step.after)} was taken`
  throw new AppError(`virtual function ${step.number} of ${step.address} is not as set: ${why}`)
}

/** The first of the card's own interfaces: a second one belongs to a second port of the same function, and lists the same. */
export function findPort(reader: Reader, address: PciAddress): string | undefined {
  const names = reader.list(`/sys/bus/pci/devices/${address}/net`)
  return names.ok ? names.value[0] : undefined
}

function say(settings: VirtualFunctionSettings): string {
  return settingWords(settings).join(' ')
}
