/**
 * `handover console`, the built command: what is typed goes to the guest, what the guest says comes back,
 * Ctrl-] leaves.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { standInQemu } from '../support/stand-in-qemu.ts'

let folder = ''
let stop = () => undefined as unknown
beforeEach(() => {
  if (!existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
  folder = mkdtempSync(join(tmpdir(), 'handover-console-'))
})
afterEach(() => {
  stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A VM whose process runs, as `up` leaves it. */
async function runVm(name: string): Promise<void> {
  const place = join(folder, 'run/handover/vm', name)
  mkdirSync(place, { recursive: true })
  standInQemu(folder, {})
  const socket = (id: string) => ['-chardev', `socket,id=${id},path=${join(place, `${id}.sock`)},server=on`]
  const argv = ['-name', `${name},process=handover-${name}`, ...['qmp', 'serial', 'report'].flatMap(socket)]
  const child = spawn(join(folder, 'qemu-system-x86_64'), argv, { stdio: 'ignore' })
  stop = () => child.kill('SIGKILL')
  await vi.waitUntil(() => existsSync(join(place, 'serial.sock')), 20_000)
  const process = join(folder, `proc/${child.pid}`)
  mkdirSync(process, { recursive: true })
  writeFileSync(join(process, 'cmdline'), readFileSync(`/proc/${child.pid}/cmdline`))
  writeFileSync(
    join(place, 'vm.json'),
    JSON.stringify({ schema: 1, name, pid: child.pid, accelerator: 'tcg', started: '', functions: [] }),
  )
}

/** Types the texts, each when the one before it has been answered. */
async function typeAt(vm: string, ...texts: readonly (readonly [after: string, text: string])[]) {
  const child = spawn('./handover', ['console', vm, '--root', folder])
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  const ended = new Promise<number | null>((done) => child.on('close', done))
  for (const [after, text] of texts) {
    await vi.waitUntil(() => said.out.includes(after) || child.exitCode !== null, 30_000)
    child.stdin.write(text)
  }
  return { code: await ended, ...said }
}

it('carries both directions, and leaves at Ctrl-]', async () => {
  await runVm('box')
  const said = await typeAt('box', ['guest login: ', 'root\n'], ['you said root', '\u001d'])
  expect(said.err).toContain('connected to box; Ctrl-] leaves')
  expect(said.out).toBe('guest login: you said root\n')
  expect(said.code).toBe(0)
})

it('ends with the guest', async () => {
  await runVm('box')
  const said = typeAt('box', ['guest login: ', ''])
  await vi.waitUntil(() => existsSync(join(folder, 'run/handover/vm/box/vm.json')))
  setTimeout(() => stop(), 1500)
  expect((await said).code).toBe(0)
})

it('names those that run, where the one asked for does not', async () => {
  await runVm('box')
  const said = await typeAt('bix')
  expect(said.err).toMatch(/there is no VM bix\n {2}help: .*box/)
  expect(said.code).toBe(2)
})
