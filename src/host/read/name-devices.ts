/** Gives names to devices without one, from the distribution's pci.ids. It never changes ids. */
import type { PciDevice } from '../../pci/device.ts'
import type { Draft } from '../../pci/draft.ts'
import { findClassName, findFullName, openPciIds, type PciIds } from '../../pci/pci-ids.ts'
import { rememberByIds } from '../../pci/quirks/id-list.ts'
import type { Reader } from '../../machine/system.ts'
import type { Host } from '../host.ts'

/** The paths in the distributions (pciutils, hwdata, FreeBSD-like layouts). */
export const pciIdsPaths = [
  '/usr/share/misc/pci.ids',
  '/usr/share/hwdata/pci.ids',
  '/usr/share/pci.ids',
  '/usr/local/share/pciids/pci.ids',
]

export function readPciIds(system: Reader): Uint8Array | undefined {
  for (const path of pciIdsPaths) {
    const bytes = system.readBytes(path, limit)
    if (bytes.ok) return bytes.value
  }
  return undefined
}

const limit = 16 << 20

export function openPciIdsFrom(system: Reader): PciIds | undefined {
  const whole = readPciIds(system)
  return whole && openPciIds(whole)
}

export function needsNames(host: Host): boolean {
  return host.devices.some((device) => device.name === undefined && device.vendorId !== undefined)
}

/**
 * Writes names into the devices of the host, so the devices must belong to the caller (a host that was just
 * read). Copying thousands of devices would take longer than finding the names. Without pci.ids it adds a
 * note on how to get names.
 */
export function nameDevices(host: Host, ids: PciIds | undefined): Host {
  if (ids === undefined) {
    const finding = {
      code: 'input-incomplete',
      severity: 'note',
      message: 'devices are shown by their ids, because no pci.ids file is installed that gives their names',
      help: 'install the package pci.ids (Debian), hwdata (Fedora, Arch) or pciutils',
    } as const
    return { ...host, findings: [...host.findings, finding] }
  }
  const names = namesFrom(ids)
  host.devices.forEach((device) => addNames(device, names))
  return host
}

type Names = {
  readonly full: (vendorId: string, deviceId: string) => string | undefined
  readonly ofClass: (classCode: string) => string | undefined
}

/** Many functions have the same ids, so each name is looked up once. */
function namesFrom(ids: PciIds): Names {
  const classes = new Map<string, string | undefined>()
  return {
    full: rememberByIds((vendorId, deviceId) => findFullName(ids, vendorId, deviceId)),
    ofClass: (classCode) => {
      if (!classes.has(classCode)) classes.set(classCode, findClassName(ids, classCode))
      return classes.get(classCode)
    },
  }
}

function addNames(device: Draft<PciDevice>, names: Names): void {
  const { vendorId, deviceId, classCode } = device
  const name = vendorId === undefined || deviceId === undefined ? undefined : names.full(vendorId, deviceId)
  const className = classCode === undefined ? undefined : names.ofClass(classCode)
  if (name !== undefined) device.name ??= name
  if (className !== undefined) device.className ??= className
}
