/**
 * Functions of one kind, for hosts with hundreds of functions: what the kernel states of one, it states of all. Ids are what
 * configuration space says, and the class is that as well unless the kernel corrects it, which it does by vendor, device and
 * class (`DECLARE_PCI_FIXUP_*`, drivers/pci/quirks.c). So one `uevent` of a kind is read; who holds the others, the folders
 * of the drivers tell.
 */
import { parseAddress, type PciAddress } from '../pci/address.ts'
import { hex } from '../pci/config-bytes.ts'
import type { Ids } from './function-ids.ts'
import { namesIn, type Reading } from './reading.ts'

const driversFolder = '/sys/bus/pci/drivers'

/**
 * Functions by the driver that holds them: `NAME/0000:01:00.0`, a link the kernel makes when it gives the function to the driver
 * (`driver_sysfs_add`, drivers/base/dd.c). Who is not in it may still have one: an archive seldom has all folders.
 */
export function readHeld(reading: Reading): ReadonlyMap<PciAddress, string> {
  const held = new Map<PciAddress, string>()
  for (const driver of namesIn(reading, driversFolder)) {
    const names = reading.system.list(`${driversFolder}/${driver}`)
    if (!names.ok) continue
    for (const name of names.value) {
      const address = name.includes(':') ? parseAddress(name) : undefined
      if (address !== undefined) held.set(address, driver)
    }
  }
  return held
}

/** By vendor and device. */
export type KnownKinds = Map<number, Kind[]>

type Kind = { readonly classAndRevision: number; readonly subsystem: number; readonly ids: Ids }

/** What is known of the kind of function whose configuration space begins like this. */
export function idsOfKind(config: Uint8Array, known: KnownKinds): Ids | undefined {
  if (!isPlain(config)) return undefined
  const classAndRevision = dword(config, 0x08)
  const subsystem = dword(config, 0x2c)
  const kinds = known.get(dword(config, 0x00))
  return kinds?.find((kind) => kind.classAndRevision === classAndRevision && kind.subsystem === subsystem)?.ids
}

/** `ids` are the function's own as the kernel states them; where they are not those of its configuration space they stand for no kind. */
export function rememberKind(config: Uint8Array, ids: Ids, known: KnownKinds): void {
  if (!isPlain(config) || ids.classCode === undefined || ids.revision === undefined) return
  const stated = [ids.vendorId, ids.deviceId, ids.subsystemVendorId, ids.subsystemId]
  const read = [0x00, 0x02, 0x2c, 0x2e].map((at) => hex(word(config, at), 4))
  if (stated.some((id, at) => id !== read[at])) return
  const id = dword(config, 0x00)
  const kinds = known.get(id) ?? []
  if (kinds.length === 0) known.set(id, kinds)
  kinds.push({ classAndRevision: dword(config, 0x08), subsystem: dword(config, 0x2c), ids })
}

/** An endpoint that answers and states its own ids: a bridge has its subsystem elsewhere, a virtual function has ff for ids. */
function isPlain(config: Uint8Array): boolean {
  return config.length >= 64 && ((config[0x0e] ?? 0) & 0x7f) === 0 && word(config, 0x00) !== 0xffff
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
}

function dword(bytes: Uint8Array, at: number): number {
  return word(bytes, at) + word(bytes, at + 2) * 0x10000
}
