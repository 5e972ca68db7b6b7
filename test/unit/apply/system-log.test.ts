/** What an apply and a rollback say to the system's journal, and that a file tree says nothing there. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { apply } from '../../../src/apply/apply.ts'
import { rollback } from '../../../src/apply/rollback.ts'
import { logEntry } from '../../../src/apply/system-log.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import type { LogEntry, System } from '../../../src/machine/system.ts'
import type { Step } from '../../../src/steps/step.ts'
import { address, identityOf, put, tempTree } from '../../support/fake-kernel.ts'
import { planOf } from '../../support/transactions.ts'

let root = ''
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const file: Step = {
  ...{ kind: 'file', path: '/etc/a', why: '' },
  ...{ before: { text: 'old\n', mode: 0o644 }, after: { text: 'new\n', mode: 0o644 } },
}
const card = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:01:00.0',
  vendor: '8086',
  device: '10d3',
  driver: 'e1000e',
}
const driver: Step = {
  ...{ kind: 'driver', address: address(card.address), identity: identityOf(card), why: '' },
  ...{
    before: { driver: 'e1000e', driverOverride: null },
    after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
  },
}

it('every event of an apply and of its rollback, with transaction, step and what it is about', async () => {
  root = tempTree()
  put(root, '/etc/a', 'old\n')
  const said: LogEntry[] = []
  const system: System = { ...linuxSystem({ root }), log: (entry) => said.push(entry) }
  await apply(planOf([file]), system)
  await rollback(system, undefined)
  const fields = said.map(
    ({ fields: { HANDOVER_EVENT: event, HANDOVER_PHASE: phase, HANDOVER_OUTCOME: end } }) =>
      [event, phase, end].filter((word) => word !== undefined).join(' '),
  )
  expect(fields).toEqual([
    ...['step started', 'step done', 'end applied'],
    ...['rollback', 'step undo-started', 'step undone', 'end rolled-back'],
  ])
  for (const entry of said)
    expect(entry).toMatchObject({ severity: 'notice', fields: { HANDOVER_TRANSACTION: '0001' } })
  const step = { HANDOVER_STEP: '0', HANDOVER_KIND: 'file', HANDOVER_PATH: '/etc/a' }
  expect(said[1]).toMatchObject({ fields: step })
  expect(said[1]?.message).toContain('/etc/a')
})

it('a device by its address, and what went wrong as an error', () => {
  const record = { id: '0007', steps: [driver] }
  expect(logEntry(record, { event: 'step', index: 0, phase: 'failed', note: 'busy' })).toMatchObject({
    severity: 'error',
    message: expect.stringMatching(/^0007: step 0 failed: 0000:01:00\.0: .*\(busy\)$/) as string,
    fields: { HANDOVER_DEVICE: '0000:01:00.0', HANDOVER_KIND: 'driver', HANDOVER_STEP: '0' },
  })
  expect(logEntry(record, { event: 'end', outcome: 'not-restored', note: 'x' })).toMatchObject({
    ...{ severity: 'error', message: '0007: not-restored: x', fields: { HANDOVER_OUTCOME: 'not-restored' } },
  })
})

it('is said although our own journal cannot be written, as when the disk is full', async () => {
  root = tempTree()
  put(root, '/etc/a', 'old\n')
  const said: LogEntry[] = []
  const real = linuxSystem({ root })
  const full: System = {
    ...real,
    log: (entry) => said.push(entry),
    appendFile: () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC', path: '/var' })
    },
  }
  expect(await apply(planOf([file]), full)).toMatchObject({ outcome: 'restored', cause: 'full' })
  expect(said.map(({ message }) => message).at(-1)).toBe('0001: restored: full')
  expect(fs.readFileSync(join(root, 'etc/a'), 'utf8')).toBe('old\n')
})

it('a file tree has no journal of a system', () => {
  root = tempTree()
  expect(linuxSystem({ root }).log).toBeUndefined()
  expect(linuxSystem().log).toBeTypeOf('function')
})
