/**
 * A running lab host: the outer QEMU process, the connection to the agent inside, and the QMP socket. The
 * story decides what happens in it.
 */
import { join } from 'node:path'
import { AppError } from '../base/errors.ts'
import type { Connection, Running, System } from '../machine/system.ts'
import { openQmp, type QmpClient } from '../engines/qemu/qmp.ts'
import { forgetTranslatedCode } from './forget-code.ts'

export type CommandResult = { readonly status: number; readonly lines: readonly string[] }

export type LabHost = {
  readonly qmp: QmpClient
  /** Runs one shell command in the host (a single line). Lines are given as they come. */
  run(
    command: string,
    options?: { onLine?: (line: string) => void; timeoutSeconds?: number },
  ): Promise<CommandResult>
  /** Runs `begin` (which makes the host restart) and returns when the agent of the next boot answers. */
  restart(begin: () => Promise<void>, timeoutSeconds: number): Promise<void>
  stop(): Promise<void>
  /** Ends the machine as a power cut does, and returns when its process is gone. */
  cutPower(): Promise<void>
}

/** Starts QEMU with `argv` and returns when the host's agent answers. */
export async function startLabHost(
  system: System,
  argv: readonly string[],
  folder: string,
  timeoutSeconds: number,
  signal?: AbortSignal,
): Promise<LabHost> {
  const process = await system.start(['qemu-system-x86_64', ...argv], { logFile: join(folder, 'qemu.log') })
  const stopEarly = () => void process.stop(0)
  signal?.addEventListener('abort', stopEarly)
  let over = false
  void process.ended.then(() => {
    over = true
  })
  const wordsIn = (name: string) => tail(system, join(folder, name))
  const lastWords = (what: string) =>
    new AppError(`the lab host ${what}`, {
      help: `its last words:\n${indent(wordsIn('console.log') || wordsIn('qemu.log'))}`,
    })
  try {
    const qmp = await openQmp(await connectSoon(system, join(folder, 'qmp.sock'), () => over, lastWords))
    forgetCodeAtReset(system, qmp, join(folder, gdbSocketName))
    const agent = new AgentLine(await system.connect(join(folder, 'agent.sock')))
    await agent.ready(timeoutSeconds, process, lastWords)
    return labHost({ system, qmp, agent, process, lastWords })
  } catch (error) {
    // When QEMU itself gave up, its own words say why; ours would only say that it went away.
    const gaveUp = await Promise.race([process.ended.then(() => true), system.sleep(200).then(() => false)])
    const why = gaveUp && signal?.aborted !== true ? lastWords('did not start') : error
    await process.stop(0)
    throw why
  } finally {
    signal?.removeEventListener('abort', stopEarly)
  }
}

function labHost(given: {
  readonly system: System
  readonly qmp: QmpClient
  readonly agent: AgentLine
  readonly process: Running
  readonly lastWords: (what: string) => AppError
}): LabHost {
  const { system, qmp, agent, process, lastWords } = given
  return {
    qmp,
    run: (command, options = {}) =>
      agent.run(command, options.timeoutSeconds ?? 300, options.onLine, lastWords),
    restart: async (begin, seconds) => {
      agent.expectRestart()
      await begin()
      await agent.ready(seconds, process, lastWords)
    },
    stop: async () => {
      agent.close()
      qmp.close()
      await process.stop(0)
    },
    cutPower: async () => {
      const { gone } = agent
      // The whole group: the process itself is only the one that watches over QEMU.
      system.signal(-process.pid, 'SIGKILL')
      await gone
      await process.ended
      qmp.close()
    },
  }
}

/** In the folder of a run; there under software emulation only. */
export const gdbSocketName = 'gdb.sock'

function forgetCodeAtReset(system: System, qmp: QmpClient, socket: string): void {
  qmp.onEvent(({ event }) => {
    if (event !== 'RESET' || !system.work.exists(socket)) return
    // When this fails half-way, the machine is halted: it must continue, whatever the reason.
    void system
      .connect(socket)
      .then((connection) => forgetTranslatedCode(connection))
      .catch(() => qmp.execute('cont').catch(() => undefined))
  })
}

