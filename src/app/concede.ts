/**
 * What the host uses and this plan takes is given up by its name: written in the spec, or typed at a
 * question. A yes for everything gives up nothing.
 */
import { clean } from '../base/printable.ts'
import { AppError, exitCode } from '../base/errors.ts'
import type { Concession } from '../plan/who/concessions.ts'
import { yamlList } from '../plan/words.ts'

/**
 * Asks for the `word` of one concession; gives back what the person typed, undefined where they turned away.
 */
export type AskForWord = (concession: Concession, word: string) => Promise<string | undefined>

/**
 * False when a word was not typed as it is: then nothing is to be changed. Without `ask` there is a yes for
 * everything.
 */
export async function concede(
  concessions: readonly Concession[],
  ask: AskForWord | undefined,
): Promise<boolean> {
  if (concessions.length === 0) return true
  const words = yamlList(concessions.map(({ name }) => name))
  if (ask === undefined)
    throw new AppError(`${describe(concessions)}; --yes gives up nothing, and nothing was changed`, {
      help: `if you can do without, say so in the spec: host: { give-up: ${words} }`,
      exitCode: exitCode.errorFindings,
    })
  for (const concession of concessions) {
    const word = clean(concession.name)
    const typed = await ask(concession, word)
    if (typed?.trim() !== word) return false
  }
  return true
}

/** People take their time at a question: what came into use meanwhile was not asked about. */
export function refuseNewUse(asked: readonly Concession[], now: readonly Concession[]): void {
  const known = new Set(asked.map(({ address, name }) => `${address} ${name}`))
  const fresh = now.filter(({ address, name }) => !known.has(`${address} ${name}`))
  if (fresh.length === 0) return
  throw new AppError(`since the question ${describe(fresh)}; nothing was changed`, {
    help: 'run the same command again',
    exitCode: exitCode.applyFailedRestored,
  })
}

function describe(concessions: readonly Concession[]): string {
  const shown = concessions.slice(0, 4).map(({ address, what }) => `${clean(what)} (${address})`)
  const rest = concessions.length > 4 ? ` and ${concessions.length - 4} more` : ''
  return `this plan takes what the host uses: ${shown.join(', ')}${rest}`
}
