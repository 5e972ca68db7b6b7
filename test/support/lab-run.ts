/**
 * One run of a lab topology by the built command, as a user starts it; its phases are shown while it runs.
 */
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { labSchema, type LabDocument } from '../../src/api/lab.ts'
import { documentOf } from './documents.ts'

export type LabRun = { readonly status: number | null; readonly result: LabDocument; readonly stderr: string }

export type LabOptions = {
  readonly options?: readonly string[]
  /** Puts the command into another, such as one that makes the machine read-only for it. */
  readonly inside?: (argv: readonly string[]) => string[]
}

/** Rejects, with the last words of the lab, when it gave no result. */
export function runLab(
  topology: string,
  { options = [], inside = (argv) => [...argv] }: LabOptions = {},
): Promise<LabRun> {
  const [program = '', ...args] = inside([
    ...[process.execPath, 'dist/handover.cjs', 'lab', 'run', topology, '--json'],
    ...options,
  ])
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const progress = showPhases(topology)
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk.toString()
      progress(chunk.toString())
    })
    child.on('error', reject)
    child.on('close', (status) => {
      try {
        resolve({ status, result: documentOf(labSchema, said.stdout), stderr: said.stderr })
      } catch (cause) {
        const words = `${said.stdout.slice(-2000)}\n${said.stderr.slice(-4000)}`
        reject(new Error(`no JSON document; status ${status}\n${words}`, { cause }))
      }
    })
  })
}

/**
 * Of what the lab says, the lines with a clock: its phases and notes. Straight to the terminal, since vitest
 * holds back what tests print.
 */
function showPhases(topology: string): (text: string) => void {
  let rest = ''
  return (text) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (/^\[ *\d+ s\]/.test(line)) writeSync(2, `${topology} ${line}\n`)
  }
}
