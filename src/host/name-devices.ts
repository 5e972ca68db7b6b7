/** Names for devices that have none yet, from the text of the distribution's pci.ids. Ids are never changed. */
import type { PciDevice } from '../pci/device.ts'
import type { Draft } from '../pci/draft.ts'
import { findClassName, findFullName, gatherPciIds, openPciIds } from '../pci/pci-ids.ts'
import type { Reader, ReadResult } from '../system/system.ts'
import type { Host } from './host.ts'

/** Where distributions put it (pciutils, hwdata, FreeBSD-like layouts). */
export const pciIdsPaths = [
  '/usr/share/misc/pci.ids',
  '/usr/share/hwdata/pci.ids',
  '/usr/share/pci.ids',
  '/usr/local/share/pciids/pci.ids',
]

/** The whole file, or, for a host, as much of it as its devices need. */
export function readPciIds(system: Reader, host?: Host): Uint8Array | undefined {
  for (const path of pciIdsPaths) {
    const bytes = host && system.readPieces ? readFor(host, system.readPieces, path) : system.readBytes(path, limit)
    if (bytes.ok) return bytes.value
  }
  return undefined
}

const limit = 16 << 20

function readFor(host: Host, readPieces: NonNullable<Reader['readPieces']>, path: string): ReadResult<Uint8Array> {
  const gathered = gatherPciIds(new Set(host.devices.flatMap((device) => device.vendorId ?? [])))
  const read = readPieces(path, limit, gathered.take)
  return read.ok ? { ok: true, value: gathered.text() } : read
}

export function needsNames(host: Host): boolean {
  return host.devices.some((device) => device.name === undefined && device.vendorId !== undefined)
}

/** Without the file the host stays as it is, with a note on how to get names. */
export function nameDevices(host: Host, pciIds: string | Uint8Array | undefined): Host {
  if (pciIds === undefined) {
    const finding = {
      code: 'input-incomplete',
      severity: 'note',
      message: 'devices are shown by their ids: there is no pci.ids file here to name them',
      help: 'install the package pci.ids (Debian), hwdata (Fedora, Arch) or pciutils',
    } as const
    return { ...host, findings: [...host.findings, finding] }
  }
  const ids = openPciIds(pciIds)
  return { ...host, devices: host.devices.map(named) }

  function named(device: PciDevice): PciDevice {
    const { vendorId, deviceId, classCode } = device
    const name = vendorId === undefined || deviceId === undefined ? undefined : findFullName(ids, vendorId, deviceId)
    const className = classCode === undefined ? undefined : findClassName(ids, classCode)
    const result: Draft<PciDevice> = { ...device }
    if (name !== undefined) result.name ??= name
    if (className !== undefined) result.className ??= className
    return result
  }
}
