/** One run of a lab topology by the built command, as a user starts it. */
import { spawn } from 'node:child_process'
import type { LabResult } from '../../src/lab/result.ts'
import { labCache } from './lab.ts'

export type LabRun = { readonly status: number | null; readonly result: LabResult; readonly stderr: string }

/** Rejects, with the last words of the lab, when it gave no result. */
export function runLab(topology: string, ...options: readonly string[]): Promise<LabRun> {
  const argv = ['dist/handover.cjs', 'lab', 'run', topology, '--json', '--cache', labCache, ...options]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (status) => {
      try {
        resolve({ status, result: JSON.parse(said.stdout) as LabResult, stderr: said.stderr })
      } catch {
        reject(new Error(`no JSON; status ${status}\n${said.stdout.slice(-2000)}\n${said.stderr.slice(-4000)}`))
      }
    })
  })
}
