/**
 * Lab runs that are killed. Each gets a temporary folder of its own, whose name is in the arguments of every
 * process it starts: so these tests see their own runs and nobody else's.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyNoReboot } from '../support/reboot-needs.ts'

const folder = mkdtempSync(join(tmpdir(), 'handover-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Arguments of the running processes of a program that name our folder. */
function ownProcesses(program: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((words) => words[0]?.endsWith(program) === true && words.some((word) => word.includes(folder)))
    .map((words) => words.join(' '))
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // The process has ended meanwhile.
    return []
  }
}

const leftFolders = () => readdirSync(folder).filter((name) => name.startsWith('handover-lab-'))
const hosts = () => ownProcesses('qemu-system-x86_64')
/** mmdebstrap is a Perl program. */
const installers = () => ownProcesses('perl').filter((words) => words.includes('mmdebstrap'))

type End = {
  readonly status: number | null
  readonly begun: readonly string[]
  readonly left: readonly string[]
}

/**
 * Starts a lab run, waits until it has started what `seen` sees, lets it work, sends the signal, and waits
 * for the end.
 */
async function killInMidLab(
  signal: NodeJS.Signals,
  argv: readonly string[],
  seen: () => string[],
): Promise<End> {
  const child = spawn(process.execPath, ['dist/handover.cjs', 'lab', 'run', ...argv, '--json'], {
    stdio: 'ignore',
    env: { ...process.env, TMPDIR: folder },
  })
  const ended = new Promise<number | null>((done) => child.on('exit', done))
  for (let waited = 0; waited < 120_000 && seen().length === 0; waited += 100) await pause(100)
  const begun = seen()
  await pause(1500)
  child.kill(signal)
  const status = await ended
  for (let waited = 0; waited < 5000 && seen().length > 0; waited += 100) await pause(100)
  return { status, begun, left: seen() }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

describe('a lab that is killed', () => {
  let killed: End
  let leftByKill: string[]
  let interrupted: End
  let leftAtEnd: string[]
  beforeAll(async () => {
    killed = await killInMidLab('SIGKILL', ['lab/home.yaml'], hosts)
    leftByKill = leftFolders()
    interrupted = await killInMidLab('SIGINT', ['lab/home.yaml'], hosts)
    leftAtEnd = leftFolders()
  })

  it('by Ctrl-C ends with 130 and leaves nothing behind', () => {
    expect(interrupted.begun).toHaveLength(1)
    expect(interrupted).toMatchObject({ status: 130, left: [] })
    expect(leftAtEnd).toEqual([])
  })

  it('by SIGKILL leaves no QEMU behind, and the next run clears its folder away', () => {
    expect(killed.begun).toHaveLength(1)
    expect(killed.left).toEqual([])
    expect(leftByKill).toHaveLength(1)
    expect(leftAtEnd).toEqual([])
  })
})

const reason = whyNoReboot('debian-grub')

describe.skipIf(reason)(
  `a lab that is killed while its host is installed${reason ? ` (skipped: ${reason})` : ''}`,
  () => {
    it('by Ctrl-C ends at once with 130, and leaves neither the installer nor its folder', async () => {
      const cache = join(folder, 'cache')
      const end = await killInMidLab('SIGINT', ['lab/reboot.yaml', '--cache', cache], installers)
      expect(end.begun).not.toEqual([])
      expect(end).toMatchObject({ status: 130, left: [] })
      expect(leftFolders()).toEqual([])
      expect(
        readdirSync(cache, { recursive: true }).filter((name) => String(name).includes('draft')),
      ).toEqual([])
    })
  },
)
