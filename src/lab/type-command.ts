/** Commands typed into a lab host as its owner would type them: shown as they run, kept for the report. */
import { AppError } from '../base/errors.ts'
import type { CommandResult, LabHost } from './lab-host.ts'
import type { LabLog } from './result.ts'

export type Typist = { readonly host: LabHost; readonly log: LabLog; readonly colour: boolean }

/**
 * Building an initramfs takes minutes under software emulation, and longer on a busy machine. Only a command
 * that hangs reaches this limit.
 */
const longestSeconds = 1200

/** Runs a command as a user would, streaming what it prints. */
export async function typeCommand({ host, log, colour }: Typist, command: string): Promise<CommandResult> {
  log.report({ kind: 'command', command })
  const prefix = colour ? 'FORCE_COLOR=1 ' : ''
  const result = await host.run(prefix + command, {
    timeoutSeconds: longestSeconds,
    onLine: (line) => log.report({ kind: 'output', line }),
  })
  log.session.push({ command, status: result.status, lines: result.lines })
  return result
}

export function mustWork(result: CommandResult, what: string): CommandResult {
  if (result.status === 0) return result
  throw new AppError(`handover ${what} ended with ${result.status} in the lab host`, {
    help: `it said:\n${result.lines
      .slice(-12)
      .map((line) => `    ${line}`)
      .join('\n')}`,
  })
}
