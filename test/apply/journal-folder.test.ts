/** The journal's own folder: copies of applies that never began, and a record that is gone. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { journalFolder, readJournals } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import type { Step } from '../../src/plan/step.ts'
import { linuxSystem } from '../../src/system/linux.ts'
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
      if (given[0].endsWith('/saved/1')) throw Object.assign(new Error('full'), { code: 'ENOSPC', path: given[0] })
      real.writeFile(...given)
    },
  }
  for (const _ of [1, 2, 3]) await expect(apply(planOf(steps), full)).rejects.toThrow('ENOSPC')
  expect(folders()).toEqual([])
  expect(await apply(planOf(steps), system())).toMatchObject({ outcome: 'applied', id: '0001' })
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
  const reason = 'record.json is gone, and something was done'
  expect(readJournals(system())).toEqual([{ ok: false, id: '0001', reason }])
  await expect(rollback(system(), undefined)).rejects.toThrow(`journal 0001: ${reason}; nothing was changed`)
  await expect(apply(planOf([file('/etc/c')]), system())).rejects.toThrow(`journal 0001: ${reason}`)
  expect(fs.readFileSync(join(root, journalFolder, '0001/saved/1'), 'utf8')).toBe('old\n')
})
