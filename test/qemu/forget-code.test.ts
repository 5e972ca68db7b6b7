import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { forgetTranslatedCode } from '../../src/lab/forget-code.ts'
import { qemuSockets } from '../support/qemu-sockets.ts'
import { lacks } from '../support/tools.ts'

const sockets = qemuSockets()

describe.skipIf(lacks('qemu-system-x86_64'))(
  'the translator of a real QEMU (needs qemu-system-x86_64)',
  () => {
    it('forgets the code of the guest, and the guest goes on, as often as asked', async () => {
      const qmp = await sockets.qemu([
        '-machine',
        'q35,accel=tcg',
        '-smp',
        '2',
        '-gdb',
        sockets.at('gdb.sock'),
      ])
      const flushes = async () => {
        const told = String(await qmp.execute('human-monitor-command', { 'command-line': 'info jit' }))
        return Number(/TB flush count\s+(\d+)/.exec(told)?.[1])
      }
      await sleep(500)
      for (let time = 1; time <= 2; time++) {
        const before = await flushes()
        await qmp.execute('system_reset')
        await forgetTranslatedCode(await sockets.connect('gdb.sock'))
        // It is asked of the machine's own processor, which comes to it when it runs again
        // (`async_safe_run_on_cpu`).
        await expect.poll(flushes, { timeout: 10_000 }).toBeGreaterThan(before)
        expect(await qmp.execute('query-status')).toMatchObject({ status: 'running' })
      }
      qmp.close()
    })
  },
)

describe('a gdbstub that is none', () => {
  it.each([
    ['says nothing', () => undefined, /did not answer within 0.2 s/],
    [
      'talks without end',
      (write: (text: string) => void) => write('x'.repeat(300_000)),
      /did not answer within 0.2 s/,
    ],
    [
      'answers something else',
      (write: (text: string) => void) => write('+$E22#a9'),
      /did not answer within 0.2 s/,
    ],
    ['goes away', (_: unknown, end: () => void) => end(), /closed its gdbstub/],
  ] as const)('ends with words when it %s', async (_, behave, words) => {
    const connection = await sockets.impostor((peer) => {
      peer.once('data', () =>
        behave(
          (text) => peer.write(text),
          () => peer.end(),
        ),
      )
    })
    await expect(forgetTranslatedCode(connection, 0.2)).rejects.toThrow(words)
  })
})
