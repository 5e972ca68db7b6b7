/**
 * The story of a plain Debian with the package: install, a trial boot, an upgrade while the trial waits,
 * confirm, a refused removal, rollback, purge. Between the commands the story asks the kernel and the file
 * system of the host what is true.
 */
import { AppError } from '../../base/errors.ts'
import type { CommandResult } from '../lab-host.ts'
import { allDifferences } from '../snapshot.ts'
import { mustWork, typeCommand, type Typist } from '../type-command.ts'
import { changedPaths, readBootedAs, readState, type HostState } from './host-state.ts'
import { packageNames } from './prepare.ts'
import { checkHandedOver, readPlan, restart, waitUntilHealthy } from './reboot-story.ts'

const [older, newer] = packageNames

/** What apt, dpkg and the tools for users keep for themselves. */
const keptByOthers =
  /^\/var\/lib\/(?:apt|dpkg|ucf)\/|^\/etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)-$|^\/etc\/\.pwd\.lock$/

/** The user of the package is in these. */
const userLists = /^\/etc\/(?:passwd|group|shadow|gshadow)$/

/** The capture of the host as it was at the beginning. */
export async function runPackageStory(story: Typist): Promise<string> {
  const { host, log } = story
  await host.run('cp /opt/handover/specs/*.yaml /root/; rm -f /usr/local/bin/handover /usr/local/bin/node')
  const before = await log.phase('remember every file', () => readState(host))
  const none = await host.run('command -v handover node nodejs')
  log.check(
    'the host has neither the tool nor Node',
    none.lines.length === 0,
    none.lines.join(' ') || 'neither found',
  )

  await log.phase('install the package', () => install(story, older))
  await checkUntouched(story, before)
  mustWork(await typeCommand(story, 'handover inspect'), 'inspect')
  const capture = (await host.run('handover capture')).lines.join('\n')
  const { assignments, takenAlong } = await readPlan(story, 'reboot.yaml')
  const addresses = [...assignments, ...takenAlong].map(({ address }) => address)
  const drivers = addresses.flatMap((address) => before.functions.get(address)?.driver ?? [])
  const handed = { addresses, drivers: [...new Set(drivers)] }
  await log.phase('apply', async () =>
    mustWork(await typeCommand(story, 'handover apply reboot.yaml --yes'), 'apply'),
  )
  await log.phase('restart into the trial', () => restart(story))
  await log.phase('wait until the trial is healthy', () => waitUntilHealthy(story))

  await log.phase('upgrade while the trial waits', () => install(story, newer))
  await checkUpgraded(story)
  await log.phase('confirm', async () => mustWork(await typeCommand(story, 'handover confirm'), 'confirm'))
  await log.phase('restart as on any day', () => restart(story))
  await checkHandedOver(story, 'after upgrade and restart', handed, false)

  await checkRefusal(await typeCommand(story, 'apt-get remove -y handover'), story)
  await log.phase('rollback', async () =>
    mustWork(await typeCommand(story, 'handover rollback --yes'), 'rollback'),
  )
  await log.phase('restart after the rollback', () => restart(story))
  await log.phase('purge', async () =>
    mustSucceed(await typeCommand(story, 'apt-get purge -y handover'), 'apt-get purge'),
  )
  await checkGone(story, before)
  return `${capture}\n`
}

async function install(story: Typist, name: string): Promise<void> {
  const argv = `apt-get install -y --no-install-recommends /opt/handover/${name}`
  mustSucceed(await typeCommand(story, argv), 'apt-get install')
}

function mustSucceed({ status, lines }: CommandResult, what: string): void {
  if (status === 0) return
  throw new AppError(`${what} ended with ${status} in the lab host`, { help: lines.slice(-8).join('\n') })
}

/** Installing changes nothing of the configuration but the lists of users, and starts or enables no unit. */
async function checkUntouched({ host, log }: Typist, before: HostState): Promise<void> {
  const now = await readState(host)
  const changed = changedPaths(before.files, now.files).filter(
    (path) => !path.startsWith('/usr/') && !keptByOthers.test(path) && !userLists.test(path),
  )
  const moved = allDifferences(before.functions, now.functions)
  const wrong = [...changed, ...moved]
  log.check(
    'installing changes no configuration and no driver',
    wrong.length === 0 && now.files.size > before.files.size,
    wrong.join('; ') || `${now.files.size} facts compared`,
  )
  const listUnits = "systemctl list-units --all --plain --no-legend 'handover*'"
  const listProcesses = "stat -c '%U %n' /proc/[0-9]* | grep '^handover-qemu '"
  const units = await host.run(`${listUnits}; ${listProcesses}`)
  log.check(
    'installing starts nothing',
    units.lines.length === 0,
    units.lines.join('; ') || 'no unit, no process',
  )
}

async function checkUpgraded({ host, log }: Typist): Promise<void> {
  const booted = await readBootedAs(host)
  const version = await host.run(
    "dpkg-query -W -f '${Version}' handover; echo; handover --version; handover journal",
  )
  const [packaged = '', said = '', entry = ''] = version.lines
  log.check(
    'the trial waits on under the new version, which reads the journal of the old one',
    booted.isTrial && packaged === said && /^0001 .*applied/.test(entry),
    version.lines.join('; '),
  )
}

async function checkRefusal({ status, lines }: CommandResult, { host, log }: Typist): Promise<void> {
  const there = await host.run('handover --version')
  const words = lines.find((line) => line.includes('Handover is not removed')) ?? ''
  log.check(
    'removing is refused while devices are handed over',
    status !== 0 && words !== '' && there.status === 0,
    words || lines.slice(-3).join('; '),
  )
}

async function checkGone({ host, log }: Typist, before: HostState): Promise<void> {
  const now = await readState(host)
  const changed = changedPaths(before.files, now.files).filter((path) => !keptByOthers.test(path))
  log.check(
    'after rollback, restart and purge every file is as at the beginning',
    changed.length === 0 && now.files.size > 100,
    changed.join(', ') || `${now.files.size} facts compared`,
  )
  const moved = allDifferences(before.functions, now.functions)
  log.check(
    'after rollback, restart and purge every driver is as at the beginning',
    moved.length === 0 && now.functions.size > 0,
    moved.join('; ') || `${now.functions.size} functions compared`,
  )
  const left = await host.run(
    'ls -d /var/lib/handover /run/handover /etc/handover 2>/dev/null; getent passwd handover-qemu',
  )
  log.check(
    'nothing of the tool is left',
    left.lines.length === 0,
    left.lines.join('; ') || 'no folder, no user',
  )
}
