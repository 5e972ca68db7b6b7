/**
 * `handover console VM`: the guest's serial console on this terminal; Ctrl-] leaves. The one place where what
 * a guest says reaches the terminal as it is: that is what a console is for.
 */
import { openConsole } from '../../app/console.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import type { Connection } from '../../machine/system.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { standardOutput } from '../standard-streams.ts'

const leave = '\u001d'

export async function runConsole(
  args: readonly string[],
  _options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const [name = ''] = args
  const connection = await openConsole(context.system, name)
  context.err(`connected to ${name}; Ctrl-] leaves`)
  const { stdin } = process
  if (stdin.isTTY) stdin.setRawMode(true)
  await joinTerminal(connection)
  if (stdin.isTTY) stdin.setRawMode(false)
  stdin.pause()
  return exitCode.done
}

/** Until either side leaves. */
function joinTerminal(connection: Connection): Promise<void> {
  const { stdin } = process
  return new Promise((done) => {
    connection.onText((text) => standardOutput().write(text))
    connection.onClose(done)
    stdin.setEncoding('utf8')
    stdin.on('data', (chunk) => {
      const text = String(chunk)
      if (text.includes(leave)) connection.close()
      else connection.write(text)
    })
    stdin.on('end', () => connection.close())
  })
}
