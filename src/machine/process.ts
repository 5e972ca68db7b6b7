/**
 * Long-lived processes and unix sockets. A process that must end together with this program is started by a
 * small watcher that holds one end of a pipe: when this program ends, even by SIGKILL, the pipe closes and
 * the watcher ends the process group.
 */
import { defined } from '../base/defined.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createConnection } from 'node:net'
import { AppError } from '../base/errors.ts'
import { searchPath } from './search-path.ts'
import type { Connection, Running, StartOptions } from './system.ts'

const tailCap = 65_536

/**
 * The watcher starts the program in its own process group, and waits until the program ends. When the pipe on
 * descriptor 3 closes first, this program has ended, and the watcher kills the whole group. It needs only
 * `sh` and `kill`.
 */
const watcher = `
"$@" 3<&- &
child=$!
( read -r _ <&3; kill -KILL 0 ) 2>/dev/null &
exec 3<&-
wait $child
status=$?
trap '' TERM
kill -TERM $! 2>/dev/null
exit $status`

export function start(argv: readonly string[], options: StartOptions = {}): Promise<Running> {
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'a')
  const tied = options.detached !== true
  const [program = '', ...args] = tied ? ['/bin/sh', '-c', watcher, 'watcher', ...argv] : argv
  const output = log ?? 'pipe'
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      detached: true,
      ...defined({ cwd: options.cwd }),
      env: { PATH: searchPath(), LC_ALL: 'C.UTF-8', ...options.env },
      stdio: tied ? ['ignore', output, output, 'pipe'] : ['ignore', output, output],
    })
    if (log !== undefined) closeSync(log)
    child.once('error', () => reject(notStarted(argv)))
    child.once('spawn', () => resolve(running(child, options)))
  })
}

function notStarted(argv: readonly string[]): AppError {
  return new AppError(`${argv[0]} cannot be started`, { help: `is ${argv[0]} installed and on the PATH?` })
}

function running(child: ChildProcess, options: StartOptions): Running {
  const pid = child.pid ?? 0
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => {
      tail = (tail + chunk).slice(-tailCap)
    })
  }
  // The pipe to the watcher breaks when the program ends first, which is not an error.
  child.stdio[3]?.on('error', () => undefined)
  const ended = new Promise<{ status: number | undefined; signal: string | undefined }>((done) => {
    child.once('exit', (status, signal) => done({ status: status ?? undefined, signal: signal ?? undefined }))
  })
  if (options.detached) child.unref()
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal)
    } catch {
      // The group has ended already.
    }
  }
  return {
    pid,
    ended,
    tail: () => tail,
    stop: async (graceMs = 2000) => {
      kill('SIGTERM')
      const timer = setTimeout(() => kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
      kill('SIGKILL')
    },
  }
}

export function connect(socketPath: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: socketPath })
    socket.setEncoding('utf8')
    const refuse = (error: NodeJS.ErrnoException) => {
      reject(
        new AppError(`nothing answers on ${socketPath} (${error.code ?? error.message})`, { cause: error }),
      )
    }
    socket.once('error', refuse)
    socket.once('connect', () => {
      socket.off('error', refuse)
      // Once connected, an error is followed by 'close', for which callers have a listener.
      socket.on('error', () => undefined)
      resolve({
        write: (text) => socket.write(text),
        onText: (listener) => socket.on('data', (chunk) => listener(String(chunk))),
        onClose: (listener) => socket.on('close', listener),
        close: () => socket.destroy(),
      })
    })
  })
}

export function signal(pid: number, name: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
