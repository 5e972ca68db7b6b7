import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../src/apply/journal.ts'
import type { System } from '../../src/machine/system.ts'
import { engine, runningVms } from '../../src/engines/engines.ts'
import { vmRunFolder } from '../../src/engines/qemu/vm-files.ts'
import { up, type UpEvent, type UpRequest } from '../../src/run/up.ts'
import { lacks } from '../support/tools.ts'
import { withProcesses } from '../support/with-processes.ts'
import { at } from '../support/host-builder.ts'
import { specOf } from '../support/spec.ts'

let system: System
let folder = ''
let server: Server | undefined
const path = process.env['PATH']

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-up-'))
  system = withProcesses(folder, (one) => one.startsWith(vmRunFolder))
})
afterEach(async () => {
  for (const vm of runningVms(system)) await engine.stop(system, vm, 0)
  server?.close()
  server = undefined
  process.env['PATH'] = path
  rmSync(folder, { recursive: true, force: true })
})

/** A plan in force that gives no device to anybody: what is tested is the start, the waiting and the end. */
async function start(
  vms: string,
  names: readonly string[],
  wait = true,
  more: Partial<UpRequest> = {},
): Promise<UpEvent[]> {
  const spec = specOf(`version: 1\nvms:\n${vms}`)
  const record: JournalRecord = {
    ...{
      schema: 1,
      id: '0001',
      createdAt: '',
      version: 'test',
      bootId: '',
      planHash: '',
      needsReboot: false,
    },
    ...{ assignments: [], takenAlong: [], spare: [], startOrder: names, steps: [], saved: [] },
  }
  const events: UpEvent[] = []
  await up(system, { spec, record, wanted: [], wait, ...more }, (event) => events.push(event))
  return events
}

async function listener(): Promise<number> {
  const listening = createServer((peer) => peer.end())
  server = listening
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done))
  const address = listening.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const box = (name: string, rest: string) => `  ${name}:\n    cpus: 1\n    memory: 64 MiB\n${rest}`

