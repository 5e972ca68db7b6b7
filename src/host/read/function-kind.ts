/**
 * Functions of one kind share their ids, which saves reads on hosts with hundreds of functions. The ids come
 * from configuration space. The class does too, unless the kernel corrects it, and the kernel does that by
 * vendor, device and class (`DECLARE_PCI_FIXUP_*`, drivers/pci/quirks.c). So `uevent` is read for one
 * function of a kind; the folders of the drivers show which driver holds the others.
 */
import { hex } from '../../pci/hex.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import type { Ids } from './function-ids.ts'
import { namesIn, type Reading } from './reading.ts'

const driversFolder = '/sys/bus/pci/drivers'

/**
 * Function → the driver that holds it, from the links `NAME/0000:01:00.0` that the kernel makes
 * (`driver_sysfs_add`, drivers/base/dd.c). A function that is missing here may still have a driver, since an
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

/** The ids of the kind with this beginning of configuration space. */
export function idsOfKind(config: Uint8Array, known: KnownKinds): Ids | undefined {
  const kind = kindOf(config)
  return kind && find(known.get(kind.id), kind)?.ids
}

/** Remembers the ids that the kernel states, unless they differ from those in configuration space. */
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
 * Only for an endpoint that answers and has its own ids: a bridge has its subsystem ids in another place, and
 * a virtual function has ff instead of ids.
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
