/**
 * What goes wrong around a transaction: generators, other processes, clocks, damaged journals. Real
 * processes, real files.
 */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { journalFolder, lockPath, readJournals, readLastApplied } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { AppError } from '../../src/base/errors.ts'
import type { Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { put, tempTree } from '../support/fake-kernel.ts'
import { differences, snapshotTree } from '../support/snapshot-tree.ts'
import { planOf as plan } from '../support/transactions.ts'

let root = ''
let before = new Map<string, { what: string; mtimeMs: number }>()
const ours = ['/var/lib/handover', '/run/handover']
const changed = () => differences(before, snapshotTree(root, ours))

const edit: Step = {
  kind: 'file',
  path: '/etc/default/grub',
  before: { text: 'A="quiet"\n', mode: 0o644 },
  after: { text: 'A="quiet iommu=pt"\n', mode: 0o644 },
  why: '',
}
const run = (script: string): Step => ({
  kind: 'command',
  argv: ['sh', '-c', script, 'sh', join(root, 'boot/grub.cfg')],
  outputs: ['/boot/grub.cfg'],
  why: '',
})
const planOf = (...steps: Step[]) => plan(steps)

beforeEach(() => {
  root = tempTree()
  put(root, '/etc/default/grub', 'A="quiet"\n')
  put(root, '/boot/grub.cfg', 'linux quiet\n')
  fs.mkdirSync(join(root, 'var/lib'), { recursive: true })
  fs.mkdirSync(join(root, 'run'))
  before = snapshotTree(root, ours)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe('a generator', () => {
  it.each([
    [
      'that fails half-way',
      'echo half >"$1"; echo no space left >&2; exit 3',
      /sh ended with status 3: no space left/,
    ],
    ['that is killed', 'echo half >"$1"; kill -9 $$', /sh ended with (a signal|status 137)/],
    ['that does not exist', 'exec /nowhere/update-grub', /status 127/],
    ['that hangs', 'echo half >"$1"; sleep 60', /did not end within 0.3 seconds/],
  ])('%s is taken back with its half-written output', async (_, script, cause) => {
    const result = await apply(planOf(edit, run(script)), linuxSystem({ root }), {
      limits: { commandSeconds: 0.3 },
    })
    expect(result).toMatchObject({ outcome: 'restored', cause: expect.stringMatching(cause) })
    expect(changed()).toEqual([])
  })

  it('that writes through a link is taken back behind it, and the link stays', async () => {
    fs.renameSync(join(root, 'boot/grub.cfg'), join(root, 'boot/real.cfg'))
    fs.symlinkSync('real.cfg', join(root, 'boot/grub.cfg'))
    before = snapshotTree(root, ours)
    expect(await apply(planOf(edit, run('echo new >"$1"')), linuxSystem({ root }))).toMatchObject({
      outcome: 'applied',
    })
    expect(fs.readFileSync(join(root, 'boot/real.cfg'), 'utf8')).toBe('new\n')
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('that puts a link in place of its output costs nothing what that link means', async () => {
    put(root, '/boot/other.cfg', 'of somebody else\n')
    before = snapshotTree(root, ours)
    await apply(planOf(edit, run('ln -sf other.cfg "$1"')), linuxSystem({ root }))
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('dies with an apply that is killed, and does not write on behind a rollback', async () => {
    const script = join(root, 'var/apply.ts')
    const modules = resolve(import.meta.dirname, '../../src')
    const wanted = planOf(edit, run('while :; do echo more >>"$1"; sleep 0.02; done'))
    fs.writeFileSync(
      script,
      `import { apply } from '${modules}/apply/apply.ts'\nimport { linuxSystem } from '${modules}/machine/linux.ts'\nawait apply(${JSON.stringify(wanted)}, linuxSystem({ root: ${JSON.stringify(root)} }))\n`,
    )
    const child = spawn(
      process.execPath,
      ['--import', './scripts/raw-text.mjs', '--import', 'tsx', script.replace(/ts$/, 'mts')],
      {
        stdio: 'ignore',
        cwd: resolve(import.meta.dirname, '../..'),
      },
    )
    fs.renameSync(script, script.replace(/ts$/, 'mts'))
    const grown = () => fs.statSync(join(root, 'boot/grub.cfg')).size > 30
    for (let waited = 0; !grown() && waited < 1500; waited += 1)
      await new Promise((done) => setTimeout(done, 20))
    expect(grown()).toBe(true)
    child.kill('SIGKILL')
    await new Promise((done) => child.on('exit', done))
    fs.rmSync(script.replace(/ts$/, 'mts'))
    await new Promise((done) => setTimeout(done, 200))
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    await new Promise((done) => setTimeout(done, 200))
    expect(changed()).toEqual([])
  })
})

describe('a kernel that gives fewer huge pages than asked', () => {
  const path = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'
  const pages: Step = { kind: 'sysfs', path, before: '16', after: '1024', partial: true, why: '' }
  /** The first write is met by half, every later one in full. */
  const meagre = () => {
    const system = linuxSystem({ root })
    let gives = 700
    return {
      ...system,
      writeAttributeWithin: (file: string, text: string) => {
        put(root, file, `${Math.min(gives, Number(text))}\n`)
        gives = Number.POSITIVE_INFINITY
        return Promise.resolve()
      },
    }
  }
  const count = () => fs.readFileSync(join(root, path), 'utf8').trim()
  beforeEach(() => put(root, path, '16\n'))

  it('is taken back to the number before, and said what it gave', async () => {
    expect(await apply(planOf(pages, edit), meagre())).toMatchObject({
      outcome: 'restored',
      cause: `${path}: the kernel gave 700 of 1024`,
    })
    expect(count()).toBe('16')
  })

  it('leaves what a rollback brings back when the apply was ended right there', async () => {
    await apply(planOf(pages), linuxSystem({ root }))
    put(root, path, '700\n')
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(count()).toBe('16')
  })

  it('is told from somebody who changed the number since', async () => {
    await apply(planOf(pages), linuxSystem({ root }))
    put(root, path, '4096\n')
    await expect(rollback(linuxSystem({ root }), undefined)).rejects.toThrow(
      'because the host has changed since',
    )
  })
})

describe('around an apply', () => {
  it('two at once: the second changes nothing and names the first', async () => {
    const system = linuxSystem({ root })
    const first = apply(planOf(edit, run('sleep 0.5')), system)
    const second = await apply(planOf(edit), system).catch((error: unknown) => error)
    expect(second).toBeInstanceOf(AppError)
    expect((second as AppError).message).toMatch(`another apply is running (process ${process.pid}, since`)
    expect((second as AppError).exitCode).toBe(3)
    expect(await first).toMatchObject({ outcome: 'applied' })
    expect(fs.existsSync(join(root, lockPath))).toBe(false)
  })

  it('a clock set back: the newest apply is still the newest', async () => {
    const system = linuxSystem({ root })
    const at = (time: string) => ({ ...system, now: () => new Date(time) })
    await apply(planOf(edit), at('2026-11-22T10:00:00Z'))
    const next: Step = { ...edit, before: edit.after, after: { text: 'B\n', mode: 0o644 } }
    await apply(planOf(next), at('2001-01-01T00:00:00Z'))
    expect(await rollback(at('1999-01-01T00:00:00Z'), undefined)).toMatchObject({
      id: '0002',
      outcome: 'rolled-back',
    })
    expect(await rollback(system, undefined)).toMatchObject({ id: '0001', outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('Ctrl-C between steps: what was done is taken back', async () => {
    const stop = new AbortController()
    const report = (event: { kind: string }) => {
      if (event.kind === 'step') stop.abort()
    }
    const result = await apply(planOf(edit, run('echo x >"$1"')), linuxSystem({ root }), {
      signal: stop.signal,
      report,
    })
    expect(result).toMatchObject({ outcome: 'restored', cause: 'the apply was asked to stop' })
    expect(changed()).toEqual([])
  })

  it.each([
    ['EACCES', 'run it as root'],
    ['ENOSPC', 'check that /var/lib/handover can be written and has free space: df /var/lib/handover'],
  ])('%s before the first change: a reason and what to do, and nothing was changed', async (code, help) => {
    const makeFolder = () => {
      throw Object.assign(new Error(code), { code, path: '/var/lib/handover' })
    }
    const system = { ...linuxSystem({ root }), makeFolder }
    expect(await rollback(system, undefined)).toMatchObject({ outcome: 'nothing-to-do' })
    expect(changed()).toEqual([])
    fs.mkdirSync(join(root, 'var/lib/handover'), { recursive: true })
    for (const run of [
      () => apply(planOf(edit), system),
      () => rollback(system, undefined),
      () => rollback({ ...system, stat: () => ({ ok: false, reason: 'unreadable', code }) }, undefined),
    ]) {
      const error = (await run().catch((caught: unknown) => caught)) as AppError
      expect(error).toMatchObject({
        message: `/var/lib/handover cannot be written (${code}); nothing was changed`,
        help,
        exitCode: 3,
      })
    }
    expect(changed()).toEqual([])
  })

  it('a listener that throws changes nothing', async () => {
    const report = () => {
      throw new Error('the terminal is gone')
    }
    expect(await apply(planOf(edit), linuxSystem({ root }), { report })).toMatchObject({ outcome: 'applied' })
  })
})

describe('a damaged journal', () => {
  const file = (name: string) => join(root, journalFolder, '0001', name)

  it('record.json cut at any length: nothing is changed, and the way to go on is said', async () => {
    const system = linuxSystem({ root })
    await apply(planOf(edit), system)
    const text = fs.readFileSync(file('record.json'), 'utf8')
    const applied = fs.readFileSync(join(root, 'etc/default/grub'), 'utf8')
    for (let length = 0; length < text.length - 3; length += 13) {
      fs.writeFileSync(file('record.json'), text.slice(0, length))
      const undo = (await rollback(system, undefined).catch((error: unknown) => error)) as AppError
      expect(undo.message).toMatch(/^journal 0001: record.json is damaged .*; nothing was changed$/s)
      expect(undo.help).toContain('/var/lib/handover/journal/0001/saved')
      const redo = (await apply(planOf(edit, run('true')), system).catch(
        (error: unknown) => error,
      )) as AppError
      expect(redo.help).toContain('mv /var/lib/handover/journal/0001 /var/lib/handover/journal/0001.damaged')
      expect(fs.readFileSync(join(root, 'etc/default/grub'), 'utf8')).toBe(applied)
    }
    expect(fs.readFileSync(file('saved/0'), 'utf8')).toBe('A="quiet"\n')
  })

  it('events.jsonl cut at any length: rollback restores everything all the same', async () => {
    const script = 'echo new >"$1"'
    const system = linuxSystem({ root })
    await apply(planOf(edit, run(script)), system)
    const text = fs.readFileSync(file('events.jsonl'), 'utf8')
    const record = fs.readFileSync(file('record.json'), 'utf8')
    for (let length = 0; length <= text.length; length += 17) {
      put(root, '/etc/default/grub', 'A="quiet iommu=pt"\n')
      put(root, '/boot/grub.cfg', 'new\n')
      put(root, `${journalFolder}/0001/record.json`, record)
      fs.writeFileSync(file('events.jsonl'), text.slice(0, length))
      expect(await rollback(system, '1'), `cut at ${length}`).toMatchObject({ outcome: 'rolled-back' })
      expect(changed()).toEqual([])
    }
  })

  it('saved bytes damaged: garbage is never put back; the text comes from the record, an output is named', async () => {
    const system = linuxSystem({ root })
    await apply(planOf(edit, run('echo new >"$1"')), system)
    for (const name of ['saved/0', 'saved/1']) fs.writeFileSync(file(name), 'garbage')
    const result = await rollback(system, undefined)
    expect(result.outcome).toBe('rollback-incomplete')
    expect(result.leftovers).toEqual([
      expect.stringMatching(/the saved bytes of \/boot\/grub.cfg .* are damaged and were not restored/),
    ])
    expect(fs.readFileSync(join(root, 'etc/default/grub'), 'utf8')).toBe('A="quiet"\n')
    expect(fs.readFileSync(join(root, 'boot/grub.cfg'), 'utf8')).toBe('new\n')
  })

  it('folder that may not be read: nobody says that nothing was applied', async () => {
    const system = linuxSystem({ root })
    await apply(planOf(edit), system)
    const denied = (code: string): typeof system => ({
      ...system,
      list: (path) =>
        path === journalFolder ? { ok: false, reason: 'unreadable', code } : system.list(path),
    })
    for (const [code, help] of [
      ['EACCES', 'run it as root'],
      ['EIO', 'see what the kernel reports about that disk: dmesg | tail'],
    ] as const) {
      const message = `/var/lib/handover/journal cannot be read (${code}), so earlier changes are not known`
      expect(() => readJournals(denied(code))).toThrow(expect.objectContaining({ message, help }) as Error)
      await expect(rollback(denied(code), undefined)).rejects.toMatchObject({ message, help })
      await expect(apply(planOf(edit), denied(code))).rejects.toMatchObject({ message, help })
      expect(readLastApplied(denied(code))).toBeUndefined()
    }
  })

  it('written by a newer release: it says so', async () => {
    const system = linuxSystem({ root })
    await apply(planOf(edit), system)
    const record = JSON.parse(fs.readFileSync(file('record.json'), 'utf8')) as object
    fs.writeFileSync(file('record.json'), JSON.stringify({ ...record, schema: 2 }))
    expect(readJournals(system)).toEqual([
      {
        ok: false,
        id: '0001',
        reason: 'record.json was written by a newer release (schema 2): use that release',
      },
    ])
  })
})
