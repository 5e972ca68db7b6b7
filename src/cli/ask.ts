/**
 * Asks before the host is changed. Without a terminal no question can be asked: that is an error, never a
 * yes.
 */
import { clean } from '../base/printable.ts'
import { UsageError } from '../base/errors.ts'
import type { AskForWord } from '../app/concede.ts'

/** `command` is what to type instead where no question can be asked. */
export async function askToGoOn(question: string, command: string): Promise<boolean> {
  if (!canAsk())
    throw new UsageError(
      'no question can be asked here: there is no terminal',
      `to go on without a question: ${command}`,
    )
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false })
  return !isCancel(answer) && answer
}

/** Asks for the name of what the host uses and would lose. */
export const askForWord: AskForWord = async ({ address, what }, word) => {
  if (!canAsk())
    throw new UsageError(
      'no question can be asked here: there is no terminal; nothing was changed',
      'say in the spec what is given up (host: give-up), then use --yes',
    )
  const { text, isCancel } = await import('@clack/prompts')
  const message = `${address} serves this host: ${clean(what)}. To give that up, type ${word}`
  const answer = await text({ message })
  return isCancel(answer) ? undefined : answer
}

/** Any number of the choices; none where the question is left with Ctrl-C. */
export async function askForSome<T extends string>(
  message: string,
  choices: readonly { readonly value: T; readonly label: string }[],
): Promise<readonly T[]> {
  const { multiselect, isCancel } = await import('@clack/prompts')
  const known: { value: string; label: string }[] = choices.map((choice) => ({ ...choice }))
  const answer = await multiselect({ message, options: known, required: false })
  return isCancel(answer) ? [] : choices.flatMap(({ value }) => (answer.includes(value) ? [value] : []))
}

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY
}
