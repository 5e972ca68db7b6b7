import { execFileSync, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { takeLock } from '../../../src/machine/lock.ts'

let folder = ''
beforeEach(() => (folder = fs.mkdtempSync(join(tmpdir(), 'handover-lock-'))))
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

describe('the lock', () => {
  it('has one holder, names it, and is free after release', () => {
    const path = join(folder, 'lock')
    const first = takeLock(path, 'apply')
    expect(takeLock(path, 'rollback')).toMatchObject({
      ok: false,
      holder: { pid: process.pid, what: 'apply' },
    })
    if (first.ok) first.release()
    expect(takeLock(path, 'rollback').ok).toBe(true)
    expect(fs.readdirSync(folder)).toEqual(['lock'])
  })

  it.each([
    ['a process that is gone', { pid: 4_000_000, start: '1', boot: undefined }],
    ['a process id used again by another process', { pid: process.pid, start: '1', boot: undefined }],
    ['an earlier boot', { pid: process.pid, start: undefined, boot: 'other' }],
  ])('is taken over from %s', (_, change) => {
    const path = join(folder, 'lock')
    takeLock(path, 'apply')
    const old = JSON.parse(fs.readFileSync(path, 'utf8')) as object
    const defined = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
    fs.writeFileSync(path, JSON.stringify({ ...old, ...defined }))
    expect(takeLock(path, 'apply').ok).toBe(true)
  })

  it.each(['', '{', 'null', '[]', '{"pid":"x"}'])('is taken over when its file is torn: %j', (text) => {
    const path = join(folder, 'lock')
    fs.writeFileSync(path, text)
    expect(takeLock(path, 'apply').ok).toBe(true)
  })
})

describe('a write to a kernel attribute in a child', () => {
  const system = linuxSystem()

  it('writes exactly the text', async () => {
    const path = join(folder, 'attribute')
    fs.writeFileSync(path, '')
    await system.writeAttributeWithin(path, '\n', 5)
    expect(fs.readFileSync(path, 'utf8')).toBe('\n')
  })

  it('says when there is no such attribute, and creates none', async () => {
    const path = join(folder, 'absent')
    await expect(system.writeAttributeWithin(path, 'x', 5)).rejects.toThrow(`${path} does not exist`)
    expect(fs.existsSync(path)).toBe(false)
  })

  it('gives up on a writer that blocks', async () => {
    const path = join(folder, 'fifo')
    execFileSync('mkfifo', [path])
    await expect(system.writeAttributeWithin(path, 'x', 0.2)).rejects.toThrow('did not answer "x"')
  })

  it('reports the kernel’s refusal', async () => {
    await expect(system.writeAttributeWithin('/dev/full', 'x', 5)).rejects.toThrow('No space left on device')
  })
})

it('is taken over from a process that ended and that nobody has waited for', async () => {
  // The shell becomes `sleep`, which waits for no child: what it started stays a zombie.
  const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'])
  const pid = Number(await new Promise((said) => parent.stdout.once('data', said)))
  const fields = () => {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  }
  const path = join(folder, 'lock')
  takeLock(path, 'apply')
  const old = JSON.parse(fs.readFileSync(path, 'utf8')) as object
  fs.writeFileSync(path, JSON.stringify({ ...old, pid, start: fields()[19] }))
  while (fields()[0] !== 'Z') await new Promise((done) => setTimeout(done, 10))
  expect(takeLock(path, 'rollback').ok).toBe(true)
  parent.kill('SIGKILL')
})

it('frees nothing while its holder lives in another process', async () => {
  const child = spawn('sleep', ['30'])
  const path = join(folder, 'lock')
  takeLock(path, 'apply')
  const stat = fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  const old = JSON.parse(fs.readFileSync(path, 'utf8')) as object
  fs.writeFileSync(path, JSON.stringify({ ...old, pid: child.pid, start }))
  expect(takeLock(path, 'apply')).toMatchObject({ ok: false, holder: { pid: child.pid } })
  child.kill('SIGKILL')
  await new Promise((done) => child.on('exit', done))
  expect(takeLock(path, 'apply').ok).toBe(true)
})
