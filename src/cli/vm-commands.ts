/** The words of the commands that start, stop, show and check VMs. */
import { Option, type Command } from 'commander'
import { action, examples } from './wiring.ts'

const appliedSpec = () => new Option('--spec <file>', 'a spec that has to mean the same as the one applied')

export function addStartCommands(program: Command): void {
  const ofUnit = () => new Option('--unit', 'the service of this VM calls').hideHelp()
  program
    .command('up')
    .argument('[vm...]', 'all VMs of the spec when absent')
    .addOption(appliedSpec())
    .summary('start the VMs, each when what it needs answers')
    .option('--no-wait', 'do not wait until a VM answers')
    .addOption(ofUnit())
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', examples('up', 'up firewall'))
    .action(action(async () => (await import('./commands/up.ts')).runUp))
  program
    .command('down')
    .argument('[vm...]')
    .summary('stop the VMs, in reverse order')
    .option('--timeout <seconds>', 'how long a guest may take before it is switched off', '30')
    .addOption(ofUnit())
    .option('--json', 'one JSON document on standard output')
    .action(action(async () => (await import('./commands/down.ts')).runDown))
}

export function addVmCommands(program: Command): void {
  program
    .command('status')
    .summary('every VM with its state, and what it said last')
    .option('--json', 'one JSON document on standard output')
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .action(action(async () => (await import('./commands/status.ts')).runStatus))
  program
    .command('console')
    .argument('<vm>')
    .summary("a VM's serial console (Ctrl-] leaves)")
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .action(action(async () => (await import('./commands/console.ts')).runConsole))
  program
    .command('verify')
    .argument('[vm...]')
    .summary('look inside the guests and compare with the plan')
    .addOption(appliedSpec())
    .option('--json', 'one JSON document on standard output')
    .action(action(async () => (await import('./commands/verify.ts')).runVerify))
}
