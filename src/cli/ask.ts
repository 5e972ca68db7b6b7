/** Asks before the host is changed. Without a terminal there is nobody to ask: that is an error, never a yes. */
import { UsageError } from '../base/errors.ts'

/** `yes` skips the question; `command` is what to type instead when nobody can be asked. */
export async function askToGoOn(
  question: string,
  how: { readonly yes: boolean; readonly command: string },
): Promise<boolean> {
  if (how.yes) return true
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError('nobody can be asked here: this is no terminal', `to go on without a question: ${how.command}`)
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false })
  return !isCancel(answer) && answer
}
