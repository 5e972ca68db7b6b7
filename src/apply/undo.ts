/**
 * Takes recorded steps back, last first, by looking where each object stands: what is already as before is left alone,
 * so undoing twice, or after a crash in the middle of an undo, is the same as undoing once.
 * Whatever cannot be restored is collected in words, never hidden, and never keeps the rest from being restored.
 */
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError } from '../base/errors.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { Step } from '../steps/step.ts'
import type { System } from '../machine/system.ts'
import { checkIdentity } from '../steps/check-identity.ts'
import type { ApplyEvent } from './events.ts'
import { openJournal, type EventWithoutTime, type Journal, type JournalRecord, type SavedFile } from './journal.ts'
import { judgeOutputs, type Undoing } from './outputs.ts'
import { ChangedMeanwhile } from '../steps/perform-file.ts'
import { performStep } from '../steps/perform.ts'
import { readBootId } from './boot-id.ts'
import { readStanding } from '../steps/read-state.ts'
import { DamagedCopy, isAsSaved, restoreFile } from './saved.ts'

type CommandStep = Extract<Step, { kind: 'command' }>

type Note = {
  readonly restored: boolean
  readonly note?: string
  /** A generator to run once more at the end. */
  readonly again?: CommandStep
}

/** Returns what could not be restored, one line each; empty means the host is as before. */
export async function undoSteps(
  system: System,
  journal: Undoing,
  report: (event: ApplyEvent) => void,
): Promise<string[]> {
  const leftovers: string[] = []
  const again: CommandStep[] = []
  const open = openJournal(system, journal.record)
  // A full disk must not keep the host from being restored: the record of the undo is the lesser good.
  const append = (event: EventWithoutTime) => {
    try {
      open.append(event)
    } catch (error) {
      report({ kind: 'warning', message: `the journal could not be written: ${messageOf(error)}` })
    }
  }
  for (const [index, step] of [...journal.record.steps.entries()].toReversed()) {
    if (isOfOthers(system, journal, index)) continue
    append({ event: 'step', index, phase: 'undo-started' })
    const result = await undoStep(system, journal, step)
    const note = result.note === undefined ? {} : { note: result.note }
    append({ event: 'step', index, phase: result.restored ? 'undone' : 'undo-failed', ...note })
    report({ kind: 'step', index, step, phase: result.restored ? 'undone' : 'undo-failed', ...note })
    if (!result.restored) leftovers.push(result.note ?? '')
    if (result.again) again.unshift(result.again)
  }
  for (const step of again) {
    const problem = journal.elsewhere ? runInside(step.undo ?? step.argv) : await generateAgain(system, step)
    if (problem !== undefined) leftovers.push(problem)
  }
  leftovers.push(...(await tidy(system, journal.record)))
  return leftovers
}

/**
 * A step that was never begun has nothing of ours. A journal read later may have lost its last lines: then only what is neither as
 * before nor as planned is somebody else's.
 */
function isOfOthers(system: System, { begun, later, record }: Undoing, index: number): boolean {
  const step = record.steps[index]
  if (step === undefined || begun === undefined || begun.has(index)) return false
  return !later || readStanding(system, step).kind === 'drifted'
}

