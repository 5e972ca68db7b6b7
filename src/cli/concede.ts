/**
 * What the host uses and this plan takes is given up by its name: written in the spec, or typed here. A yes for everything
 * gives up nothing.
 */
import { AppError, exitCode, UsageError } from '../base/errors.ts'
import type { Concession } from '../plan/who/concessions.ts'
import { yamlList } from '../plan/words.ts'
import { clean } from '../show/text/text-layout.ts'

/** Gives back what the person typed; undefined where they turned away. */
export type Ask = (question: string) => Promise<string | undefined>

/** False when a name was not typed as it is: then nothing is to be changed. */
export async function concede(
  concessions: readonly Concession[],
  how: { readonly yes: boolean; readonly ask?: Ask },
): Promise<boolean> {
  if (concessions.length === 0) return true
  const words = yamlList(concessions.map(({ name }) => name))
  if (how.yes)
    throw new AppError(`${sayConcessions(concessions)}; --yes gives up nothing, and nothing was changed`, {
      help: `if you can do without, say so in the spec: host: { give-up: ${words} }`,
      exitCode: exitCode.errorFindings,
    })
  const ask = how.ask ?? askOnTerminal
  for (const { address, name, what } of concessions) {
    const typed = await ask(`${address} serves this host: ${clean(what)}. To give that up, type ${clean(name)}`)
    if (typed?.trim() !== clean(name)) return false
  }
  return true
}

/** People take their time at a question: what came into use meanwhile was not asked about. */
export function refuseNewUse(asked: readonly Concession[], now: readonly Concession[]): void {
  const known = new Set(asked.map(({ address, name }) => `${address} ${name}`))
  const fresh = now.filter(({ address, name }) => !known.has(`${address} ${name}`))
  if (fresh.length === 0) return
  throw new AppError(`since the question ${sayConcessions(fresh)}; nothing was changed`, {
    help: 'run the same command again',
    exitCode: exitCode.applyFailedRestored,
  })
}

function sayConcessions(concessions: readonly Concession[]): string {
  const shown = concessions.slice(0, 4).map(({ address, what }) => `${clean(what)} (${address})`)
  const rest = concessions.length > 4 ? ` and ${concessions.length - 4} more` : ''
  return `this plan takes what the host uses: ${shown.join(', ')}${rest}`
}

async function askOnTerminal(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError(
      'nobody can be asked here: this is no terminal; nothing was changed',
      'say in the spec what is given up (host: give-up), then use --yes',
    )
  const { text, isCancel } = await import('@clack/prompts')
  const answer = await text({ message: question })
  return isCancel(answer) ? undefined : answer
}
