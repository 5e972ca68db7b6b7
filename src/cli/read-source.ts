/** Where a reading command gets its Host from: `--from`, `--root`, or this machine; devices without names get them here. */
import type { Host } from '../host/host.ts'
import { nameDevices, needsNames, readPciIds } from '../host/name-devices.ts'
import { readHost } from '../host/read-host.ts'
import { UsageError } from '../errors.ts'
import { linuxSystem } from '../system/linux.ts'
import type { Context, ReadingOptions } from './context.ts'

export function readSource(options: ReadingOptions, context: Context): Promise<Host> {
  const host = options.from === undefined ? readHost(context.system) : readFrom(options.from, context)
  if (!needsNames(host)) return Promise.resolve(host)
  // A tree given with --root seldom has the file of names; this machine's is as good.
  const pciIds = readPciIds(context.system) ?? (options.root === undefined ? undefined : readPciIds(linuxSystem()))
  return Promise.resolve(nameDevices(host, pciIds))
}

function readFrom(path: string, context: Context): Host {
  const text = context.system.readText(path, 64 * 1024 * 1024)
  if (!text.ok) throw new UsageError(`${path} cannot be read: ${text.reason}`)
  return JSON.parse(text.value) as Host
}
