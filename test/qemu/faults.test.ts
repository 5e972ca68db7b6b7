/**
 * What goes wrong with a VM that runs or is being started. QEMU is a stand-in: no real one can be made to do
 * these.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../src/apply/journal.ts'
import { engine, runningVms } from '../../src/engines/engines.ts'
import { vmFiles } from '../../src/engines/qemu/vm-files.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'
import { askGuest } from '../../src/run/guest-report.ts'
import { up, type UpEvent } from '../../src/run/up.ts'
import { specOf } from '../support/spec.ts'
import { standInQemu, type Behaviour } from '../support/stand-in-qemu.ts'
import { withProcesses } from '../support/with-processes.ts'

let root = ''
let system: System
const path = process.env['PATH']

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'handover-vm-faults-'))
  mkdirSync(join(root, 'programs'))
  system = withProcesses(root, (one) => one.startsWith('/run/'))
  process.env['PATH'] = `${join(root, 'programs')}:${path}`
})
afterEach(async () => {
  for (const vm of runningVms(system)) {
    system.signal(vm.pid, 'SIGKILL')
    await engine.stop(system, vm, 0)
  }
  process.env['PATH'] = path
  rmSync(root, { recursive: true, force: true })
})

const spec = specOf('version: 1\nvms:\n  box:\n    cpus: 1\n    memory: 64 MiB\n')
const record: JournalRecord = {
  ...{ schema: 1, id: '0001', createdAt: '', version: 'test', bootId: '', planHash: '', needsReboot: false },
  ...{ assignments: [], takenAlong: [], spare: [], startOrder: ['box'], steps: [], saved: [] },
}

async function start(): Promise<UpEvent[]> {
  const events: UpEvent[] = []
  await up(system, { spec, record, wanted: [], wait: false }, (event) => events.push(event))
  return events
}

const behave = (behaviour: Behaviour = {}) => standInQemu(join(root, 'programs'), behaviour)
const recordFile = () => vmFiles(system, 'box').record
const kinds = (events: readonly UpEvent[]) => events.map(({ kind }) => kind)
const only = () => {
  const [vm, ...others] = runningVms(system)
  if (vm === undefined || others.length > 0) throw new Error('not one VM runs')
  return vm
}

it('the folder of its sockets is for its owner alone', async () => {
  behave()
  await start()
  const mode = (folder: string) => statSync(folder).mode & 0o777
  expect([mode(vmFiles(system, 'box').folder), mode(join(root, 'run/handover/vm'))]).toEqual([0o700, 0o700])
})

describe('two starts of one VM at the same moment', () => {
  it('make one process, and the second waits for the first', async () => {
    behave({ opensAfter: 700 })
    const [first, second] = await Promise.all([start(), start()])
    expect([kinds(first), kinds(second)].toSorted((a, b) => b.length - a.length)).toEqual([
      ['starting', 'started'],
      ['being-started', 'running-already'],
    ])
    await engine.stop(system, only(), 5)
    expect(runningVms(system)).toEqual([])
  })

  it('begin again what a killed start left half-way', async () => {
    behave()
    await start()
    const left = only()
    writeFileSync(recordFile(), JSON.stringify({ ...left, starting: true }))
    expect(kinds(await start())).toEqual(['starting', 'started'])
    expect(only().pid).not.toBe(left.pid)
    const cmdline = linuxSystem().readText(`/proc/${left.pid}/cmdline`)
    expect(cmdline.ok ? cmdline.value : '').toBe('')
  })

  it('never take the sockets of a QEMU whose record is damaged', async () => {
    behave()
    await start()
    const text = readFileSync(recordFile(), 'utf8')
    for (const damaged of ['{', '{"schema":1,"name":"box","pid":-1}', '[]']) {
      writeFileSync(recordFile(), damaged)
      expect(runningVms(system)).toEqual([])
      await expect(start()).rejects.toThrow(
        /^a QEMU of box is already running \(process \d+\), and its record cannot be read$/,
      )
    }
    writeFileSync(recordFile(), text)
    expect(only().name).toBe('box')
  })

  it('take no other process for the VM, whatever its number', async () => {
    behave()
    await start()
    const vm = only()
    writeFileSync(recordFile(), JSON.stringify({ ...vm, startTicks: '1' }))
    expect(runningVms(system)).toEqual([])
    writeFileSync(recordFile(), JSON.stringify({ ...vm, pid: process.pid }))
    expect(runningVms(system)).toEqual([])
    writeFileSync(recordFile(), JSON.stringify(vm))
  })
})

describe('a QEMU that does not answer', () => {
  it('is switched off by its process, within the time that was given', async () => {
    behave()
    await start()
    const vm = only()
    process.kill(vm.pid, 'SIGSTOP')
    const begun = Date.now()
    expect(await engine.stop(system, vm, 1)).toBe('switched off')
    expect(Date.now() - begun).toBeLessThan(9000)
    expect(runningVms(system)).toEqual([])
  })

  it('is asked no longer than the guest may take', async () => {
    behave({ powersOff: false })
    await start()
    const begun = Date.now()
    expect(await engine.stop(system, only(), 1)).toBe('switched off')
    expect(Date.now() - begun).toBeGreaterThan(900)
    expect(Date.now() - begun).toBeLessThan(6000)
  })
})

it('a guest that chatters without end is cut off', async () => {
  behave({ chatters: true, report: [] })
  await start()
  const begun = process.cpuUsage()
  await expect(askGuest(await engine.openReport(system, 'box'), 'report', 15)).rejects.toThrow(
    'the guest sends far more than a report',
  )
  const { user, system: kernel } = process.cpuUsage(begun)
  expect((user + kernel) / 1e6).toBeLessThan(5)
})
