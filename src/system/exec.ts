/**
 * Runs a program: argv only, no shell, a small fixed environment, a process group of its own that a time-out ends as a
 * whole (killing only the child leaves grandchildren that hold the pipes open).
 */
import { spawn } from 'node:child_process'
import { CommandError } from '../errors.ts'
import { searchPath } from './search-path.ts'
import type { ExecOptions, ExecResult } from './system.ts'

const streamCap = 16 * 1024 * 1024

export function exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const [program, ...args] = argv
  if (program === undefined) return Promise.reject(new TypeError('exec of an empty argv'))
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { PATH: searchPath(), LC_ALL: 'C.UTF-8', ...options.env },
    })
    const output = { stdout: '', stderr: '' }
    let timedOut = false
    const endGroup = () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // The group is already gone.
      }
    }
    const giveUp = () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.unref()
      resolve({ status: undefined, ...output, timedOut })
    }
    const timer =
      options.timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            endGroup()
            // A child asleep inside the kernel cannot be killed and never closes: after a moment it is given up.
            setTimeout(giveUp, 2000).unref()
          }, options.timeoutSeconds * 1000)
    options.signal?.addEventListener('abort', endGroup, { once: true })
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name]
      if (!stream) continue
      stream.setEncoding('utf8')
      let rest = ''
      stream.on('data', (chunk: string) => {
        if (output[name].length < streamCap) output[name] += chunk
        if (!options.onLine) return
        const lines = (rest + chunk).split('\n')
        rest = (lines.pop() ?? '').slice(-65_536)
        for (const line of lines) options.onLine(line, name)
      })
      stream.on('end', () => {
        if (rest !== '') options.onLine?.(rest, name)
      })
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      const why = error.code === 'ENOENT' ? 'there is no such program' : error.message
      reject(new CommandError(argv, undefined, why, `is ${program} installed and on the PATH?`))
    })
    child.on('close', (status) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', endGroup)
      resolve({ status: status ?? undefined, ...output, timedOut })
    })
    if (options.input !== undefined && child.stdin) {
      // A program that ends without reading its input is not our failure.
      child.stdin.on('error', () => undefined)
      child.stdin.end(options.input)
    }
  })
}
