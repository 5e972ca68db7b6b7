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
  addInspect(program)
  addInit(program)
  addReadingCommands(program)
  addCheck(program)
  addReportCommands(program)
  addExplain(program)
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

function addInspect(program: Command): void {
  reading(program.command('inspect').argument('[address]', 'one device, such as 01:00.0'))
    .summary('the host: devices, groups, what the host needs, a verdict for each device')
    .description('Shows what could be given to a VM, and for the rest why not. Changes nothing.')
    .option('--table', 'one line per device')
    .option('--html <file>', 'write a self-contained report with a picture')
    .addHelpText(
      'after',
      examples('inspect', 'inspect 01:00.0', 'inspect --from lspci.txt', 'inspect --json'),
    )
    .action(action(async () => (await import('./commands/inspect.ts')).runInspect))
}

function addReportCommands(program: Command): void {
  reading(program.command('capture'))
    .summary('the host as one redacted, diffable file')
    .description(
      'Writes everything inspect and plan read into one YAML file; ' +
        'serials, MACs and names are replaced by stable fakes.',
    )
    .option('-o, --output <file>', 'where to write; standard output when absent')
    .addHelpText('after', examples('capture -o my-host.yaml', 'inspect --from my-host.yaml'))
    .action(action(async () => (await import('./commands/capture.ts')).runCapture))
  program
    .command('report')
    .summary('one anonymous archive for a bug report')
    .description(
      'Writes capture, journal, logs of the VMs and versions into one archive, with ' +
        'stand-ins as in a capture. Lists what is in it; sends nothing.',
    )
    .option('-o, --output <file>', 'where to write', 'handover-report.tar.gz')
    .option('--no-consoles', 'leave out what guests printed on their consoles')
    .option('--json', 'one JSON document on standard output')
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .addHelpText('after', examples('report', 'report -o report.tar.gz --no-consoles'))
    .action(action(async () => (await import('./commands/report.ts')).runReport))
}

function addInit(program: Command): void {
  reading(program.command('init'))
    .summary('look, ask, and write a first home.yaml')
    .description(
      'Shows what this host has, by use, asks what you want, and writes a spec whose plan has no errors. ' +
        'Never replaces a file. Changes nothing else.',
    )
    .option('--firewall', 'a firewall with two network ports')
    .option('--media', 'a media server or NAS with a disk controller')
    .option('--workstation', 'a workstation with a graphics card')
    .option('-o, --output <file>', 'where to write', 'home.yaml')
    .option('-y, --yes', 'write without a question')
    .addHelpText(
      'after',
      examples('init', 'init --firewall --media --yes', 'init --media --from my-host.yaml'),
    )
    .action(action(async () => (await import('./commands/init.ts')).runInit))
}

function addReadingCommands(program: Command): void {
  reading(program.command('plan').argument('<spec>', 'such as home.yaml'))
    .summary('who gets what, and every change as before and after')
    .description('Decides everything before anything is touched. Changes nothing.')
    .option('--no-boot', 'leave out what would change how the host boots')
    .option('--no-confirm', 'with kernel arguments changed at once, without a trial boot')
    .option('--confirm-within <time>', "with a trial boot that waits so long (default '10 min')")
    .option('--check', 'exit with 10 when there would be changes, for scripts')
    .option('--full', 'every file whole, also the scripts that the host runs at each boot')
    .option('--out <dir>', 'write every file that would be written into a new folder, to read it there')
    .addHelpText(
      'after',
      examples(
        'plan home.yaml',
        'plan home.yaml --json',
        'plan home.yaml --from my-host.yaml',
        'plan home.yaml --out planned',
        'plan home.yaml --check',
      ),
    )
    .action(action(async () => (await import('./commands/plan.ts')).runPlan))
  reading(program.command('lock').argument('<spec>'))
    .summary('write or refresh home.lock: the identities of the assigned devices')
    .addHelpText('after', examples('lock home.yaml'))
    .action(action(async () => (await import('./commands/lock.ts')).runLock))
  reading(program.command('savings').argument('<spec>'))
    .summary('what the boxes replaced would have cost, with every assumption')
    .addHelpText('after', examples('savings home.yaml'))
    .action(action(async () => (await import('./commands/savings.ts')).runSavings))
}

function addCheck(program: Command): void {
  reading(program.command('check'))
    .summary('what is different since the last good boot, or would be with another kernel')
    .description(
      'Compares this boot with the last one in which the VMs started: kernel, firmware, QEMU, groups, ' +
        'resets, devices. Ends with 1 when a VM must not start. Changes nothing.',
    )
    .option('--kernel <release>', 'predict what this kernel would change, such as 6.12.75')
    .addHelpText(
      'after',
      examples('check', 'check --kernel 6.12.75', 'check --kernel 7.1 --from my-host.yaml'),
    )
    .action(action(async () => (await import('./commands/check.ts')).runCheck))
}

function addExplain(program: Command): void {
  program
    .command('explain')
    .argument('[file]', 'a log, also packed with gzip; standard input when absent, or -')
    .summary('what the failures in a log mean, and what helps')
    .description(
      'Finds known failures of VFIO, the IOMMU, QEMU, libvirt and Proxmox in any text: ' +
        'the cause, a command that shows whether it is so on this host, and what helps. Changes nothing.',
    )
    .option('--json', 'one JSON document on standard output')
    .option('--no-color', 'plain text')
    .addHelpText(
      'after',
      `${examples('explain vm.log', 'explain --json kern.log.1.gz')}  $ journalctl -k -b | handover explain\n`,
    )
    .action(action(async () => (await import('./commands/explain.ts')).runExplain))
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
