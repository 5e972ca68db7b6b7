/** The words of the commands that only look: at the host, at what is planned for it, at a log. */
import type { Command } from 'commander'
import { action, examples, reading } from './wiring.ts'

export function addLookCommands(program: Command): void {
  addInspect(program)
  addInit(program)
  addAdvise(program)
  addReadingCommands(program)
  addCheck(program)
  addReportCommands(program)
  addExplain(program)
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

function addAdvise(program: Command): void {
  reading(program.command('advise'))
    .summary('before a purchase: would this card work here, and in which slot')
    .description(
      'Puts a card into each free slot of the host, in thought, and predicts its IOMMU group there. ' +
        'Changes nothing.',
    )
    .option('--card <card>', 'ids such as 8086:1521, or words such as "quad port nic"; any card when absent')
    .addHelpText(
      'after',
      examples('advise', 'advise --card 8086:1521', 'advise --card "quad port nic" --from my-host.yaml'),
    )
    .action(action(async () => (await import('./commands/advise.ts')).runAdvise))
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
