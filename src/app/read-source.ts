/**
 * Where a Host comes from: what `from` names (a file, a folder, `-` for standard input), or the machine of
 * the System. Devices without names get them here.
 */
import { UsageError } from '../base/errors.ts'
import type { Host } from '../host/host.ts'
import { nameDevices, needsNames, openPciIdsFrom } from '../host/read/name-devices.ts'
import type { PciDetail } from '../host/read/read-config.ts'
import { readHost } from '../host/read/read-host.ts'
import { gunzip } from '../machine/gunzip.ts'
import { linuxSystem } from '../machine/linux.ts'
import { readInputFile, readStandardInput, type InputLimit } from '../machine/read-input.ts'
import type { ReadFailure, System } from '../machine/system.ts'
import type { HostInput } from '../sources/listings/read-from.ts'

export async function readSource(
  system: System,
  from: string | undefined,
  detail?: PciDetail,
): Promise<Host> {
  const host = from === undefined ? readHost(system, undefined, detail) : await readFrom(from)
  if (!needsNames(host)) return host
  // A file tree seldom has the file of names; this machine's is as good.
  const here = openPciIdsFrom(system)
  return nameDevices(host, here ?? (system.root === undefined ? undefined : openPciIdsFrom(linuxSystem())))
}

async function readFrom(from: string): Promise<Host> {
  const { inputCap, readHostFrom } = await import('../sources/listings/read-from.ts')
  const reading = readHostFrom(await openInput(from, inputCap), {
    openFolder: (path) => linuxSystem({ root: path }),
    gunzip,
  })
  if (!reading.ok) throw reading.error
  return reading.host
}

/** The path is the caller's own, so it is not looked for in the tree of the System. */
async function openInput(from: string, limit: InputLimit): Promise<HostInput> {
  const name = from === '-' ? 'standard input' : from
  const bytes = from === '-' ? await readStandardInput(limit) : readInputFile(from, limit)
  if (bytes.ok) return { name, bytes: bytes.value }
  if (bytes.reason === 'not-a-file') return { name, folder: from }
  throw unreadable(name, bytes)
}

function unreadable(name: string, failure: ReadFailure): UsageError {
  if (failure.reason === 'too-large')
    return new UsageError(
      `${name} is too large to be a listing or an archive of a host`,
      'keep only what states the PCI functions; of a log: grep -E "iommu|pci [0-9a-f]{4}:|DMAR|AMD-Vi"',
    )
  const why =
    failure.reason === 'absent' ? 'is not there' : `cannot be read (${failure.code ?? failure.reason})`
  return new UsageError(
    `${name} ${why}`,
    'give --from a file, a folder with sys/ in it, or - for standard input',
  )
}
