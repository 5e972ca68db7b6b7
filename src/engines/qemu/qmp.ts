/**
 * QMP, QEMU's control socket (docs/interop/qmp-spec in QEMU): greeting, capabilities, one JSON object a line, replies matched
 * by id, events in between. This file speaks the wire; what to say is vm/qemu.ts's business.
 */
import { defined } from '../../base/defined.ts'
import { AppError } from '../../base/errors.ts'
import type { Connection } from '../../machine/system.ts'

/** QEMU refused a command: its own error class (`GenericError`, `DeviceNotFound`, …) and words. */
export class QmpError extends AppError {
  readonly command: string
  readonly errorClass: string
  constructor(command: string, errorClass: string, description: string) {
    super(`QEMU refused ${command}: ${description}`)
    this.command = command
    this.errorClass = errorClass
  }
}

export type QmpEvent = { readonly event: string; readonly data: Readonly<Record<string, unknown>> }
export type QmpVersion = { readonly major: number; readonly minor: number; readonly micro: number }

export type QmpClient = {
  readonly version: QmpVersion
  /** Sends one command; the reply's `return`. Throws QmpError, or AppError on time-out and when QEMU goes away. */
  execute(command: string, args?: Readonly<Record<string, unknown>>, timeoutSeconds?: number): Promise<unknown>
  onEvent(listener: (event: QmpEvent) => void): void
  /** Resolves when the connection ends. */
  readonly closed: Promise<void>
  close(): void
}

type Waiting = {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly command: string
}

/** A line longer than this is not QMP any more (the largest real reply, query-qmp-schema, is some 200 KiB). */
const longestLine = 16 * 1024 * 1024

/** Shakes hands on a fresh connection: greeting in, `qmp_capabilities` out. */
export async function openQmp(connection: Connection, timeoutSeconds = 20): Promise<QmpClient> {
  const waiting = new Map<number, Waiting>()
  const listeners: ((event: QmpEvent) => void)[] = []
  let nextId = 1
  let rest = ''
  let greet: ((message: Record<string, unknown>) => void) | undefined
  let isClosed = false
  let resolveClosed: () => void = () => undefined
  const closed = new Promise<void>((done) => {
    resolveClosed = done
  })
  const end = (why: string) => {
    if (isClosed) return
    isClosed = true
    connection.close()
    for (const { reject, command } of waiting.values())
      reject(new AppError(`QEMU ${why} while it was asked ${command}`))
    waiting.clear()
    resolveClosed()
  }
  const receive = (message: Record<string, unknown>) => {
    if ('QMP' in message) return greet?.(message)
    if (typeof message['event'] === 'string') {
      const event = { event: message['event'], data: isRecord(message['data']) ? message['data'] : {} }
      for (const listener of listeners) listener(event)
      return undefined
    }
    const id = message['id']
    const request = typeof id === 'number' ? waiting.get(id) : undefined
    if (!request || typeof id !== 'number') return undefined
    waiting.delete(id)
    const error = message['error']
    if (isRecord(error)) request.reject(new QmpError(request.command, String(error['class']), String(error['desc'])))
    else request.resolve(message['return'])
    return undefined
  }
  connection.onClose(() => end('closed its control socket'))
  connection.onText((text) => {
    rest += text
    if (rest.length > longestLine) return end('sent a line too long to be QMP')
    let newline = rest.indexOf('\n')
    while (newline >= 0) {
      const message = parseLine(rest.slice(0, newline))
      rest = rest.slice(newline + 1)
      if (message === undefined) return end('sent something that is not QMP')
      if (message !== null) receive(message)
      newline = rest.indexOf('\n')
    }
    return undefined
  })
  const execute: QmpClient['execute'] = (command, args, timeout = 20) =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(new AppError(`QEMU has closed its control socket; ${command} was not sent`))
      const id = nextId++
      const timer = setTimeout(() => {
        waiting.delete(id)
        reject(new AppError(`QEMU did not answer ${command} within ${timeout} s`))
      }, timeout * 1000)
      waiting.set(id, {
        command,
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      })
      connection.write(`${JSON.stringify({ execute: command, ...defined({ arguments: args }), id })}\n`)
      return undefined
    })
  const greeting = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => {
      end('sent no greeting')
      reject(
        new AppError(`no QMP greeting within ${timeoutSeconds} s`, { help: 'is this really a QMP socket of QEMU?' }),
      )
    }, timeoutSeconds * 1000)
    void closed.then(() => {
      clearTimeout(timer)
      reject(new AppError('QEMU closed its control socket before greeting'))
    })
    greet = (message) => (clearTimeout(timer), resolve(message))
  })
  await execute('qmp_capabilities')
  return {
    version: versionOf(greeting),
    execute,
    onEvent: (listener) => listeners.push(listener),
    closed,
    close: () => end('was left'),
  }
}

/** `null` for an empty line, `undefined` for anything that is not a JSON object. */
function parseLine(line: string): Record<string, unknown> | null | undefined {
  if (line.trim() === '') return null
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    // Not JSON: the caller ends the connection.
    return undefined
  }
}

function versionOf(greeting: Record<string, unknown>): QmpVersion {
  const qmp = isRecord(greeting['QMP']) ? greeting['QMP'] : {}
  const version = isRecord(qmp['version']) ? qmp['version'] : {}
  const qemu = isRecord(version['qemu']) ? version['qemu'] : {}
  const number = (key: string) => (typeof qemu[key] === 'number' ? qemu[key] : 0)
  return { major: number('major'), minor: number('minor'), micro: number('micro') }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
