/**
 * The story of a host whose VMs start with it: apply, a trial boot, confirm, a power cut while a guest writes
 * and traffic runs, an orderly restart, and a boot in which the firewall VM cannot start. No command of the
 * story starts a VM.
 */
import { z } from 'zod'
import { AppError } from '../../base/errors.ts'
import type { LabHost } from '../lab-host.ts'
import { mustWork, typeCommand, type Typist } from '../type-command.ts'
import { readBootedAs } from './host-state.ts'
import { restart, waitUntilHealthy } from './reboot-story.ts'

/** What the story needs beyond a host: `cutPower` kills the machine and starts it again. */
export type PowerCutStory = Typist & { readonly page: string; readonly cutPower: () => Promise<LabHost> }

/** Both VMs start under software emulation, one after the other. */
const comingUpSeconds = 600
/** Files that must be acknowledged before the power is cut. */
const enoughFiles = 20

/** The capture of the host as it was at the beginning. */
export async function runPowerCutStory(begun: PowerCutStory): Promise<string> {
  const { log } = begun
  await prepareHost(begun)
  const capture = (await begun.host.run('handover capture')).lines.join('\n')
  await startOnTrial(begun)
  const { host, acknowledged } = await cutPowerWhileWriting(begun)
  const story: PowerCutStory = { ...begun, host }
  await log.phase('after the power cut: wait for the VMs', () => waitForVms(story))
  await checkComeback(story, 'after the power cut')
  await checkFiles(story, acknowledged)
  mustWork(await typeCommand(story, 'handover status'), 'status')
  await restartInOrder(story)
  await startWithoutFirewall(story)
  await endStory(story)
  return `${capture}\n`
}

/** Copies the files of the guests to the host's own disk, where an owner has them. */
async function prepareHost({ host, log }: PowerCutStory): Promise<void> {
  await log.phase('put the guests on the host', async () => {
    const copied = await host.run(
      'cp /opt/handover/specs/power-cut.yaml /root/home.yaml; mkdir -p /srv/guests; cd /srv/guests; ' +
        'cp /opt/handover/guests/vmlinux .; for vm in firewall media; ' +
        'do cp /opt/handover/guests/guest.cpio $vm.cpio; done; sync',
    )
    if (copied.status !== 0)
      throw new AppError('the guests cannot be put on the lab host', { help: copied.lines.join('\n') })
  })
}

async function startOnTrial(story: PowerCutStory): Promise<void> {
  const { log, host } = story
  await log.phase('apply', async () =>
    mustWork(await typeCommand(story, 'handover apply home.yaml --yes'), 'apply'),
  )
  await log.phase('restart into the trial', () => restart(story))
  await log.phase('on trial: wait for the VMs', () => waitForVms(story))
  const { isTrial, cmdline } = await readBootedAs(host)
  log.check('the VMs start by themselves on the trial boot', isTrial, cmdline)
  await checkComeback(story, 'on the trial boot')
  await checkProcesses(story)
  await log.phase('wait until the trial is healthy', () => waitUntilHealthy(story))
  mustWork(await typeCommand(story, 'handover confirm'), 'confirm')
}

const statusSchema = z.object({
  vms: z.array(z.object({ name: z.string(), state: z.string(), lastLine: z.string() })),
})

async function readStates({ host }: Typist): Promise<string[]> {
  const { lines } = await host.run('handover status --json')
  try {
    const { vms } = statusSchema.parse(JSON.parse(lines.join('\n')))
    return vms.map(({ name, state }) => `${name} ${state}`)
  } catch (error) {
    throw new AppError('handover status --json gave no status in the lab host', {
      ...{ cause: error, help: lines.slice(-5).join('\n') },
    })
  }
}

const allUp = 'firewall running, media running'

/** Waits, and changes nothing. */
async function waitForVms(story: PowerCutStory): Promise<void> {
  let states: string[] = []
  for (let waited = 0; waited < comingUpSeconds; waited += 2) {
    states = await readStates(story)
    if (states.join(', ') === allUp) return
    await story.host.run('sleep 2')
  }
  const { lines } = await story.host.run("journalctl -b -u 'handover-vm@*' -o cat --no-pager | tail -n 20")
  throw new AppError(`the VMs are not up after ${comingUpSeconds} s: ${states.join(', ')}`, {
    help: lines.join('\n'),
  })
}

