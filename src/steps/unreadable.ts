import type { Standing } from './kind.ts'

/** An object that cannot be read stands nowhere known: the guard stops there. */
export function unreadable(
  what: string,
  failure: { readonly reason: string; readonly code?: string },
): Standing {
  return { kind: 'drifted', difference: `${what} cannot be read (${failure.code ?? failure.reason})` }
}
