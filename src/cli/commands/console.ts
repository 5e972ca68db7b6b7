/**
 * `handover console VM`: the guest's serial console on this terminal; Ctrl-] leaves. The one place where what a guest says reaches
 * the terminal as it is: that is what a console is for.
 */
import { AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import { runningVms } from '../../engines/qemu/qemu.ts'
import { vmFiles } from '../../engines/qemu/vm-files.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { knownVms, refuseUnknownVms } from '../known-vms.ts'
import { standardOutput } from '../standard-streams.ts'

const leave = '\u001d'

export async function runConsole(
  args: readonly string[],
  _options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const [name = ''] = args
  refuseUnknownVms([name], knownVms(context))
  const running = runningVms(context.system)
  if (!running.some((vm) => vm.name === name)) {
    throw new AppError(`${name} does not run`, {
      help: `running: ${running.map((vm) => vm.name).join(', ') || 'none'}`,
    })
  }
  const connection = await context.system.connect(vmFiles(name).serial)
  const { stdin } = process
  context.err(`connected to ${name}; Ctrl-] leaves`)
  if (stdin.isTTY) stdin.setRawMode(true)
  await new Promise<void>((done) => {
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
  if (stdin.isTTY) stdin.setRawMode(false)
  stdin.pause()
  return exitCode.done
}
