/**
 * Is the device that answers at an address the one that was meant? Read again right before anything is bound,
 * from the few attributes of that one device: plans, locks and memory may all be older than the last card
 * swap. It decides nothing about *moved* devices; that is the planner's work, before.
 */
import { hex } from '../pci/hex.ts'
import { AppError } from '../base/errors.ts'
import { placeOf } from '../host/read/device-place.ts'
import type { PciAddress } from '../pci/address.ts'
import { isWhole, virtualPlace, type Identity } from '../pci/identity.ts'
import type { Reader } from '../machine/system.ts'
import { functionsOf, physicalOf } from './read-functions.ts'

export type IdentityCheck = {
  /** One line per difference; binding is allowed only when empty. */
  readonly differences: readonly string[]
  /**
   * Recorded serials that cannot be read in the device's present state (MACs only show while a network driver
   * is bound).
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
    differences.push('its place, vendor or device id is not recorded, so nothing tells that it is the one')
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

/** Stops before anything is written to a device that is not the recorded one. */
export function refuseOther(reader: Reader, address: PciAddress, identity: Identity): void {
  const { differences } = checkIdentity(reader, address, identity)
  if (differences.length === 0) return
  throw new AppError(`${address} is not the device that was meant: ${differences.join('; ')}`, {
    help: `nothing was written to it; look at what sits there with: handover inspect ${address}`,
  })
}

/**
 * The place as the recorded one was made; a virtual function is its physical function's place and its number
 * there.
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
 * Extended capability 0x0003 (PCIe Device Serial Number): low dword at +4, high dword at +8. Only root may
 * read past byte 64.
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
 * Serials the kernel shows only through the host's own driver: compared when they show, never taken as proof
 * when they do not.
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

/** addr_assign_type 0 means the card's own address; bonds and administrators leave another number there. */
function permanentMacs(reader: Reader, folder: string): string[] {
  const interfaces = reader.list(folder)
  if (!interfaces.ok) return []
  const macs: string[] = []
  for (const name of interfaces.value) {
    const type = reader.readText(`${folder}/${name}/addr_assign_type`, 16)
    const address = reader.readText(`${folder}/${name}/address`, 64)
    // A bond's member has its card's address only in the bond's own listing: left unchecked here.
    if (address.ok && type.ok && type.value.trim() === '0') macs.push(address.value.trim().toLowerCase())
  }
  return macs.toSorted()
}
