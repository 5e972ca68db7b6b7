/** Commands typed into a lab host as its owner would type them: shown as they run, kept for the report. */
import { AppError } from '../base/errors.ts'
import type { CommandResult, LabHost } from './lab-host.ts'
import type { LabLog } from './result.ts'

export type Typist = { readonly host: LabHost; readonly log: LabLog; readonly colour: boolean }

/**
 * An initramfs is made in minutes under software emulation, in more on a busy machine; only what hangs is to
 * be ended.
 */
const longestSeconds = 1200

/** Runs a command as a user would, streaming what it prints. */
export async function typeCommand({ host, log, colour }: Typist, command: string): Promise<CommandResult> {
  log.tell({ kind: 'command', command })
  const prefix = colour ? 'FORCE_COLOR=1 ' : ''
  const result = await host.run(prefix + command, {
    timeoutSeconds: longestSeconds,
    onLine: (line) => log.tell({ kind: 'output', line }),
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