/** The page of the lab's internet, by what every Debian has: its busybox has no wget that works. */
const fetchPage =
  `timeout 3 bash -c 'exec 3<>/dev/tcp/10.0.2.100/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && ` +
  `grep hello <&3'`

/** The host's own internet, which goes through the firewall VM, and when each thing came, from the logs. */
async function checkComeback(story: PowerCutStory, when: string): Promise<void> {
  const { host, log, page } = story
  const online = await host.run(`for try in $(seq 60); do ${fetchPage} && break; sleep 1; done`)
  const route = await host.run('ip route show default')
  log.check(
    `${when} the host's own internet comes through the firewall VM`,
    online.lines.join('').includes(page) && route.lines.join(' ').includes('192.168.77.1'),
    `${online.lines.join(' ')}; ${route.lines.join('; ')}`,
  )
  const { lines } = await host.run("journalctl -b -u 'handover-vm@*' -o short-monotonic --no-pager")
  const times = timeline(lines)
  log.check(
    `${when} the firewall VM starts first, and media when the firewall answers`,
    inOrder(times, ['firewall starts', 'firewall is up', 'media starts', 'media is up']),
    times.map(({ what, seconds }) => `${what} ${seconds.toFixed(1)} s`).join(', '),
  )
}

/** A shell expression: the numbers of QEMU's processes, by the names that QEMU gives them. */
const processes = "$(grep -ls '^handover-' /proc/[0-9]*/comm | cut -d/ -f3)"

/** QEMU runs as a user without rights, and its sandbox refuses most calls to the kernel. */
async function checkProcesses({ host, log }: PowerCutStory): Promise<void> {
  const { lines } = await host.run(
    `for pid in ${processes}; do echo "$(stat -c %U /proc/$pid) ` +
      '$(sed -n s/^Seccomp:.//p /proc/$pid/status) $(cut -d: -f3 /proc/$pid/cgroup)"; done',
  )
  log.check(
    'each VM runs in its service, as a user without rights, in a sandbox',
    lines.length === 2 &&
      lines.every((line) => /^handover-qemu 2 .*handover-vm@(?:firewall|media)\.service$/.test(line)),
    // The shell lists 1003 before 998.
    lines.toSorted().join('; ') || 'no process found',
  )
}

type Moment = { readonly what: string; readonly seconds: number }

/** Seconds since the kernel's start, of the lines by which a VM's service says how far it is. */
function timeline(lines: readonly string[]): Moment[] {
  return lines.flatMap((line) => {
    const [, time, said = ''] = /^\[ *(\d+\.\d+)\] \S+ [^:]+: (.*)$/.exec(line) ?? []
    const [, vm, what] = /^(?:✓ )?(firewall|media) (starts|runs|is up)\b/.exec(said) ?? []
    return time === undefined || vm === undefined ? [] : [{ what: `${vm} ${what}`, seconds: Number(time) }]
  })
}

function inOrder(times: readonly Moment[], wanted: readonly string[]): boolean {
  const places = wanted.map((what) => times.findIndex((moment) => moment.what === what))
  return places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1))
}

type Acknowledged = ReadonlyMap<string, string>

async function cutPowerWhileWriting(
  story: PowerCutStory,
): Promise<{ readonly host: LabHost; readonly acknowledged: Acknowledged }> {
  const { host, log } = story
  const acknowledged = new Map<string, string>()
  let sayEnough: () => void = () => undefined
  const enough = new Promise<void>((done) => (sayEnough = done))
  await host.run('(while :; do busybox wget -q -T 2 -O /dev/null http://10.0.2.100/; done) >/dev/null 2>&1 &')
  const watched = host.run('tail -n 0 -F /run/handover/vm/media/serial.log', {
    timeoutSeconds: comingUpSeconds,
    onLine: (line) => {
      const [, name, hash] = /\back (f\d+) ([0-9a-f]{16})/.exec(line) ?? []
      if (name === undefined || hash === undefined) return
      acknowledged.set(name, hash)
      if (acknowledged.size === enoughFiles) sayEnough()
    },
  })
  await log.phase('let the guest write', () => Promise.race([enough, watched.then(() => undefined)]))
  // The connection to the host breaks when its power is cut.
  watched.catch(() => undefined)
  const next = await log.phase('cut the power, and start again', () => story.cutPower())
  log.check(
    'the power is cut while the guest writes',
    acknowledged.size >= enoughFiles,
    `${acknowledged.size} files acknowledged`,
  )
  return { host: next, acknowledged }
}

