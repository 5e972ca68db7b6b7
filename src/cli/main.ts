/**
 * The command line: parses, dispatches lazily, and says with which code the process ends; run-process.ts ends
 * it. Each command lives in cli/commands/ and is loaded only when asked for: `inspect` must not pay for YAML
 * or schemas.
 */
import { Command, CommanderError } from 'commander'
import { exitCode, type ExitCode } from '../base/errors.ts'
import { createContext, isDocumentPrinted, printDocument } from './context.ts'
import { report } from './report-error.ts'
import { printErr, printOut, standardOutput } from './standard-streams.ts'
import { version } from './version.ts'
import { addLookCommands } from './look-commands.ts'
import { addStartCommands, addVmCommands } from './vm-commands.ts'
import { action, examples, reading } from './wiring.ts'

export function buildProgram(): Command {
  const program = new Command('handover')
    .description(
      'Gives real PCI devices to virtual machines, and takes nothing from the host that the host needs.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride()
    .configureOutput({ writeOut: printOut, writeErr: printErr })
    .configureHelp({ sortSubcommands: false })
  program.addHelpText(
    'after',
    examples('inspect', 'plan home.yaml', 'apply home.yaml', 'up', 'verify', 'rollback'),
  )
  addLookCommands(program)
  addApply(program)
  addUndoCommands(program)
  addStartCommands(program)
  addVmCommands(program)
  addLabCommands(program)
  return program
}

/** What help and suggestions know of the command; the real one is put in its place when it is asked for. */
export function addCompletionHelp(program: Command): void {
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .summary('a completion script for your shell')
    .addHelpText('after', '\nExamples:\n  $ source <(handover completion bash)\n')
}

function addApply(program: Command): void {
  reading(program.command('apply').argument('<spec>'))
    .summary('show the plan, ask, do it, journal it')
    .description(
      'Does what plan shows, as one transaction: a step that fails takes all back. ' +
        'New kernel arguments and early binding get one trial boot first.',
    )
    .option('-y, --yes', 'do not ask')
    .option('--plan <hash>', 'apply only if the plan still has this hash')
    .option('--no-boot', 'leave booting alone: the devices are bound until the next reboot')
    .option('--no-confirm', 'change kernel arguments at once, without a trial boot')
    .option('--confirm-within <time>', "how long a trial boot waits for handover confirm (default '10 min')")
    .addHelpText(
      'after',
      examples('apply home.yaml', 'apply home.yaml --yes', "apply home.yaml --confirm-within '20 min'"),
    )
    .action(action(async () => (await import('./commands/apply.ts')).runApply))
}

/** What comes after an apply. */
function addUndoCommands(program: Command): void {
  program
    .command('confirm')
    .summary('accept a trial boot')
    .description(
      'Run it on the trial boot, when everything works: what was on trial holds for every later boot.',
    )
    .option('--json', 'one JSON document on standard output')
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .action(action(async () => (await import('./commands/confirm.ts')).runConfirm))
  program
    .command('rollback')
    .argument('[id]', 'a journal id; the newest when absent')
    .summary('take changes back')
    .description(
      'Puts back, byte for byte, what an apply changed; ' +
        'refuses where something else changed since, and shows the difference.',
    )
    .option('--json', 'one JSON document on standard output')
    .option('-y, --yes', 'do not ask')
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .addHelpText('after', examples('rollback', 'journal', 'rollback 3'))
    .action(action(async () => (await import('./commands/rollback.ts')).runRollback))
  program
    .command('journal')
    .argument('[id]', 'a journal id; all of them when absent')
    .summary('what was done, when, with what result')
    .description(
      'Lists every apply of this host, the newest last; with an id, each step of it. Changes nothing.',
    )
    .option('--json', 'one JSON document on standard output')
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .action(action(async () => (await import('./commands/journal.ts')).runJournal))
}

function addLabCommands(program: Command): void {
  const lab = program
    .command('lab')
    .summary('a virtual host in QEMU with the tool inside: no hardware needed')
  lab
    .command('run')
    .argument('<topology>', 'such as lab/home.yaml')
    .summary('start the host and run the whole story in it')
    .option('--json', 'one JSON document on standard output')
    .option('--html <file>', 'write a self-contained report with pictures')
    .option('--cache <dir>', 'where images are kept')
    .option('--keep', 'keep the run folder with consoles and screenshots')
    .option('--capture <file>', "write the virtual host's capture (topologies with story: inspect)")
    .option('--no-color', 'plain text')
    .addHelpText('after', examples('lab run lab/home.yaml', 'lab run lab/home.yaml --json'))
    .action(action(async () => (await import('./commands/lab.ts')).runLabRun))
  lab
    .command('setup')
    .summary('get what the lab needs from the distribution')
    .option('--cache <dir>', 'where images are kept')
    .action(action(async () => (await import('./commands/lab.ts')).runLabSetup))
  lab
    .command('ask', { hidden: true })
    .argument('<vm>')
    .argument('<word>')
    .summary("one word on a guest's report line")
    .action(action(async () => (await import('./commands/lab.ts')).runLabAsk))
}

/** Runs one command line and returns its exit code; errors are printed here, in one shape. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  try {
    process.exitCode = exitCode.done
    if (argv.length === 0) return await greet()
    // Only who asks for completion pays for it. `complete` is what the generated scripts call.
    const asksCompletion = argv[0] === 'completion' || argv[0] === 'complete'
    const program = buildProgram()
    if (asksCompletion) {
      standardOutput()
      const { default: tab } = await import('@bomb.sh/tab/commander')
      tab(program, { completionCommandName: 'completion' })
    } else addCompletionHelp(program)
    await program.parseAsync(argv, { from: 'user' })
    return process.exitCode as ExitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCode.done
    if (asksForJson(argv) && !isDocumentPrinted()) await printFailure(error, argv[0])
    return error instanceof CommanderError ? exitCode.usage : report(error)
  }
}

async function greet(): Promise<ExitCode> {
  const { runGreet } = await import('./commands/greet.ts')
  return await runGreet([], {}, createContext({}))
}

/** After `--` every word is an argument. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** Scripts read one document on standard output, also when a command fails. */
async function printFailure(error: unknown, command: string | undefined): Promise<void> {
  const { failureDocument, listsOf, usageDocument } = await import('../api/failure.ts')
  const isUsage = error instanceof CommanderError
  const document = isUsage ? usageDocument(error.message) : failureDocument(error)
  printDocument({ out: printOut }, { ...document, ...listsOf(command) })
}
