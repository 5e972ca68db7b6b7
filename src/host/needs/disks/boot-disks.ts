/**
 * Finds the disk from which the firmware started this system, mounted or not. UEFI has variables for it:
 * `BootCurrent` names the entry `Boot####`, whose device path holds the partition (UEFI 3.1.3, 10.3.5.1), and
 * boot loaders set `LoaderDevicePartUUID`. A BIOS starts its disk 0x80, which the module edd shows in
 * /sys/firmware/edd (drivers/firmware/edd.c).
 */
import { defined } from '../../../base/defined.ts'
import { hex } from '../../../pci/hex.ts'
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { bytesOf, linkOf, namesIn, numberOf, textOf, type Reading } from '../../read/reading.ts'

export type BootDisk = {
  readonly what: string
  /** `PARTUUID=…` of the partition, or the id of the partition table as `PTUUID`. */
  readonly partition?: string
  readonly table?: string
  /** The size of the disk, as the BIOS reports it; only with `table`. */
  readonly sectors?: number
  readonly device?: PciAddress
  /** The disk cannot be followed further. */
  readonly lost?: { readonly name: string; readonly why: string }
}

const efi = '/sys/firmware/efi'
const variables = `${efi}/efivars`
const global = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const loader = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'

export function readBootDisks(reading: Reading, devices: readonly PciDevice[]): BootDisk[] {
  return reading.system.stat(efi).ok ? efiDisks(reading, devices) : biosDisks(reading)
}

function efiDisks(reading: Reading, devices: readonly PciDevice[]): BootDisk[] {
  const found: BootDisk[] = []
  for (const name of ['LoaderDevicePartUUID', 'StubDevicePartUUID']) {
    const bytes = bytesOf(reading, `${variables}/${name}-${loader}`, 4096)
    const text = bytes && new TextDecoder('utf-16le').decode(bytes.subarray(4)).replaceAll('\0', '').trim()
    if (text)
      found.push({ what: 'partition of the boot loader', partition: `PARTUUID=${text.toLowerCase()}` })
  }
  const current = bytesOf(reading, `${variables}/BootCurrent-${global}`, 64)
  if (current === undefined || current.length < 6) return found
  const number = hex((current[5] ?? 0) * 256 + (current[4] ?? 0), 4).toUpperCase()
  const entry = bytesOf(reading, `${variables}/Boot${number}-${global}`, 65_536)
  const what = `boot entry ${number} of the firmware`
  const path = entry && parseLoadOption(entry.subarray(4))
  if (path === undefined) {
    const lost = { name: `Boot${number}`, why: 'the entry that the firmware started cannot be read' }
    return found.length > 0 ? found : [{ what, lost }]
  }
  return [...found, ...pathDisk(what, path, devices)]
}

function pathDisk(what: string, path: DevicePath, devices: readonly PciDevice[]): BootDisk[] {
  if (path.partition !== undefined) return [{ what, partition: `PARTUUID=${path.partition}` }]
  if (path.isNetwork || path.isFirmware) return []
  const steps = path.functions.map(({ device, fn }) => `${hex(device, 2)}.${fn}`)
  const place = ['0000:00', ...steps].join('/')
  const device = path.root === 0 && steps.length > 0 ? devices.find((one) => one.path === place) : undefined
  if (device) return [{ what, device: device.address }]
  return [
    { what, lost: { name: what, why: 'its device path names no partition and no function that is there' } },
  ]
}

export type DevicePath = {
  /** As PARTUUID writes it. */
  readonly partition?: string
  /** `_UID` of the root bridge. */
  readonly root?: number
  readonly functions: readonly { readonly device: number; readonly fn: number }[]
  readonly isNetwork: boolean
  readonly isFirmware: boolean
}

/** EFI_LOAD_OPTION: attributes, length of the device path, description up to a zero, device path. */
export function parseLoadOption(bytes: Uint8Array): DevicePath | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint16(4, true)
  let at = 6
  while (at + 1 < bytes.length && view.getUint16(at, true) !== 0) at += 2
  at += 2
  const end = Math.min(bytes.length, at + length)
  if (at >= end) return undefined
  return parseDevicePath(bytes.subarray(at, end))
}

/** Nodes of type, subtype and length. Only the first path counts; an end node (7f) closes it. */
function parseDevicePath(bytes: Uint8Array): DevicePath | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let partition: string | undefined
  let root: number | undefined
  const functions: { device: number; fn: number }[] = []
  let isNetwork = false
  let isFirmware = false
  for (let at = 0; at + 4 <= bytes.length;) {
    const kind = `${bytes[at] ?? 0}.${bytes[at + 1] ?? 0}`
    const length = view.getUint16(at + 2, true)
    if (length < 4 || at + length > bytes.length) return undefined
    if (bytes[at] === 0x7f) break
    if (kind === '1.1' && length >= 6) functions.push({ fn: bytes[at + 4] ?? 0, device: bytes[at + 5] ?? 0 })
    else if (kind === '2.1' && length >= 12) root = view.getUint32(at + 8, true)
    else if (kind === '4.1' && length >= 42) partition = partitionOf(view, at)
    else if (/^3\.(?:11|12|13)$/.test(kind)) isNetwork = true
    else if (/^4\.(?:6|7)$/.test(kind)) isFirmware = true
    at += length
  }
  return {
    ...defined({ partition, root }),
    ...{ functions, isNetwork, isFirmware },
  }
}

/** Hard drive node: partition number at 4, signature at 24, its kind at 41 (1: MBR, 2: GUID). */
function partitionOf(view: DataView, at: number): string | undefined {
  const kind = view.getUint8(at + 41)
  if (kind === 1) return `${hex(view.getUint32(at + 24, true), 8)}-${hex(view.getUint32(at + 4, true), 2)}`
  if (kind !== 2) return undefined
  const tail = Array.from({ length: 8 }, (_, index) => hex(view.getUint8(at + 32 + index), 2)).join('')
  const head = [
    hex(view.getUint32(at + 24, true), 8),
    hex(view.getUint16(at + 28, true), 4),
    hex(view.getUint16(at + 30, true), 4),
  ]
  return [...head, tail.slice(0, 4), tail.slice(4)].join('-')
}

function biosDisks(reading: Reading): BootDisk[] {
  const folder = '/sys/firmware/edd/int13_dev80'
  if (namesIn(reading, folder).length === 0) return []
  const what = 'the disk that the BIOS starts'
  const linked = ownerOf(linkOf(reading, `${folder}/pci_dev`))
  const bus = /^PCI\s+([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/i.exec(
    textOf(reading, `${folder}/host_bus`) ?? '',
  )?.[1]
  const device = linked ?? parseAddress(bus ?? '')
  if (device !== undefined) return [{ what, device }]
  const table = /^0x([0-9a-f]{8})$/i
    .exec(textOf(reading, `${folder}/mbr_signature`) ?? '')?.[1]
    ?.toLowerCase()
  const sectors = numberOf(textOf(reading, `${folder}/sectors`))
  if (table !== undefined) return [{ what, table, ...defined({ sectors }) }]
  return [{ what, lost: { name: 'int13_dev80', why: 'the BIOS does not say on which controller it is' } }]
}