async function checkFiles({ host, log }: PowerCutStory, acknowledged: Acknowledged): Promise<void> {
  const { lines } = await host.run('handover lab ask media files', { timeoutSeconds: 300 })
  const found = new Map(
    lines.flatMap((line) => {
      const [, name, hash] = /^file (f\d+) ([0-9a-f]{16})$/.exec(line) ?? []
      return name === undefined || hash === undefined ? [] : [[name, hash]]
    }),
  )
  const lost = [...acknowledged].filter(([name, hash]) => found.get(name) !== hash).map(([name]) => name)
  log.check(
    'every acknowledged file is there, with its bytes',
    lost.length === 0 && acknowledged.size > 0,
    lost.length > 0 ? `lost: ${lost.join(', ')}` : `${acknowledged.size} of ${found.size} were acknowledged`,
  )
}

async function restartInOrder(story: PowerCutStory): Promise<void> {
  const { host, log } = story
  await log.phase('restart in order', () => restart(story))
  const { lines } = await host.run("journalctl -b -1 -u 'handover-vm@*' -o cat --no-pager | tail -n 20")
  const [media, firewall] = ['media', 'firewall'].map((vm) =>
    lines.findIndex((line) => line.startsWith(`${vm} powered off`)),
  )
  log.check(
    'before the host goes down the guests are shut down, media before the firewall',
    media !== undefined && firewall !== undefined && media >= 0 && firewall > media,
    lines.filter((line) => / powered off| switched off/.test(line)).join('; ') || lines.slice(-3).join('; '),
  )
  await log.phase('after the restart: wait for the VMs', () => waitForVms(story))
  await checkComeback(story, 'after the restart')
}

/** Without its initramfs the firewall cannot start: `status` shows why, and the host stays reachable. */
async function startWithoutFirewall(story: PowerCutStory): Promise<void> {
  const { host, log } = story
  await host.run('mv /srv/guests/firewall.cpio /srv/guests/firewall.gone; sync')
  await log.phase('restart without the firewall', () => restart(story))
  await host.run('sleep 30')
  const { lines } = await typeCommand(story, 'handover status')
  const states = await readStates(story)
  const address = await host.run('ip -o -4 address show br0')
  log.check(
    'a firewall that does not come up is shown with its reason, and media waits',
    states.every((state) => /(?:waiting|failed)$/.test(state)) &&
      lines.some((line) => /^ {2}(?:console|ended because): .*initrd/.test(line)),
    states.join(', '),
  )
  log.check(
    'the host is reached by its fixed address meanwhile',
    address.lines.join(' ').includes('192.168.77.2/24'),
    address.lines.join('; '),
  )
  await host.run('mv /srv/guests/firewall.gone /srv/guests/firewall.cpio')
  await log.phase('the firewall can start again: wait for the VMs', () => waitForVms(story))
  await checkComeback(story, 'when its reason is mended')
}

async function endStory(story: PowerCutStory): Promise<void> {
  const { host, log } = story
  await log.phase('down', async () => mustWork(await typeCommand(story, 'handover down'), 'down'))
  await log.phase('rollback', async () =>
    mustWork(await typeCommand(story, 'handover rollback --yes'), 'rollback'),
  )
  const left = await host.run(`find /etc/systemd/system -name '*handover*'; echo ${processes}`)
  const found = left.lines.filter((line) => line !== '')
  log.check(
    'after down and rollback no unit and no process is left',
    found.length === 0,
    found.join('; ') || 'none found',
  )
}
