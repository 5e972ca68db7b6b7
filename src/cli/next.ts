/** The one or two commands that make sense after a command, on standard error: it is no result. */
import type { Context } from './context.ts'

/** `why` completes "which": `sudo handover up`, `starts the VMs`. */
export type NextCommand = { readonly command: string; readonly why: string }

export function printNext(
  { err, errStyle }: Pick<Context, 'err' | 'errStyle'>,
  next: readonly NextCommand[],
): void {
  for (const { command, why } of next) err(errStyle.dim(`Next: ${command} (${why})`))
}
