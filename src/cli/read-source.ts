/** Where a reading command gets its Host from: `--from`, `--root`, or this machine. */
import type { Host } from '../host/host.ts'
import { readHost } from '../host/read-host.ts'
import { UsageError } from '../errors.ts'
import type { Context, ReadingOptions } from './context.ts'

export function readSource(options: ReadingOptions, context: Context): Promise<Host> {
  if (options.from === undefined) return Promise.resolve(readHost(context.system))
  const text = context.system.readText(options.from, 64 * 1024 * 1024)
  if (!text.ok) throw new UsageError(`${options.from} cannot be read: ${text.reason}`)
  return Promise.resolve(JSON.parse(text.value) as Host)
}
