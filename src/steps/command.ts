/**
 * Runs a program that derives files from others (`update-grub`), or that sets a state which no file of the
 * plan holds (`grub-reboot`). The bytes of its declared outputs are saved before it runs; outputs.ts decides
 * which of them an undo restores.
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
  /** Files that the program may write or create; the last part of a path may contain `*`. */
  outputs: z.array(absolutePath).readonly().describe('files it may write'),
  /** The program sets a state instead of deriving files (grub-reboot), so a rollback never runs it again. */
  once: z.exactOptional(z.literal(true).describe('a rollback never runs it again')),
  /**
   * The command that takes the step back where saved bytes cannot: for EFI variables (which are read again
   * afterwards), for outputs that another program has written since, and for a step without outputs. In the
   * last two cases it runs after everything else is restored.
   */
  undo: z.exactOptional(z.array(text).min(1).readonly()),
  /**
   * The outputs are GRUB environment blocks. GRUB deletes the chosen entry when it boots it, so an undo
   * compares variables, not bytes.
   */
  environment: z.exactOptional(z.literal(true)),
  /** `trial`: the command selects the trial entry for the next boot only. */
  purpose: z.exactOptional(z.literal('trial')),
  why: text,
})

export type CommandStep = Readonly<z.infer<typeof schema>>

/** Regenerating every initramfs on a slow disk takes minutes; a generator that hangs is ended. */
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
 * The program ends when this process ends. Otherwise it would still write after a killed apply, while a
 * rollback restores.
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
  if (stale.length > 0)
    return { restored: true, note: `another program wrote ${stale.join(', ')} since`, atTheEnd }
  return { restored: true }
}

/**
 * The kernel makes these files immutable (Documentation/filesystems/efivarfs.rst), so a command changes them.
 */
const efiVariables = '/sys/firmware/efi/efivars/'

function runInside(argv: readonly string[]): string {
  return `saved bytes cannot take everything back: run ${formatCommand(argv)} inside that system (chroot)`
}

/** Reads the outputs again, since the exit code does not prove that they are as before. */
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
        note: `${saved.path} is not as before, although ${formatCommand(argv)} was run`,
      }
  return { restored: true }
}

/**
 * For steps that saved bytes cannot take back: their outputs cannot be saved, or another program has written
 * them since. Runs when everything that the program reads is restored.
 */
async function runAgain(system: System, step: CommandStep): Promise<string | undefined> {
  const argv = step.undo ?? step.argv
  try {
    await run(system, argv, commandSeconds)
    return undefined
  } catch (error) {
    const what =
      step.undo === undefined
        ? `another program wrote the outputs of ${formatCommand(argv)} since, and running it again failed`
        : `saved bytes cannot take everything back, and ${formatCommand(argv)} failed`
    return `${what}: ${messageOf(error)}`
  }
}
