/**
 * A folder of unix sockets for one test at a time, a real QEMU behind them or somebody who is none; both end
 * with the test.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { Connection, Running } from '../../src/machine/system.ts'
import { workFolder } from '../../src/machine/work-folder.ts'
import { openQmp, type QmpClient } from '../../src/engines/qemu/qmp.ts'

export function qemuSockets() {
  const system = linuxSystem()
  let folder = ''
  let running: Running | undefined
  let server: Server | undefined
  const path = (name: string) => join(folder, name)
  const at = (name: string) => `unix:${path(name)},server=on,wait=off`

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'handover-sockets-'))
  })
  afterEach(async () => {
    await running?.stop(100)
    server?.close()
    running = undefined
    server = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  return {
    /** A socket as QEMU's options want it. */
    at,
    connect: (name: string): Promise<Connection> => system.connect(path(name)),
    /** Starts QEMU without a display, and shakes hands on its QMP socket. */
    async qemu(argv: readonly string[]): Promise<QmpClient> {
      running = await system.start([
        'qemu-system-x86_64',
        '-display',
        'none',
        ...argv,
        '-qmp',
        at('qmp.sock'),
      ])
      for (let waited = 0; waited < 20_000 && !workFolder.exists(path('qmp.sock')); waited += 20)
        await system.sleep(20)
      return await openQmp(await system.connect(path('qmp.sock')))
    },
    /** Somebody else: does with whoever connects what `behave` says. */
    async impostor(behave: (peer: Socket) => void): Promise<Connection> {
      server = createServer((peer) => {
        peer.on('error', () => undefined)
        behave(peer)
      })
      await new Promise<void>((done) => server?.listen(path('other.sock'), done))
      return await system.connect(path('other.sock'))
    },
  }
}