/** Temporary files of a write that was cut off, and folders that were made for files that are gone again. */
async function tidy(system: System, record: JournalRecord): Promise<string[]> {
  const problems: string[] = []
  const attempt = async (what: () => Promise<void> | void) => {
    try {
      await what()
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
  for (const step of record.steps) if (step.kind === 'file') await attempt(() => system.removeLeftovers(step.path))
  for (const saved of record.saved.toReversed())
    if (saved.kind === 'no-folder') await attempt(() => restoreFile(system, record.id, saved))
    else await attempt(() => system.removeLeftovers(saved.path))
  return problems
}

async function undoStep(system: System, journal: Undoing, step: Step): Promise<Note> {
  try {
    switch (step.kind) {
      case 'command':
        return await undoOutputs(system, journal, step)
      case 'file':
        return await undoFile(system, journal, step)
      case 'driver':
        return await undoDriver(system, journal.record.bootId, step)
      case 'vf':
        return await undoFunction(system, journal.record.bootId, step)
      case 'sysfs':
        return await undoAttribute(system, journal.record.bootId, step)
    }
  } catch (error) {
    return { restored: false, note: messageOf(error) }
  }
}

async function undoOutputs(system: System, journal: Undoing, step: CommandStep): Promise<Note> {
  const { restore, stale } = await judgeOutputs(system, journal, step)
  if (step.undo !== undefined && step.outputs.length === 0) return { restored: true, again: step }
  if (step.undo !== undefined && restore.some(({ path }) => path.startsWith(efiVariables)))
    return journal.elsewhere
      ? { restored: false, note: runInside(step.undo) }
      : await undoByCommand(system, step, restore)
  for (const saved of restore) await restoreFile(system, journal.record.id, saved)
  if (stale.length > 0) return { restored: true, note: `${stale.join(', ')} written again since`, again: step }
  return { restored: true }
}

/** Their bytes cannot be written here: the kernel keeps these files immutable (Documentation/filesystems/efivarfs.rst). */
const efiVariables = '/sys/firmware/efi/efivars/'

function runInside(argv: readonly string[]): string {
  return `what saved bytes cannot take back needs ${formatCommand(argv)}, run inside that system (chroot)`
}

/** Its exit code is not believed: the outputs are read again. */
async function undoByCommand(system: System, step: CommandStep, restore: readonly SavedFile[]): Promise<Note> {
  await performStep(system, { ...step, argv: step.undo ?? step.argv })
  for (const saved of restore)
    if (!(await isAsSaved(system, saved)))
      return {
        restored: false,
        note: `${saved.path} is not as before, though this was run: ${formatCommand(step.undo ?? [])}`,
      }
  return { restored: true }
}

/**
 * Where saved bytes do not help (outputs out of reach, or written again by somebody since), when everything that is read
 * is as before: the command that takes it back, or the generator once more.
 */
async function generateAgain(system: System, step: CommandStep): Promise<string | undefined> {
  const argv = step.undo ?? step.argv
  try {
    await performStep(system, { ...step, argv })
    return undefined
  } catch (error) {
    const what =
      step.undo === undefined
        ? `what ${formatCommand(argv)} makes was written again since, and making it anew`
        : `what saved bytes cannot take back needs ${formatCommand(argv)}, and that`
    return `${what} ended badly: ${messageOf(error)}`
  }
}

async function undoFile(
  system: System,
  journal: Pick<Journal, 'record'>,
  step: Extract<Step, { kind: 'file' }>,
): Promise<Note> {
  const standing = readStanding(system, step)
  if (standing.kind === 'drifted') return { restored: false, note: standing.difference }
  if (standing.kind === 'before') return { restored: true }
  const saved = journal.record.saved.find((file) => file.path === step.path)
  // The saved bytes are better than the step's text: they carry the owner, and bytes that are no UTF-8.
  const again = () => performStep(system, { ...step, before: step.after, after: step.before })
  if (!saved || saved.kind === 'link') await again()
  else {
    try {
      await restoreFile(system, journal.record.id, saved, () => refuseEdited(system, step))
    } catch (error) {
      if (!(error instanceof DamagedCopy)) throw error
      await again()
      return { restored: true, note: `${error.message}; its text was put back from the record instead` }
    }
  }
  return { restored: true }
}

/** Right before the old text takes its place, the file still has the text that the apply gave it. */
function refuseEdited(system: System, step: Extract<Step, { kind: 'file' }>): void {
  const standing = readStanding(system, step)
  if (standing.kind === 'after') return
  throw new ChangedMeanwhile('difference' in standing ? standing.difference : `${step.path} is as before already`)
}

async function undoAttribute(system: System, bootId: string, step: Extract<Step, { kind: 'sysfs' }>): Promise<Note> {
  const standing = readStanding(system, step)
  if (standing.kind === 'before') return { restored: true }
  const elsewhere = step.of && findElsewhere(system, bootId, step.of)
  if (elsewhere) return elsewhere
  if (standing.kind === 'gone' && bootId !== readBootId(system))
    return { restored: true, note: `${step.path}: what was set ended with the reboot` }
  if (standing.kind === 'drifted' || standing.kind === 'gone') return { restored: false, note: standing.difference }
  await performStep(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}

async function undoFunction(system: System, bootId: string, step: Extract<Step, { kind: 'vf' }>): Promise<Note> {
  const standing = readStanding(system, step)
  if (standing.kind === 'before') return { restored: true }
  const elsewhere = findElsewhere(system, bootId, step)
  if (elsewhere) return elsewhere
  // Its settings went with the function: the next one made under this number has those of the card.
  if (standing.kind === 'gone') return { restored: true, note: standing.difference }
  if (standing.kind === 'drifted') return { restored: false, note: standing.difference }
  await performStep(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}

/** When another device, or none, answers where this one was. */
function findElsewhere(
  system: System,
  bootId: string,
  { address, identity }: { readonly address: PciAddress; readonly identity: Identity },
): Note | undefined {
  const { differences } = checkIdentity(system, address, identity)
  if (differences.length === 0) return undefined
  // Overrides and attributes live in the kernel's memory: after a reboot nothing of ours is left on a device that moved away.
  if (bootId !== readBootId(system))
    return { restored: true, note: `${address}: what was set ended with the reboot, the device is elsewhere now` }
  return { restored: false, note: `${address}: ${differences.join('; ')}; nothing was changed there` }
}

async function undoDriver(system: System, bootId: string, step: Extract<Step, { kind: 'driver' }>): Promise<Note> {
  const standing = readStanding(system, step)
  if (standing.kind === 'before') return { restored: true }
  // A virtual function goes when its card has none any more, and nothing of ours is left on it then.
  if (standing.kind === 'gone' && /\/vf\d+$/.test(step.identity.path ?? ''))
    return { restored: true, note: `${step.address}: this virtual function is not there any more` }
  const elsewhere = findElsewhere(system, bootId, step)
  if (elsewhere) return elsewhere
  if (standing.kind === 'drifted') return { restored: false, note: standing.difference }
  await performStep(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}

export function messageOf(error: unknown): string {
  if (error instanceof AppError) return error.message
  return error instanceof Error ? error.message : String(error)
}
