import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetTranslatedCode } from '../../src/lab/forget-code.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import type { Running } from '../../src/system/system.ts'
import { exists } from '../../src/system/work-folder.ts'
import { openQmp } from '../../src/vm/qmp.ts'
import { lacks } from '../support/tools.ts'

const system = linuxSystem()
let folder = ''
let running: Running | undefined
let server: Server | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-gdb-'))
})
afterEach(async () => {
  await running?.stop(100)
  server?.close()
  running = undefined
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(lacks('qemu-system-x86_64'))('the translator of a real QEMU (needs qemu-system-x86_64)', () => {
  it('forgets the code of the guest, and the guest goes on, as often as asked', async () => {
    const [qmpSocket, gdbSocket] = [join(folder, 'qmp.sock'), join(folder, 'gdb.sock')]
    const sockets = [qmpSocket, gdbSocket].map((path) => `unix:${path},server=on,wait=off`)
    const argv = ['qemu-system-x86_64', '-display', 'none', '-machine', 'q35,accel=tcg', '-smp', '2']
    running = await system.start([...argv, '-qmp', sockets[0] ?? '', '-gdb', sockets[1] ?? ''])
    for (let waited = 0; waited < 20_000 && !exists(qmpSocket); waited += 20) await system.sleep(20)
    const qmp = await openQmp(await system.connect(qmpSocket))
    const flushes = async () => {
      const told = String(await qmp.execute('human-monitor-command', { 'command-line': 'info jit' }))
      return Number(/TB flush count\s+(\d+)/.exec(told)?.[1])
    }
    await system.sleep(500)
    const before = await flushes()
    for (let time = 1; time <= 2; time++) {
      await qmp.execute('system_reset')
      await forgetTranslatedCode(await system.connect(gdbSocket))
      expect(await flushes()).toBe(before + time)
      expect(await qmp.execute('query-status')).toMatchObject({ status: 'running' })
    }
    qmp.close()
  })
})

describe('a gdbstub that is none', () => {
  it.each([
    ['says nothing', () => undefined, /did not answer within 0.2 s/],
    ['talks without end', (write: (text: string) => void) => write('x'.repeat(300_000)), /did not answer within 0.2 s/],
    ['answers something else', (write: (text: string) => void) => write('+$E22#a9'), /did not answer within 0.2 s/],
    ['goes away', (_: unknown, end: () => void) => end(), /closed its gdbstub/],
  ] as const)('ends with words when it %s', async (_, behave, words) => {
    const socket = join(folder, 'gdb.sock')
    server = createServer((peer) => {
      peer.on('error', () => undefined)
      peer.once('data', () =>
        behave(
          (text) => peer.write(text),
          () => peer.end(),
        ),
      )
    }).listen(socket)
    for (let waited = 0; waited < 5000 && !exists(socket); waited += 10) await system.sleep(10)
    await expect(forgetTranslatedCode(await system.connect(socket), 0.2)).rejects.toThrow(words)
  })
})