describe.skipIf(lacks('qemu-system-x86_64'))('up, with the real QEMU (needs qemu-system-x86_64)', () => {
  it('starts a VM without its optional device, and says so', async () => {
    const leftOut = { role: 'screen', address: at('04:00.0'), why: 'it is gone' }
    const events = await start(box('one', ''), ['one'], false, { check: () => [leftOut] })
    expect(events.map(({ kind }) => kind)).toEqual(['starts-without', 'starting', 'started'])
    expect(events[0]).toEqual({ kind: 'starts-without', vm: 'one', ...leftOut })
    expect(runningVms(system)).toMatchObject([{ name: 'one', functions: [] }])
  })

  it('runs QEMU as a user without rights, in a sandbox', async () => {
    system = withProcesses(folder, (one) => one.startsWith(vmRunFolder) || one === '/etc/passwd')
    mkdirSync(join(folder, 'etc'))
    const passwd = join(folder, 'etc/passwd')
    const status = async () => {
      await start(box('one', ''), ['one'], false)
      const [vm] = runningVms(system)
      if (vm === undefined) throw new Error('it does not run')
      const text = readFileSync(`/proc/${vm.pid}/status`, 'utf8')
      await engine.stop(system, vm, 0)
      const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.split(/\s+/)
      return { ids: [field('Uid'), field('Gid')], seccomp: field('Seccomp') }
    }
    writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\nhandover-qemu:x:64711:64712::/:/usr/sbin/nologin\n')
    expect(await status()).toEqual({
      ids: [Array(4).fill('64711'), Array(4).fill('64712')],
      seccomp: ['2'],
    })
    // No such user: it stays what its caller is; never root under another name.
    for (const text of ['not-handover-qemu:x:64711:64711::/:\n', 'handover-qemu:x:0:0::/:\n', '\n']) {
      writeFileSync(passwd, text)
      const { ids, seccomp } = await status()
      expect([ids[0]?.[0], seccomp]).toEqual([String(process.getuid?.()), ['2']])
    }
  })

  it('waits for an answer, then starts who needs it', async () => {
    const port = await listener()
    const vms =
      box('late', '    needs: [early]\n') +
      box('early', `    ready: { tcp: "127.0.0.1:${port}", within: 20 s }\n`)
    const events = await start(vms, ['early', 'late'])
    expect(events.map((event) => `${event.kind} ${event.vm}`)).toEqual([
      'starting early',
      'started early',
      'answered early',
      'starting late',
      'started late',
    ])
    expect(runningVms(system).map((vm) => vm.name)).toEqual(['early', 'late'])
    expect((await start(vms, ['early', 'late'])).map((event) => event.kind)).toEqual([
      'running-already',
      'running-already',
    ])
    for (const vm of runningVms(system)) expect(await engine.stop(system, vm, 0)).toBe('switched off')
    expect(runningVms(system)).toEqual([])
  })

  it('switches a guest off that never answers, and starts nothing that needs it', async () => {
    const vms =
      box('mute', '    ready: { tcp: "127.0.0.1:1", within: 2 s }\n') + box('after', '    needs: [mute]\n')
    await expect(start(vms, ['mute', 'after'])).rejects.toThrow(
      /mute did not answer within 2 s \(127\.0\.0\.1:1 accepts connections; last: .*ECONNREFUSED\)/,
    )
    expect(runningVms(system)).toEqual([])
    expect(readdirSync(join(folder, vmRunFolder))).toEqual(['mute'])
  })

  it('leaves it running with --no-wait', async () => {
    await start(box('mute', '    ready: { tcp: "127.0.0.1:1", within: 2 s }\n'), ['mute'], false)
    expect(runningVms(system).map((vm) => vm.name)).toEqual(['mute'])
  })

  it('says which bridge is missing and leaves nothing behind', async () => {
    // Without the right to make a tap QEMU refuses by itself; with it the bridge is what is missing.
    await expect(start(box('lost', '    networks: [{ bridge: br-none }]\n'), ['lost'])).rejects.toThrow(
      /br-none|tap|tun/,
    )
    expect(runningVms(system)).toEqual([])
  })

  it('refuses a VM larger than the memory that is there', async () => {
    await expect(start('  huge:\n    cpus: 1\n    memory: 900 GiB\n', ['huge'])).rejects.toThrow(
      /needs 921600 MiB, and \d+ MiB are available/,
    )
  })

  it('creates a raw disk once and never again', async () => {
    const disk = join(folder, 'disks', 'box.raw')
    await start(box('box', `    disks: [{ path: ${disk}, size: 8 MiB, format: raw }]\n`), ['box'])
    expect(existsSync(disk)).toBe(true)
    for (const vm of runningVms(system)) await engine.stop(system, vm, 0)
    await expect(
      start(box('box', `    disks: [{ path: ${disk}.other, format: raw }]\n`), ['box']),
    ).rejects.toThrow('does not exist')
  })
})

describe('up, without a QEMU that can be used', () => {
  it('names the program that is missing', async () => {
    process.env['PATH'] = folder
    await expect(start(box('box', ''), ['box'])).rejects.toMatchObject({
      help: 'is qemu-system-x86_64 installed and on the PATH?',
    })
  })

  it('refuses one that is too old', async () => {
    // The real thing cannot be had in an old version here, so a stand-in greets as QEMU 6.0 does.
    const greeting = '{"QMP":{"version":{"qemu":{"major":6,"minor":0,"micro":0}}}}'
    const program = `#!${process.execPath}
const path = process.argv.find((arg) => arg.startsWith('socket,id=qmp')).match(/path=([^,]+)/)[1]
require('net').createServer((peer) => {
  peer.write('${greeting}\\n')
  peer.on('data', (text) => peer.write(JSON.stringify({ return: {}, id: JSON.parse(text).id }) + '\\n'))
}).listen(path)
`
    writeFileSync(join(folder, 'qemu-system-x86_64'), program)
    // Else a package.json in some folder above would decide what kind of module it is.
    writeFileSync(join(folder, 'package.json'), '{}')
    chmodSync(join(folder, 'qemu-system-x86_64'), 0o755)
    process.env['PATH'] = `${folder}:${path}`
    await expect(start(box('box', ''), ['box'])).rejects.toThrow(
      'this QEMU is 6.0; 7.2 is the oldest that works',
    )
    expect(runningVms(system)).toEqual([])
  })
})
