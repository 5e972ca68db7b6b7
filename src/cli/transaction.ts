/**
 * Keeps a running apply or rollback whole while the terminal misbehaves: Ctrl-C asks it to stop and be taken back, a
 * lost connection (the network may be what is being changed) and a closed pipe do not stop it.
 */
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError } from '../base/errors.ts'
import type { Step } from '../steps/step.ts'
import { standardError, standardOutput } from './standard-streams.ts'

/** `stop` is called at the first Ctrl-C or SIGTERM; a rollback passes none, since its end is what a person wants. */
export async function withoutInterruption<T>(run: () => Promise<T>, stop?: () => void): Promise<T> {
  const onStop = () => stop?.()
  const ignore = () => undefined
  // The program ends when the reader of a pipe goes away; not in the middle of a change.
  const streams = [standardOutput(), standardError()].map((stream) => ({ stream, old: stream.listeners('error') }))
  for (const { stream } of streams) {
    stream.removeAllListeners('error')
    stream.on('error', ignore)
  }
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  process.on('SIGHUP', ignore)
  try {
    return await run()
  } finally {
    process.off('SIGINT', onStop)
    process.off('SIGTERM', onStop)
    process.off('SIGHUP', ignore)
    for (const { stream, old } of streams) {
      stream.off('error', ignore)
      for (const listener of old) stream.on('error', listener as (error: Error) => void)
    }
  }
}

/** Programs run on this machine, whatever tree the files are in: update-grub would make this machine's own entries anew. */
export function refuseCommands(steps: readonly Step[], root: string): void {
  const command = steps.find((step) => step.kind === 'command')
  if (command === undefined) return
  throw new AppError(
    `this runs ${formatCommand(command.argv)}, which would run here and not in ${root}; nothing was changed`,
    {
      help: `run it inside: chroot ${root} handover …; or, for an apply, leave booting alone: --no-boot`,
    },
  )
}
