/**
 * Sets MAC, VLAN, trust and spoof check of one virtual function, and reads them again, through the network
 * interface of its card, whose name may change between boots. The card's identity is checked first.
 */
import { z } from 'zod'
import { formatCommand } from '../boot/shell-quote.ts'
import { addressSchema } from '../base/address-schema.ts'
import { AppError, CommandError } from '../base/errors.ts'
import {
  isSameSetting,
  parseVirtualFunctions,
  pickSettings,
  settingKeys,
  settingWords,
} from '../pci/virtual-functions.ts'
import type { Reader, System } from '../machine/system.ts'
import { refuseOther } from './check-identity.ts'
import { findElsewhere } from './elsewhere.ts'
import { stepKind, type Past, type Standing, type Undone } from './kind.ts'
import { identity, text } from './parts.ts'
import { findPort } from './read-functions.ts'

const settings = z.object({
  mac: z.exactOptional(z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)),
  vlan: z.exactOptional(z.int().min(0).max(4095)),
  trust: z.exactOptional(z.boolean()),
  spoofCheck: z.exactOptional(z.boolean()),
})

/** Only the settings that the step names are compared and changed. */
const schema = z.object({
  kind: z.literal('vf'),
  address: addressSchema.describe('the physical function'),
  identity,
  number: z.int().min(0).max(65_535),
  before: settings,
  after: settings,
  why: text,
})

export type VfStep = Readonly<z.infer<typeof schema>>

const settingsOf = (from: VfStep['before']) => settingWords(from).join(' ')
const subject = (step: VfStep) => `${step.address} vf ${step.number}`

export const vf = stepKind(schema, {
  object: (step) => step.address,
  words: (step) => `${subject(step)}: ${settingsOf(step.before)} → ${settingsOf(step.after)}`,
  wordsBefore: (step) => `${subject(step)}: ${settingsOf(step.before)}`,
  planned: (step) => `${subject(step)}  ${settingsOf(step.before)} → ${settingsOf(step.after)}`,
  standing,
  perform,
  undo,
  device: (step) => step,
})

/** Some drivers ask the card's firmware, which takes seconds. */
const ipSeconds = 30

async function perform(system: System, step: VfStep): Promise<void> {
  refuseOther(system, step.address, step.identity)
  const port = findPort(system, step.address)
  if (port === undefined) throw new AppError(`${step.address} has no network interface`)
  const argv = ['ip', 'link', 'set', 'dev', port, 'vf', String(step.number), ...settingWords(step.after)]
  const result = await system.exec(argv, { timeoutSeconds: ipSeconds })
  if (result.timedOut) throw new AppError(`${formatCommand(argv)} did not answer within ${ipSeconds} seconds`)
  if (result.status !== 0) throw new CommandError(argv, result.status, result.stderr.slice(-2048))
  const now = standing(system, step)
  if (now.kind === 'after') return
  const why =
    'difference' in now ? now.difference : `only part of ${settingWords(step.after).join(' ')} was accepted`
  throw new AppError(`virtual function ${step.number} of ${step.address} is not as set: ${why}`)
}

function standing(reader: Reader, step: VfStep): Standing {
  const what = `virtual function ${step.number} of ${step.address}`
  const port = findPort(reader, step.address)
  if (port === undefined) return { kind: 'gone', difference: `${step.address} has no network interface` }
  const shown = reader.showLink?.(port)
  const known = shown?.ok ? parseVirtualFunctions(shown.value) : undefined
  if (known === undefined)
    return { kind: 'drifted', difference: `${what} cannot be read (ip link show dev ${port})` }
  const found = known.get(step.number)
  if (found === undefined) return { kind: 'gone', difference: `${what} is not there` }
  const is = pickSettings(found, step.after)
  if (isSameSetting(is, step.after)) return { kind: 'after' }
  if (isSameSetting(is, step.before)) return { kind: 'before' }
  const isBetween = settingKeys.every((key) => is[key] === step.before[key] || is[key] === step.after[key])
  return isBetween
    ? { kind: 'between' }
    : {
        kind: 'drifted',
        difference: `${what} has ${settingsOf(is)}, expected ${settingsOf(step.before)}`,
      }
}

async function undo(system: System, { bootId }: Past, step: VfStep): Promise<Undone> {
  const now = standing(system, step)
  if (now.kind === 'before') return { restored: true }
  const elsewhere = findElsewhere(system, bootId, step)
  if (elsewhere) return elsewhere
  // A removed virtual function has no settings left; a new one under this number gets the defaults of the
  // card.
  if (now.kind === 'gone') return { restored: true, note: now.difference }
  if (now.kind === 'drifted') return { restored: false, note: now.difference }
  await perform(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}
