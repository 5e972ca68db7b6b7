import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/base/errors.ts'
import { openQmp, QmpError } from '../../src/engines/qemu/qmp.ts'
import { qemuSockets } from '../support/qemu-sockets.ts'
import { lacks } from '../support/tools.ts'

const sockets = qemuSockets()

/** A real QEMU with no guest. */
const qemu = () => sockets.qemu(['-nodefaults', '-machine', 'none', '-S'])

describe.skipIf(lacks('qemu-system-x86_64'))('QMP with the real QEMU (needs qemu-system-x86_64)', () => {
  it('shakes hands and tells its version', async () => {
    const qmp = await qemu()
    expect(qmp.version.major).toBeGreaterThanOrEqual(7)
    expect(await qmp.execute('query-status')).toMatchObject({ running: false, status: 'prelaunch' })
    qmp.close()
  })

  it('gives a refusal its class and words', async () => {
    const qmp = await qemu()
    const refused = await qmp.execute('device_del', { id: 'ghost' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(QmpError)
    expect(refused).toMatchObject({ errorClass: 'DeviceNotFound', command: 'device_del' })
    await expect(qmp.execute('no-such-command')).rejects.toMatchObject({ errorClass: 'CommandNotFound' })
    qmp.close()
  })

  it('matches many replies under way to their questions', async () => {
    const qmp = await qemu()
    const names = await Promise.all(
      ['query-version', 'query-status', 'query-name', 'query-uuid'].map((name) => qmp.execute(name)),
    )
    expect(names.map((reply) => Object.keys(reply as object)[0])).toEqual([
      'qemu',
      'status',
      undefined,
      'UUID',
    ])
    qmp.close()
  })

  it('hears events, and that QEMU went away', async () => {
    const qmp = await qemu()
    const events: string[] = []
    qmp.onEvent(({ event }) => events.push(event))
    await qmp.execute('quit')
    await qmp.closed
    expect(events).toContain('SHUTDOWN')
    await expect(qmp.execute('query-status')).rejects.toThrow('has closed its control socket')
  })
})

/** Says its lines, then stays. */
const impostor = (says: string) => sockets.impostor((peer) => void peer.write(says))

describe('QMP with something that is not QEMU', () => {
  it.each([
    ['nothing', ''],
    ['garbage', 'SSH-2.0-OpenSSH_9\n'],
    ['JSON that is no object', '[1,2]\n'],
    ['a greeting and then garbage', '{"QMP":{"version":{}}}\nnonsense\n'],
  ])('ends with a clear error on %s', async (_name, says) => {
    const connection = await impostor(says)
    await expect(openQmp(connection, 0.5)).rejects.toBeInstanceOf(AppError)
  })

  it('does not keep a line without end', async () => {
    const connection = await impostor('x'.repeat(17 * 1024 * 1024))
    await expect(openQmp(connection, 5)).rejects.toThrow(AppError)
  })

  it('says so when nobody listens', async () => {
    await expect(sockets.connect('nobody.sock')).rejects.toThrow('nothing answers')
  })
})