async function connectSoon(
  system: System,
  path: string,
  isOver: () => boolean,
  lastWords: (what: string) => AppError,
): Promise<Connection> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    if (isOver()) throw lastWords('did not start')
    if (system.work.exists(path)) {
      try {
        return await system.connect(path)
      } catch (error) {
        // The socket file appears a moment before QEMU listens on it.
        if (!(error instanceof AppError)) throw error
      }
    }
    await system.sleep(20)
  }
  throw lastWords('gave no control socket within 20 s')
}

type Pending = {
  readonly lines: string[]
  readonly onLine: ((line: string) => void) | undefined
  readonly done: (status: number) => void
  readonly lost: () => void
}

/** The protocol of lab/host/agent.sh: `NUMBER COMMAND` out; `NUMBER|line` and `NUMBER!status` in. */
class AgentLine {
  readonly #connection: Connection
  readonly #pending = new Map<number, Pending>()
  #ready: Promise<void>
  #sayReady: () => void = () => undefined
  /** Settles when the other end is gone. */
  readonly gone: Promise<void>
  #next = 1
  #rest = ''
  constructor(connection: Connection) {
    this.#connection = connection
    this.#ready = this.#nextReady()
    connection.onText((text) => this.#receive(text))
    this.gone = new Promise((done) => connection.onClose(done))
    connection.onClose(() => {
      for (const pending of this.#pending.values()) pending.lost()
      this.#pending.clear()
    })
  }

  #nextReady(): Promise<void> {
    return new Promise((done) => {
      this.#sayReady = done
    })
  }

  /** From here on `ready` means the next boot. */
  expectRestart(): void {
    this.#ready = this.#nextReady()
  }

  async ready(
    timeoutSeconds: number,
    process: Running,
    lastWords: (what: string) => AppError,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(lastWords(`did not answer within ${timeoutSeconds} s`)),
        timeoutSeconds * 1000,
      )
    })
    const died = process.ended.then(() => {
      throw lastWords('ended while it booted')
    })
    died.catch(() => undefined)
    try {
      await Promise.race([this.#ready, late, died])
    } finally {
      clearTimeout(timer)
    }
  }

  run(
    command: string,
    timeoutSeconds: number,
    onLine: ((line: string) => void) | undefined,
    lastWords: (what: string) => AppError,
  ) {
    const number = this.#next++
    return new Promise<CommandResult>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(number)
        reject(lastWords(`did not finish «${command}» within ${timeoutSeconds} s`))
      }, timeoutSeconds * 1000)
      const pending: Pending = {
        lines: [],
        onLine,
        done: (status) => {
          clearTimeout(timer)
          resolve({ status, lines: pending.lines })
        },
        lost: () => {
          clearTimeout(timer)
          reject(lastWords(`went away during «${command}»`))
        },
      }
      this.#pending.set(number, pending)
      this.#connection.write(`${number} ${command.replaceAll('\n', ' ')}\n`)
    })
  }

  close(): void {
    this.#connection.close()
  }

  #receive(text: string): void {
    this.#rest += text
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const raw of lines) {
      const line = raw.replace(/\r$/, '')
      // UEFI firmware speaks on every serial port, too, and does not end its last line.
      if (line.endsWith('lab ready')) {
        // Commands of the boot before this one get no answer.
        for (const pending of this.#pending.values()) pending.lost()
        this.#pending.clear()
        this.#sayReady()
      }
      const match = /^(\d+)([|!])(.*)$/.exec(line)
      const pending = match ? this.#pending.get(Number(match[1])) : undefined
      if (!match || !pending) continue
      if (match[2] === '|') {
        pending.lines.push(match[3] ?? '')
        pending.onLine?.(match[3] ?? '')
        continue
      }
      this.#pending.delete(Number(match[1]))
      pending.done(Number(match[3]))
    }
  }
}

/** The last lines of a console, for an error message. */
export function tail(system: System, path: string, lines = 12): string {
  if (!system.work.exists(path)) return ''
  const text = system.work
    .readFile(path)
    .subarray(-8192)
    .toString()
    .replaceAll(/[^\x20-\x7e\n]/g, '')
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}
