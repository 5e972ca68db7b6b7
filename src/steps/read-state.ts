/**
 * Where one step's object stands now: as before the step, as after it, half-way, or neither. The drift guard, the
 * skipping of what is already done and the rollback all rest on this one reading.
 */
import { createTwoFilesPatch } from 'diff'
import type { DriverState, FileState, Step } from './step.ts'
import type { PciAddress } from '../pci/address.ts'
import {
  isSameSetting,
  parseVirtualFunctions,
  pickSettings,
  settingKeys,
  settingWords,
} from '../pci/virtual-functions.ts'
import type { ReadResult, Reader } from '../machine/system.ts'
import { findPort } from './read-functions.ts'

export type Standing =
  /** `command` steps have no state of their own: always `before` here; their outputs are judged in outputs.ts. */
  | { readonly kind: 'before' }
  | { readonly kind: 'after' }
  /** Half-way: override written, old driver gone, new one not yet there; or a part of the huge pages. */
  | { readonly kind: 'between' }
  | { readonly kind: 'gone'; readonly difference: string }
  | { readonly kind: 'drifted'; readonly difference: string }

const fileLimit = 16 * 1024 * 1024

export function readStanding(reader: Reader, step: Step): Standing {
  switch (step.kind) {
    case 'file':
      return fileStanding(reader, step)
    case 'driver':
      return driverStanding(reader, step)
    case 'sysfs':
      return attributeStanding(reader, step)
    case 'vf':
      return functionStanding(reader, step)
    case 'command':
      return { kind: 'before' }
  }
}

function attributeStanding(reader: Reader, step: Extract<Step, { kind: 'sysfs' }>): Standing {
  const text = reader.readText(step.path, 65_536)
  if (!text.ok) {
    if (text.reason !== 'absent') return unreadable(step.path, text)
    return { kind: 'gone', difference: `${step.path} is not there` }
  }
  const value = text.value.trim()
  if (value === step.after.trim()) return { kind: 'after' }
  if (value === step.before.trim()) return { kind: 'before' }
  const [low, high] = [Number(step.before), Number(step.after)].toSorted((a, b) => a - b)
  if (step.partial && Number(value) > (low ?? 0) && Number(value) < (high ?? 0)) return { kind: 'between' }
  return { kind: 'drifted', difference: `${step.path} holds ${quote(value)}, expected ${quote(step.before)}` }
}

function readFileState(reader: Reader, path: string): ReadResult<FileState> {
  const stat = reader.stat(path)
  if (!stat.ok) return stat.reason === 'absent' ? { ok: true, value: null } : stat
  const text = reader.readText(path, fileLimit)
  if (!text.ok) return text
  const real = stat.value.kind === 'link' ? reader.realPath(path) : undefined
  const target = real?.ok ? reader.stat(real.value) : stat
  return { ok: true, value: { text: text.value, mode: target.ok ? target.value.mode : stat.value.mode } }
}

function fileStanding(reader: Reader, step: Extract<Step, { kind: 'file' }>): Standing {
  const now = readFileState(reader, step.path)
  if (!now.ok) return unreadable(step.path, now)
  // An edit that was already there counts as done even when before and after are the same text.
  if (sameFile(now.value, step.after)) return { kind: 'after' }
  if (sameFile(now.value, step.before)) return { kind: 'before' }
  return { kind: 'drifted', difference: fileDifference(step.path, step.before, now.value) }
}

function sameFile(a: FileState, b: FileState): boolean {
  if (a === null || b === null) return a === b
  return a.text === b.text && a.mode === b.mode
}

/** A unified diff from what was expected to what is there; long ones are cut. */
function fileDifference(path: string, expected: FileState, found: FileState): string {
  if (expected === null) return `${path} exists, and was not there before`
  if (found === null) return `${path} is gone`
  if (expected.text === found.text)
    return `${path} has mode ${found.mode.toString(8)}, expected ${expected.mode.toString(8)}`
  const lines = createTwoFilesPatch('expected', 'found', expected.text, found.text, '', '', { context: 1 }).split('\n')
  const shown = lines.slice(3, 43).join('\n')
  return `${path} was changed by someone else:\n${shown}${lines.length > 43 ? '\n…' : ''}`.trimEnd()
}

export function readDriverState(reader: Reader, address: PciAddress): ReadResult<DriverState> {
  const folder = `/sys/bus/pci/devices/${address}`
  const override = reader.readText(`${folder}/driver_override`, 4096)
  if (!override.ok) return override
  const link = reader.readLink(`${folder}/driver`)
  if (!link.ok && link.reason !== 'absent') return link
  const text = override.value.trim()
  return {
    ok: true,
    value: {
      driver: link.ok ? (link.value.split('/').at(-1) ?? null) : null,
      driverOverride: text === '' || text === '(null)' ? null : text,
    },
  }
}

function driverStanding(reader: Reader, step: Extract<Step, { kind: 'driver' }>): Standing {
  const now = readDriverState(reader, step.address)
  if (!now.ok) {
    if (now.reason === 'absent') return { kind: 'gone', difference: `no device answers at ${step.address}` }
    return unreadable(step.address, now)
  }
  const { before, after } = step
  const is = now.value
  if (is.driver === after.driver && is.driverOverride === after.driverOverride) return { kind: 'after' }
  if (is.driver === before.driver && is.driverOverride === before.driverOverride) return { kind: 'before' }
  const difference = `${step.address} has ${formatDriver(is)}, expected ${formatDriver(before)}`
  const known = (value: string | null, states: readonly (string | null)[]) => states.includes(value)
  const isBetween =
    known(is.driver, [before.driver, after.driver, null]) &&
    known(is.driverOverride, [before.driverOverride, after.driverOverride])
  return isBetween ? { kind: 'between' } : { kind: 'drifted', difference }
}

function functionStanding(reader: Reader, step: Extract<Step, { kind: 'vf' }>): Standing {
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
    : {
        kind: 'drifted',
        difference: `${what} has ${settingWords(is).join(' ')}, expected ${settingWords(step.before).join(' ')}`,
      }
}

export function formatDriver(state: DriverState): string {
  const driver = state.driver === null ? 'no driver' : `driver ${state.driver}`
  return state.driverOverride === null ? driver : `${driver} (override ${state.driverOverride})`
}

function unreadable(what: string, failure: { readonly reason: string; readonly code?: string }): Standing {
  return { kind: 'drifted', difference: `${what} cannot be read (${failure.code ?? failure.reason})` }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}
