import type { Standing } from './kind.ts'

/** An object that cannot be read counts as drifted, so that the guard stops. */
export function unreadable(
  what: string,
  failure: { readonly reason: string; readonly code?: string },
): Standing {
  return { kind: 'drifted', difference: `${what} cannot be read (${failure.code ?? failure.reason})` }
}
