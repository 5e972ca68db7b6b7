import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { labCache } from '../support/lab.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

/** QEMU processes of a lab run, by their -name argument. */
function labProcesses(): string[] {
  const found = spawnSync('pgrep', ['-f', 'qemu-system-x86_64.*handover-lab-home'], { encoding: 'utf8' })
  return found.stdout.split('\n').filter(Boolean)
}

function runFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('handover-lab-run-'))
}

/** Starts a lab run, waits until its host's QEMU runs, sends the signal, waits for the end. */
async function killInMidLab(signal: NodeJS.Signals): Promise<number | null> {
  const child = spawn(
    process.execPath,
    ['dist/handover.cjs', 'lab', 'run', 'lab/home.yaml', '--json', '--cache', labCache],
    { stdio: 'ignore' },
  )
  const ended = new Promise<number | null>((done) => child.on('exit', done))
  for (let waited = 0; waited < 60_000 && labProcesses().length === 0; waited += 100) await pause(100)
  expect(labProcesses().length).toBeGreaterThan(0)
  await pause(1500)
  child.kill(signal)
  return await ended
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

async function noneLeft(): Promise<string[]> {
  for (let waited = 0; waited < 5000 && labProcesses().length > 0; waited += 100) await pause(100)
  return labProcesses()
}

describe('a lab that is killed', () => {
  it('by Ctrl-C ends with 130 and leaves nothing behind', async () => {
    expect(await killInMidLab('SIGINT')).toBe(130)
    expect(await noneLeft()).toEqual([])
    expect(runFolders()).toEqual([])
  })

  it('by SIGKILL leaves no QEMU behind, and the next run clears its folder away', async () => {
    await killInMidLab('SIGKILL')
    expect(await noneLeft()).toEqual([])
    const left = runFolders()
    expect(left).toHaveLength(1)
    await killInMidLab('SIGINT')
    expect(runFolders()).toEqual([])
  })
})

const reason = whyNoReboot('debian-grub')

describe.skipIf(reason)(
  `a lab that is killed while its host is installed${reason ? ` (skipped: ${reason})` : ''}`,
  () => {
    it('by Ctrl-C ends at once with 130, and leaves neither the installer nor its folder', async () => {
      const cache = mkdtempSync(join(tmpdir(), 'handover-test-'))
      const installers = () =>
        spawnSync('pgrep', ['-f', 'mmdebstrap.*handover-lab-install'], { encoding: 'utf8' }).stdout.trim()
      try {
        const child = spawn(
          process.execPath,
          ['dist/handover.cjs', 'lab', 'run', 'lab/reboot.yaml', '--json', '--cache', cache],
          { stdio: 'ignore' },
        )
        const ended = new Promise<number | null>((done) => child.on('exit', done))
        for (let waited = 0; waited < 60_000 && installers() === ''; waited += 100) await pause(100)
        expect(installers()).not.toBe('')
        await pause(3000)
        child.kill('SIGINT')
        expect(await ended).toBe(130)
        expect(installers()).toBe('')
        expect(readdirSync(tmpdir()).filter((name) => name.startsWith('handover-lab-install-'))).toEqual([])
      } finally {
        rmSync(cache, { recursive: true, force: true })
      }
    })
  },
)
