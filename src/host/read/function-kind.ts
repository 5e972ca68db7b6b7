/**
 * Functions of one kind, for hosts with hundreds of functions: what the kernel states of one, it states of
 * all. Ids are what configuration space says, and the class is that as well unless the kernel corrects it,
 * which it does by vendor, device and class (`DECLARE_PCI_FIXUP_*`, drivers/pci/quirks.c). So one `uevent` of
 * a kind is read; who holds the others, the folders of the drivers tell.
 */
import { hex } from '../../pci/hex.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import type { Ids } from './function-ids.ts'
import { namesIn, type Reading } from './reading.ts'

const driversFolder = '/sys/bus/pci/drivers'

/**
 * Functions by the driver that holds them: `NAME/0000:01:00.0`, a link the kernel makes when it gives the
 * function to the driver (`driver_sysfs_add`, drivers/base/dd.c). Who is not in it may still have one: an
 * archive seldom has all folders.
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

type Kind = Key & { readonly ids: Ids }

/** What is known of the kind of function whose configuration space begins like this. */
export function idsOfKind(config: Uint8Array, known: KnownKinds): Ids | undefined {
  const kind = kindOf(config)
  return kind && find(known.get(kind.id), kind)?.ids
}

/**
 * `ids` are the function's own as the kernel states them; where they are not those of its configuration space
 * they stand for no kind.
 */
export function rememberKind(config: Uint8Array, ids: Ids, known: KnownKinds): void {
  const kind = kindOf(config)
  if (kind === undefined || ids.classCode === undefined || ids.revision === undefined) return
  if (ids.deviceId !== hex(kind.id >>> 16, 4) || ids.vendorId !== hex(kind.id & 0xffff, 4)) return
  if (
    ids.subsystemVendorId !== hex(kind.subsystem & 0xffff, 4) ||
    ids.subsystemId !== hex(kind.subsystem >>> 16, 4)
  )
    return
  const kinds = known.get(kind.id) ?? []
  if (kinds.length === 0) known.set(kind.id, kinds)
  if (find(kinds, kind) === undefined) kinds.push({ ...kind, ids })
}

type Key = { readonly id: number; readonly classAndRevision: number; readonly subsystem: number }

/**
 * Of an endpoint that answers and states its own ids: a bridge has its subsystem elsewhere, a virtual
 * function has ff for ids.
 */
function kindOf(config: Uint8Array): Key | undefined {
  const bytes = configBytes(config)
  const id = bytes.dword(0x00)
  const classAndRevision = bytes.dword(0x08)
  const subsystem = bytes.dword(0x2c)
  if (bytes.size < 64 || id === undefined || classAndRevision === undefined || subsystem === undefined)
    return undefined
  const isPlain = ((bytes.byte(0x0e) ?? 0xff) & 0x7f) === 0 && (id & 0xffff) !== 0xffff
  return isPlain ? { id, classAndRevision, subsystem } : undefined
}

function find(kinds: readonly Kind[] | undefined, { classAndRevision, subsystem }: Key): Kind | undefined {
  return kinds?.find((kind) => kind.classAndRevision === classAndRevision && kind.subsystem === subsystem)
}
