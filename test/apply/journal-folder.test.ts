/** The journal's own folder: copies of applies that never began, and a record that is gone. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { journalFolder, readJournals } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import type { Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { put, tempTree } from '../support/fake-kernel.ts'
import { planOf } from '../support/transactions.ts'

let root = ''
const system = () => linuxSystem({ root })
const file = (path: string): Step => ({
  kind: 'file',
  path,
  before: { text: 'old\n', mode: 0o644 },
  after: { text: 'new\n', mode: 0o644 },
  why: '',
})
const steps = [file('/etc/a'), file('/etc/b')]
const folders = () => fs.readdirSync(join(root, journalFolder))

beforeEach(() => {
  root = tempTree()
  for (const name of ['a', 'b']) put(root, `/etc/${name}`, 'old\n')
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

it('a disk that is full while copies are made is left as full as it was, however often it is tried', async () => {
  const real = system()
  const full = {
    ...real,
    writeFile: (...given: Parameters<typeof real.writeFile>) => {
      if (given[0].endsWith('/saved/1'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC', path: given[0] })
      real.writeFile(...given)
    },
  }
  for (const _ of [1, 2, 3]) await expect(apply(planOf(steps), full)).rejects.toThrow('ENOSPC')
  expect(folders()).toEqual([])
  expect(await apply(planOf(steps), system())).toMatchObject({ outcome: 'applied', id: '0001' })
})

it('nobody but root looks into it: it holds files as they were', async () => {
  await apply(planOf(steps), system())
  for (const path of [journalFolder, `${journalFolder}/0001/saved`])
    expect(fs.statSync(join(root, path)).mode & 0o777, path).toBe(0o700)
})

it('copies that a power cut left before anything began are cleared by the next apply', async () => {
  put(root, `${journalFolder}/0001/saved/0`, 'half')
  put(root, `${journalFolder}/0001/.record.json.handover-77`, '{')
  expect(await apply(planOf(steps), system())).toMatchObject({ outcome: 'applied', id: '0001' })
  expect(fs.readFileSync(join(root, journalFolder, '0001/saved/0'), 'utf8')).toBe('old\n')
})

it('a record that is gone after something was done is damage: its copies stay, and nothing more is changed', async () => {
  await apply(planOf(steps), system())
  fs.rmSync(join(root, journalFolder, '0001/record.json'))
  const reason = 'record.json is missing, although steps were begun'
  expect(readJournals(system())).toEqual([{ ok: false, id: '0001', reason }])
  await expect(rollback(system(), undefined)).rejects.toThrow(`journal 0001: ${reason}; nothing was changed`)
  await expect(apply(planOf([file('/etc/c')]), system())).rejects.toThrow(`journal 0001: ${reason}`)
  expect(fs.readFileSync(join(root, journalFolder, '0001/saved/1'), 'utf8')).toBe('old\n')
})

describe('folders that are no entries', () => {
  const record = () => fs.readFileSync(join(root, journalFolder, '0001/record.json'), 'utf8')
  const copyOfFirst = (name: string) =>
    fs.cpSync(join(root, journalFolder, '0001'), join(root, journalFolder, name), { recursive: true })

  it.each([
    '20250314091500.before-upgrade',
    '20250314091500',
    '20250314.before-upgrade',
    '20250314',
    '999999999',
    '00004',
    '1e3',
    'old',
    '-5',
    '.0009',
  ])('%s does not count, and every number handed out is read back and taken back', async (name) => {
    await apply(planOf(steps), system())
    copyOfFirst(name)
    fs.mkdirSync(join(root, journalFolder, `${name}x`))
    expect(await apply(planOf([file('/etc/c')]), withC())).toMatchObject({ outcome: 'applied', id: '0002' })
    expect(readJournals(system()).map((read) => read.ok && read.journal.record.id)).toEqual(['0001', '0002'])
    expect(await rollback(system(), '2')).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    expect(fs.readFileSync(join(root, journalFolder, name, 'saved/0'), 'utf8')).toBe('old\n')
  })

  const withC = () => {
    put(root, '/etc/c', 'old\n')
    return system()
  }

  it('an entry that was set aside keeps its number', async () => {
    await apply(planOf(steps), system())
    fs.renameSync(join(root, journalFolder, '0001'), join(root, journalFolder, '0001.damaged'))
    expect(await apply(planOf([file('/etc/c')]), withC())).toMatchObject({ id: '0002' })
  })

  it('a folder where the next entry would be is left alone, and the number behind it is taken', async () => {
    await apply(planOf(steps), system())
    put(root, `${journalFolder}/0002/saved/0`, 'of an admin')
    put(root, `${journalFolder}/0002/notes`, 'why')
    expect(await apply(planOf([file('/etc/c')]), withC())).toMatchObject({ id: '0003' })
    expect(fs.readFileSync(join(root, journalFolder, '0002/saved/0'), 'utf8')).toBe('of an admin')
  })

  it('a copy of saved bytes without a record is not cleared away', async () => {
    put(root, `${journalFolder}/20250314/saved/0`, 'kept')
    expect(await apply(planOf(steps), system())).toMatchObject({ id: '0001' })
    expect(fs.readFileSync(join(root, journalFolder, '20250314/saved/0'), 'utf8')).toBe('kept')
  })

  it('when no number is left, nothing is changed', async () => {
    await apply(planOf(steps), system())
    put(root, `${journalFolder}/999999999/record.json`, record().replace('"id": "0001"', '"id": "999999999"'))
    put(root, `${journalFolder}/999999999/events.jsonl`, '{"at":"","event":"end","outcome":"rolled-back"}\n')
    await expect(apply(planOf([file('/etc/c')]), withC())).rejects.toThrow(
      'there is no higher number; nothing was changed',
    )
    expect(fs.readFileSync(join(root, 'etc/c'), 'utf8')).toBe('old\n')
  })
})
