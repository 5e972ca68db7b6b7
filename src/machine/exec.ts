/**
 * Runs a program without a shell, with a small fixed environment, in a process group of its own. A timeout
 * ends the whole group, since grandchildren that survive would keep the pipes open.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { CommandError } from '../base/errors.ts'
import { searchPath } from './search-path.ts'
import type { ExecOptions, ExecResult } from './system.ts'

const streamCap = 16 * 1024 * 1024

export async function exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('exec of an empty argv')
  const child = spawn(program, args, {
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { PATH: searchPath(), LC_ALL: 'C.UTF-8', ...options.env },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    collect(child[name], name, options, (chunk) => {
      if (output[name].length < streamCap) output[name] += chunk
    })
  if (options.input !== undefined && child.stdin) {
    // A program may end without reading its input.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
  }
  return new Promise((resolve, reject) => {
    const end = endInTime(child, options, () => resolve({ status: undefined, ...output, timedOut: true }))
    child.on('error', (error: NodeJS.ErrnoException) => {
      end()
      const why = error.code === 'ENOENT' ? 'there is no such program' : error.message
      reject(new CommandError(argv, 127, why, `is ${program} installed and on the PATH?`))
    })
    child.on('close', (status) => resolve({ status: status ?? undefined, ...output, timedOut: end() }))
  })
}

/** Gives every chunk to `take`, and every complete line to `onLine`. */
function collect(
  stream: Readable | null,
  name: 'stdout' | 'stderr',
  { onLine }: ExecOptions,
  take: (chunk: string) => void,
): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (chunk: string) => {
    take(chunk)
    if (!onLine) return
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(-65_536)
    for (const line of lines) onLine(line, name)
  })
  stream?.on('end', () => {
    if (rest !== '') onLine?.(rest, name)
  })
}

/**
 * Ends the group on a timeout or when `signal` aborts. The returned function removes both, and returns
 * whether the timeout occurred.
 */
function endInTime(child: ChildProcess, options: ExecOptions, giveUp: () => void): () => boolean {
  let timedOut = false
  const endGroup = () => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // The group is already gone.
    }
  }
  const timeUp = () => {
    timedOut = true
    endGroup()
    // A child that hangs inside the kernel cannot be killed and never closes its pipes, so it is abandoned.
    setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.unref()
      giveUp()
    }, 2000).unref()
  }
  const { timeoutSeconds, signal } = options
  const timer = timeoutSeconds === undefined ? undefined : setTimeout(timeUp, timeoutSeconds * 1000)
  signal?.addEventListener('abort', endGroup, { once: true })
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', endGroup)
    return timedOut
  }
}
