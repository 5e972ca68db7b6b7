/**
 * Checks that the device at an address is the recorded one, right before anything is bound: someone may have
 * swapped a card since the plan or the lock was made. It reads only the attributes of that device. The
 * planner handles devices that moved to another address.
 */
import { hex } from '../pci/hex.ts'
import { AppError } from '../base/errors.ts'
import { placeOf } from '../host/read/device-place.ts'
import type { PciAddress } from '../pci/address.ts'
import { isWhole, virtualPlace, type Identity } from '../pci/identity.ts'
import type { Reader } from '../machine/system.ts'
import { functionsOf, physicalOf } from './read-functions.ts'

export type IdentityCheck = {
  /** One line for each difference. The device may be bound only when the list is empty. */
  readonly differences: readonly string[]
  /**
   * Recorded serials that the kernel does not show now. It shows MACs only while a network driver is bound.
   */
  readonly unchecked: readonly string[]
}

const attributes = [
  ['vendorId', 'vendor'],
  ['deviceId', 'device'],
  ['subsystemVendorId', 'subsystem_vendor'],
  ['subsystemId', 'subsystem_device'],
  ['classCode', 'class'],
  ['revision', 'revision'],
] as const

export function checkIdentity(reader: Reader, address: PciAddress, expected: Identity): IdentityCheck {
  const folder = `/sys/bus/pci/devices/${address}`
  if (!reader.list(folder).ok) return { differences: [`no device answers at ${address}`], unchecked: [] }
  const differences: string[] = []
  const unchecked: string[] = []
  const compare = (name: string, want: string | undefined, is: string | undefined) => {
    if (want === undefined) return
    if (is === undefined) differences.push(`${name} cannot be read (recorded: ${want})`)
    else if (is.toLowerCase() !== want.toLowerCase())
      differences.push(`${name} is ${is}, recorded is ${want}`)
  }
  if (!isWhole(expected))
    differences.push('its place, vendor id or device id is not recorded, so it cannot be recognised')
  compare('path', expected.path, readPath(reader, address))
  for (const [key, file] of attributes) compare(key, expected[key], readHex(reader, `${folder}/${file}`))
  if (expected.deviceSerialNumber !== undefined)
    compare('deviceSerialNumber', expected.deviceSerialNumber, readSerialNumber(reader, folder))
  for (const { name, want, is } of driverBoundSerials(reader, folder, expected)) {
    if (is === undefined) unchecked.push(name)
    else compare(name, want, is)
  }
  return { differences, unchecked }
}

/** Throws when the device at the address is not the recorded one. */
export function refuseOther(reader: Reader, address: PciAddress, identity: Identity): void {
  const { differences } = checkIdentity(reader, address, identity)
  if (differences.length === 0) return
  throw new AppError(`${address} is not the recorded device: ${differences.join('; ')}`, {
    help: `nothing was written to it; see which device is there: handover inspect ${address}`,
  })
}

/**
 * The place in the form of `Identity.path`. The place of a virtual function is the place of its physical
 * function with its number.
 */
export function readPath(reader: Reader, address: PciAddress): string | undefined {
  const home = physicalOf(reader, address)
  if (home === undefined) {
    const link = reader.readLink(`/sys/bus/pci/devices/${address}`)
    return link.ok ? placeOf(address, link.value)?.facts.path : undefined
  }
  const own = functionsOf(reader, home).find((one) => one.address === address)
  const above = readPath(reader, home)
  return own === undefined || above === undefined ? undefined : virtualPlace(above, own.number)
}

function readHex(reader: Reader, path: string): string | undefined {
  const text = reader.readText(path, 64)
  return text.ok ? text.value.trim().replace(/^0x/, '') : undefined
}

/**
 * PCI Express Base Specification, extended capability 0x0003 (Device Serial Number): the low dword is at +4,
 * the high dword at +8. Only root can read past byte 64.
 */
function readSerialNumber(reader: Reader, folder: string): string | undefined {
  const config = reader.readBytes(`${folder}/config`, 4096)
  if (!config.ok || config.value.length < 4096) return undefined
  const view = new DataView(config.value.buffer, config.value.byteOffset, config.value.byteLength)
  let offset = 0x100
  for (let hops = 0; hops < 480 && offset >= 0x100 && offset <= 4084; hops += 1) {
    const header = view.getUint32(offset, true)
    if ((header & 0xffff) === 0x0003) {
      const word = (at: number) => hex(view.getUint32(at, true), 8)
      return word(offset + 8) + word(offset + 4)
    }
    offset = (header >>> 20) & 0xffc
  }
  return undefined
}

type Serial = { readonly name: string; readonly want: string; readonly is: string | undefined }

/**
 * Serials that the kernel shows only while the host's driver is bound. They are compared when they can be
 * read; a missing serial proves nothing.
 */
function driverBoundSerials(reader: Reader, folder: string, expected: Identity): Serial[] {
  const serials: Serial[] = []
  if (expected.macs !== undefined && expected.macs.length > 0) {
    const macs = permanentMacs(reader, `${folder}/net`)
    serials.push({
      name: 'macs',
      want: expected.macs.join(' '),
      is: macs.length > 0 ? macs.join(' ') : undefined,
    })
  }
  if (expected.nvmeSerial !== undefined) {
    const controllers = reader.list(`${folder}/nvme`)
    const name = controllers.ok ? controllers.value[0] : undefined
    const text = name === undefined ? undefined : reader.readText(`${folder}/nvme/${name}/serial`, 256)
    serials.push({
      name: 'nvmeSerial',
      want: expected.nvmeSerial,
      is: text?.ok ? text.value.trim() : undefined,
    })
  }
  return serials
}

/** `addr_assign_type` is 0 (NET_ADDR_PERM) while the interface has the card's own address. */
function permanentMacs(reader: Reader, folder: string): string[] {
  const interfaces = reader.list(folder)
  if (!interfaces.ok) return []
  const macs: string[] = []
  for (const name of interfaces.value) {
    const type = reader.readText(`${folder}/${name}/addr_assign_type`, 16)
    const address = reader.readText(`${folder}/${name}/address`, 64)
    // A bond gives its members its own address; the card's address is only in /proc/net/bonding.
    if (address.ok && type.ok && type.value.trim() === '0') macs.push(address.value.trim().toLowerCase())
  }
  return macs.toSorted()
}
