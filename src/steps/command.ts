/**
 * A program that derives files from others (`update-grub`), or sets a state that no file of ours holds
 * (`grub-reboot`). The bytes of its declared outputs are saved before it runs; what an undo does about them
 * is judged in outputs.ts.
 */
import { z } from 'zod'
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError, CommandError, messageOf } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { stepKind, type Past, type Undone } from './kind.ts'
import { expandOutputs, judgeOutputs, withTargets } from './outputs.ts'
import { absolutePath, text } from './parts.ts'
import { hashOutputs, isAsSaved, restoreFile } from './saved.ts'
import type { SavedFile } from './saved-file.ts'

const schema = z.object({
  kind: z.literal('command'),
  argv: z.array(text).min(1).readonly(),
  /** Files it may write or create; patterns (`*` in the last part) are allowed. */
  outputs: z.array(absolutePath).readonly().describe('files it may write'),
  /** It sets a state instead of deriving files (grub-reboot): a rollback never runs it again. */
  once: z.exactOptional(z.literal(true).describe('a rollback never runs it again')),
  /**
   * Takes it back where saved bytes cannot: EFI variables (what it did is read again), outputs that somebody
   * wrote again since, and no outputs at all, when they are out of reach: then it runs after everything else
   * is restored.
   */
  undo: z.exactOptional(z.array(text).min(1).readonly()),
  /**
   * Its outputs are GRUB environment blocks. GRUB forgets a choice as it acts on it, so variables count, not
   * bytes.
   */
  environment: z.exactOptional(z.literal(true)),
  /** `trial`: it chooses the trial for the next boot only. */
  purpose: z.exactOptional(z.literal('trial')),
  why: text,
})

export type CommandStep = Readonly<z.infer<typeof schema>>

/** Regenerating every initramfs on a slow disk takes minutes; a generator that hangs must end some time. */
const commandSeconds = 900

export const command = stepKind(schema, {
  object: () => '',
  words: ({ argv }) => `run ${formatCommand(argv)}`,
  wordsBefore: ({ argv, outputs }) =>
    outputs.length === 0 ? `nothing to restore after ${formatCommand(argv)}` : outputs.join(', '),
  planned: ({ argv }) => `run ${formatCommand(argv)}`,
  perform: (system, { argv }, how) => run(system, argv, how.commandSeconds ?? commandSeconds),
  undo,
  program: ({ argv }) => argv,
  files: (reader, { outputs }) => withTargets(reader, expandOutputs(reader, outputs)),
  leaves: async (system, { outputs }) => {
    const paths = withTargets(system, expandOutputs(system, outputs))
    for (const path of paths) system.flush(path)
    return hashOutputs(system, paths)
  },
})

/**
 * A generator is tied to our life: one that outlives a killed apply would write on while a rollback restores.
 */
async function run(system: System, argv: readonly string[], seconds: number): Promise<void> {
  const running = await system.start(argv)
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), seconds * 1000)
  })
  const end = await Promise.race([running.ended, patience])
  clearTimeout(timer)
  if (end === undefined) {
    await Promise.race([running.stop(), system.sleep(5000)])
    throw new AppError(`${formatCommand(argv)} did not end within ${seconds} seconds`)
  }
  if (end.status !== 0) throw new CommandError(argv, end.status, running.tail().slice(-2048))
}

async function undo(system: System, past: Past, step: CommandStep): Promise<Undone> {
  const { restore, stale } = await judgeOutputs(system, past, step)
  const atTheEnd = () =>
    past.elsewhere ? Promise.resolve(runInside(step.undo ?? step.argv)) : runAgain(system, step)
  if (step.undo !== undefined && step.outputs.length === 0) return { restored: true, atTheEnd }
  if (step.undo !== undefined && restore.some(({ path }) => path.startsWith(efiVariables)))
    return past.elsewhere
      ? { restored: false, note: runInside(step.undo) }
      : await undoByCommand(system, step.undo, restore)
  for (const saved of restore) await restoreFile(system, past.folder, saved)
  if (stale.length > 0) return { restored: true, note: `${stale.join(', ')} written again since`, atTheEnd }
  return { restored: true }
}

/**
 * Their bytes cannot be written here: the kernel keeps these files immutable
 * (Documentation/filesystems/efivarfs.rst).
 */
const efiVariables = '/sys/firmware/efi/efivars/'

function runInside(argv: readonly string[]): string {
  return `what saved bytes cannot take back needs ${formatCommand(argv)}, run inside that system (chroot)`
}

/** Its exit code is not believed: the outputs are read again. */
async function undoByCommand(
  system: System,
  argv: readonly string[],
  restore: readonly SavedFile[],
): Promise<Undone> {
  await run(system, argv, commandSeconds)
  for (const saved of restore)
    if (!(await isAsSaved(system, saved)))
      return {
        restored: false,
        note: `${saved.path} is not as before, though this was run: ${formatCommand(argv)}`,
      }
  return { restored: true }
}

/**
 * Where saved bytes do not help (outputs out of reach, or written again by somebody since), when everything
 * that is read is as before: the command that takes it back, or the generator once more.
 */
async function runAgain(system: System, step: CommandStep): Promise<string | undefined> {
  const argv = step.undo ?? step.argv
  try {
    await run(system, argv, commandSeconds)
    return undefined
  } catch (error) {
    const what =
      step.undo === undefined
        ? `what ${formatCommand(argv)} makes was written again since, and running it again`
        : `what saved bytes cannot take back needs ${formatCommand(argv)}, and that`
    return `${what} ended badly: ${messageOf(error)}`
  }
}
