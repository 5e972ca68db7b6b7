/** Freezing needs rights that a container lacks: stand-ins for findmnt and fsfreeze write down what they are asked. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { checkpoint } from '../../../src/machine/checkpoint.ts'

let folder = ''
const path = process.env['PATH']

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-checkpoint-'))
  program(
    'findmnt',
    `case "$*" in *FSTYPE*/efi*) echo vfat ;; *FSTYPE*) echo ext4 ;; */efi*) echo /efi ;; *) echo / ;; esac`,
  )
  program('fsfreeze', 'echo "$1 $2" >> "$folder/calls"')
  process.env['PATH'] = `${folder}:${path}`
})
afterEach(() => {
  process.env['PATH'] = path
  rmSync(folder, { recursive: true, force: true })
})

function program(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\nfolder=${folder}\n${body}\n`, { mode: 0o755 })
}
const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '')

it('freezes and thaws each file system once, and none without a log', async () => {
  await checkpoint(['/boot/grub/grub.cfg', '/boot/initrd.img', '/efi/loader/entries/a.conf'])
  expect(calls()).toBe('--freeze /\n--unfreeze /\n')
})

it('thaws again and again until it is thawed', async () => {
  program(
    'fsfreeze',
    'echo "$1" >> "$folder/calls"; test "$1" = --freeze || test "$(grep -c unfreeze "$folder/calls")" -ge 3',
  )
  await checkpoint(['/boot/grub/grub.cfg'])
  expect(calls()).toBe('--freeze\n--unfreeze\n--unfreeze\n--unfreeze\n')
})

it('leaves alone what cannot be frozen', async () => {
  program('fsfreeze', 'echo "$1" >> "$folder/calls"; exit 1')
  await checkpoint(['/boot/grub/grub.cfg'])
  expect(calls()).toBe('--freeze\n')
})

it('thaws although it is asked to end while the file system is frozen', async () => {
  program('fsfreeze', 'echo "$1" >> "$folder/calls"; test "$1" = --unfreeze || sleep 1')
  const script = readFileSync('assets/boot/checkpoint.sh', 'utf8')
  const child = spawn('sh', ['-c', script, 'checkpoint', '/boot/a'], { stdio: 'ignore' })
  const ended = new Promise((done) => child.on('exit', done))
  await vi.waitUntil(() => calls() !== '', 5000)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) child.kill(signal)
  await ended
  expect(calls()).toBe('--freeze\n--unfreeze\n')
})

it('is thawed by a second process when the first one is killed', async () => {
  program('sleep', 'exec /bin/sleep 0.2')
  program('fsfreeze', 'echo "$1" >> "$folder/calls"; test "$1" = --unfreeze || exec /bin/sleep 5')
  const script = readFileSync('assets/boot/checkpoint.sh', 'utf8')
  const child = spawn('sh', ['-c', script, 'checkpoint', '/boot/a'], { stdio: 'ignore' })
  await vi.waitUntil(() => calls() !== '', 5000)
  child.kill('SIGKILL')
  await vi.waitUntil(() => calls().includes('--unfreeze'), 5000)
})
