/**
 * QMP, the protocol of QEMU's control socket (docs/interop/qmp-spec in QEMU): a greeting, the capabilities,
 * then one JSON object on each line. A reply has the id of its command; events may come at any time. The
 * commands are in qemu.ts.
 */
import { defined } from '../../base/defined.ts'
import { AppError } from '../../base/errors.ts'
import type { Connection } from '../../machine/system.ts'

/** QEMU refused a command. `errorClass` is QEMU's: `GenericError`, `DeviceNotFound`, … */
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
  /**
   * Returns the member `return` of the reply. Throws QmpError, or AppError on a timeout and when QEMU ends.
   */
  execute(
    command: string,
    args?: Readonly<Record<string, unknown>>,
    timeoutSeconds?: number,
  ): Promise<unknown>
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

/** A longer line cannot be QMP: the largest reply, query-qmp-schema, has about 200 KiB. */
const longestLine = 4 * 1024 * 1024

/** Reads the greeting of a new connection, and sends `qmp_capabilities`. */
export async function openQmp(connection: Connection, timeoutSeconds = 20): Promise<QmpClient> {
  const wire = new Wire(connection)
  const version = versionOf(await wire.greeting(timeoutSeconds))
  await wire.execute('qmp_capabilities', undefined, timeoutSeconds)
  return {
    version,
    execute: (command, args, timeout = 20) => wire.execute(command, args, timeout),
    onEvent: (listener) => wire.listeners.push(listener),
    closed: wire.closed,
    close: () => wire.end('was disconnected'),
  }
}

class Wire {
  readonly listeners: ((event: QmpEvent) => void)[] = []
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #isClosed = false
  #begun: string[] = []
  #begunLength = 0
  #greet: (message: Record<string, unknown>) => void = () => undefined
  #resolveClosed: () => void = () => undefined

  constructor(connection: Connection) {
    this.#connection = connection
    this.closed = new Promise<void>((done) => {
      this.#resolveClosed = done
    })
    connection.onClose(() => this.end('closed its control socket'))
    connection.onText((text) => this.#take(text))
  }

  end(why: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.close()
    for (const { reject, command } of this.#waiting.values())
      reject(new AppError(`QEMU ${why} before it answered ${command}`))
    this.#waiting.clear()
    this.#resolveClosed()
  }

  greeting(timeoutSeconds: number): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new AppError(`no QMP greeting within ${timeoutSeconds} s`, {
            help: 'is this really a QMP socket of QEMU?',
          }),
        )
        this.end('sent no greeting')
      }, timeoutSeconds * 1000)
      void this.closed.then(() => {
        clearTimeout(timer)
        reject(new AppError('QEMU closed its control socket before greeting'))
      })
      this.#greet = (message) => {
        clearTimeout(timer)
        resolve(message)
      }
    })
  }

  execute(
    command: string,
    args: Readonly<Record<string, unknown>> | undefined,
    timeoutSeconds: number,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new AppError(`QEMU has closed its control socket; ${command} was not sent`))
        return
      }
      const id = this.#nextId++
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new AppError(`QEMU did not answer ${command} within ${timeoutSeconds} s`))
      }, timeoutSeconds * 1000)
      const settle =
        <T>(act: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          act(value)
        }
      this.#waiting.set(id, { command, resolve: settle(resolve), reject: settle(reject) })
      this.#connection.write(`${JSON.stringify({ execute: command, ...defined({ arguments: args }), id })}\n`)
    })
  }

  /** Reads each byte once, since a hostile peer may send an answer in very small pieces. */
  #take(text: string): void {
    const parts = text.split('\n')
    for (const [index, part] of parts.entries()) {
      this.#begun.push(part)
      this.#begunLength += part.length
      if (this.#begunLength > longestLine) return this.end('sent a line too long to be QMP')
      if (index === parts.length - 1) return undefined
      const message = parseLine(this.#begun.join(''))
      this.#begun = []
      this.#begunLength = 0
      if (message === undefined) return this.end('sent something that is not QMP')
      if (message !== null) this.#receive(message)
    }
    return undefined
  }

  #receive(message: Record<string, unknown>): void {
    if ('QMP' in message) return this.#greet(message)
    if (typeof message['event'] === 'string') {
      const event = { event: message['event'], data: isRecord(message['data']) ? message['data'] : {} }
      for (const listener of this.listeners) listener(event)
      return undefined
    }
    const { id, error } = message
    const request = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (!request || typeof id !== 'number') return undefined
    this.#waiting.delete(id)
    if (isRecord(error))
      request.reject(new QmpError(request.command, String(error['class']), String(error['desc'])))
    else request.resolve(message['return'])
    return undefined
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
