/**
 * A transaction on the terminal: progress as it happens, and a transaction that stays whole while the
 * terminal misbehaves. Ctrl-C asks it to stop and be taken back; a lost connection (the network may be what
 * is being changed) and a closed pipe do not stop it.
 */
import type { Attendance } from '../app/transaction.ts'
import type { ApplyResult } from '../apply/apply.ts'
import { exitCode, type ExitCode } from '../base/errors.ts'
import { renderCause } from '../show/text/events.ts'
import type { Context } from './context.ts'
import { transactionProgress } from './render/progress.ts'
import { standardError, standardOutput } from './standard-streams.ts'

export function attendance(context: Context): Attendance {
  const { report, end } = transactionProgress(context)
  return { report, attend: (run, stop) => withoutInterruption(run, stop).finally(end) }
}

/**
 * `stop` is called at the first Ctrl-C or SIGTERM; a rollback passes none, since its end is what a person
 * wants.
 */
async function withoutInterruption<T>(run: () => Promise<T>, stop?: () => void): Promise<T> {
  const onStop = () => stop?.()
  const ignore = () => undefined
  const restore = deafenStreams(ignore)
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  process.on('SIGHUP', ignore)
  try {
    return await run()
  } finally {
    process.off('SIGINT', onStop)
    process.off('SIGTERM', onStop)
    process.off('SIGHUP', ignore)
    restore()
  }
}

/** The program ends when the reader of a pipe goes away; not in the middle of a change. */
function deafenStreams(ignore: () => void): () => void {
  const streams = [standardOutput(), standardError()].map((stream) => ({
    stream,
    old: stream.listeners('error'),
  }))
  for (const { stream } of streams) {
    stream.removeAllListeners('error')
    stream.on('error', ignore)
  }
  return () => {
    for (const { stream, old } of streams) {
      stream.off('error', ignore)
      for (const listener of old) stream.on('error', listener as (error: Error) => void)
    }
  }
}

type Failed = Extract<ApplyResult, { outcome: 'restored' | 'not-restored' }>

/** What went wrong, in which state the host is, and the exit code that says it. */
export function concludeFailed(
  result: Failed,
  words: { readonly restored: string; readonly notRestored: string },
  context: Context,
): ExitCode {
  context.err(renderCause(result))
  context.err(words[result.outcome === 'restored' ? 'restored' : 'notRestored'])
  if (result.outcome === 'restored') return exitCode.applyFailedRestored
  for (const line of result.leftovers) context.err(`  ${line}`)
  context.err(`  help: handover rollback ${result.id} tries again; docs/safety.md shows recovery by hand`)
  return exitCode.applyFailedNotRestored
}
