/**
 * Where a reading command gets its Host from: `--from` (a file, a folder, `-`), `--root`, or this machine. Devices without
 * names get them here.
 */
import { UsageError } from '../errors.ts'
import type { Host } from '../host/host.ts'
import type { HostInput } from '../host/import/read-from.ts'
import { nameDevices, needsNames, readPciIds } from '../host/name-devices.ts'
import { readHost } from '../host/read-host.ts'
import { gunzip } from '../system/gunzip.ts'
import { linuxSystem } from '../system/linux.ts'
import { readStandardInput } from '../system/standard-input.ts'
import type { ReadFailure } from '../system/system.ts'
import type { Context, ReadingOptions } from './context.ts'

export async function readSource(options: ReadingOptions, context: Context): Promise<Host> {
  const host = options.from === undefined ? readHost(context.system) : await readFrom(options.from)
  if (!needsNames(host)) return host
  // A tree given with --root seldom has the file of names; this machine's is as good.
  const pciIds = readPciIds(context.system) ?? (options.root === undefined ? undefined : readPciIds(linuxSystem()))
  return nameDevices(host, pciIds)
}

async function readFrom(from: string): Promise<Host> {
  const { archiveCap, readHostFrom } = await import('../host/import/read-from.ts')
  const reading = readHostFrom(await openInput(from, archiveCap), {
    openFolder: (path) => linuxSystem({ root: path }),
    gunzip,
  })
  if (!reading.ok) throw reading.error
  return reading.host
}

/** The path is the caller's own, so it is not looked for under `--root`. */
async function openInput(from: string, archiveCap: number): Promise<HostInput> {
  if (from === '-') {
    const bytes = await readStandardInput(archiveCap)
    if (!bytes.ok) throw unreadable('standard input', bytes, archiveCap)
    return { name: 'standard input', bytes: bytes.value }
  }
  const system = linuxSystem()
  const bytes = system.readBytes(from, archiveCap)
  if (bytes.ok) return { name: from, bytes: bytes.value }
  if (bytes.reason === 'not-a-file' && system.list(from).ok) return { name: from, folder: from }
  throw unreadable(from, bytes, archiveCap)
}

function unreadable(name: string, failure: ReadFailure, archiveCap: number): UsageError {
  if (failure.reason === 'too-large')
    return new UsageError(
      `${name} is larger than ${archiveCap / 1024 / 1024} MiB`,
      'keep only what states the PCI functions: sys/bus/pci, sys/devices/pci* and sys/kernel/iommu_groups of a tree, the PCI lines of a log',
    )
  const why = failure.reason === 'absent' ? 'is not there' : `cannot be read (${failure.code ?? failure.reason})`
  return new UsageError(`${name} ${why}`, 'give --from a file, a folder with sys/ in it, or - for standard input')
}
