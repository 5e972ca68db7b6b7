/** What boot loaders read is complete on the disk after each step: a power cut may come before the next. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'
import { performStep, type Step } from '../../src/steps/step.ts'
import { undoSteps } from '../../src/apply/undo.ts'
import { beginJournal } from '../../src/apply/journal.ts'
import { record } from '../support/in-force.ts'

let root = ''
let seen: string[] = []
let system: System

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'handover-boot-checkpoint-'))
  seen = []
  for (const folder of ['boot', 'etc', 'var/lib/handover/journal/0001'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'boot/entry.conf'), 'old\n')
  writeFileSync(join(root, 'etc/other.conf'), 'old\n')
  const text = () => readFileSync(join(root, 'boot/entry.conf'), 'utf8').trim()
  system = {
    ...linuxSystem({ root }),
    checkpoint: (paths) => {
      seen.push(`${paths.join(' ')}: ${text()}`)
      return Promise.resolve()
    },
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const change = (path: string): Step => ({
  ...{ kind: 'file', path, why: 'a test' },
  ...{ before: { text: 'old\n', mode: 0o644 }, after: { text: 'new\n', mode: 0o644 } },
})

it('after a file, and not after a file that no boot loader reads', async () => {
  await performStep(system, change('/etc/other.conf'))
  expect(seen).toEqual([])
  await performStep(system, change('/boot/entry.conf'))
  expect(seen).toEqual(['/boot/entry.conf: new'])
})

it('after a program that derives such files', async () => {
  const argv = ['sh', '-c', `echo derived > ${join(root, 'boot/entry.conf')}`]
  await performStep(system, {
    kind: 'command',
    argv,
    outputs: ['/boot/entry.conf', '/etc/other.conf'],
    why: 'a test',
  })
  expect(seen).toEqual(['/boot/entry.conf: derived'])
})

it('after each step that is taken back', async () => {
  const steps = [change('/boot/entry.conf'), change('/etc/other.conf')]
  const made = { ...record, steps }
  beginJournal(system, made)
  for (const step of steps) await performStep(system, step)
  seen = []
  const undoing = { record: made, events: [], begun: new Set([0, 1]), later: false }
  expect(await undoSteps(system, undoing, () => undefined)).toEqual([])
  expect(seen).toEqual(['/boot/entry.conf: old'])
})
