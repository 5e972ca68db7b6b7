/**
 * Reads `hwinfo --pci`: a numbered block for each function with one key per line. The module alias has the
 * whole class code.
 *
 *   26: PCI 100.0: 0300 VGA compatible controller (VGA)
 *     SysFS BusID: 0000:01:00.0
 *     Vendor: pci 0x10de "nVidia Corporation"
 *     Driver: "vfio-pci"
 */
import { parseAddress } from '../../pci/address.ts'
import { stateTwoMachines, warnOfDrivers } from './contradictions.ts'
import { deviceAt, stateClass, type DeviceDraft } from './draft.ts'
import type { LineForm, Listing } from './listing-state.ts'

export const readHwinfoLine: LineForm = (listing, line) => {
  const title = /^[\s>]{0,40}\d{1,5}: PCI [0-9a-f]{1,4}\.[0-7]: ([0-9a-f]{4}) (\S.{0,80})$/i.exec(line)
  if (title) {
    const className = (title[2] ?? '').replace(/ \([^)]*\)$/, '')
    listing.hwinfo = { classCode: (title[1] ?? '').toLowerCase(), className, device: undefined }
    listing.entry = undefined
    return 'hwinfo'
  }
  const block = listing.hwinfo
  const [, key = '', value = ''] = /^[\s>]{1,40}([A-Z][\w ]{1,30}): (.{1,600})$/.exec(line) ?? []
  if (!block || key === '') return undefined
  if (key === 'SysFS BusID') {
    const address = parseAddress(value.trim())
    if (address === undefined) return undefined
    block.device = deviceAt(listing.draft, address)
    stateClass(block.device, block.classCode)
    block.device.className = block.className
    return 'hwinfo'
  }
  if (!block.device || !readKey(listing, block.device, key, value.trim())) return undefined
  return 'hwinfo'
}

function readKey(listing: Listing, device: DeviceDraft, key: string, value: string): boolean {
  const [, id, words] = /^(?:pci )?0x([0-9a-f]{1,4})(?: "([^"]{0,200})")?$/i.exec(value) ?? []
  const quoted = /^"([^"]{1,200})"/.exec(value)?.[1]
  const hex = (width: number) => (id ?? '').toLowerCase().padStart(width, '0')
  switch (key) {
    case 'Vendor':
    case 'Device':
      if (id === undefined) return false
      restate(listing, device, key === 'Vendor' ? 'vendorId' : 'deviceId', hex(4))
      if (words)
        device.name = (key === 'Vendor' ? words : `${device.name ?? ''} ${words}`).trim().slice(0, 300)
      return true
    case 'SubVendor':
      if (id !== undefined) device.subsystemVendorId = hex(4)
      return true
    case 'SubDevice':
      if (id !== undefined) device.subsystemId = hex(4)
      return true
    case 'Revision':
      if (id !== undefined) device.revision = hex(2).slice(-2)
      return true
    case 'Driver':
      if (quoted !== undefined) readDriver(listing, device, quoted.slice(0, 64))
      return true
    case 'Driver Modules':
      device.modules = [...value.matchAll(/"([\w.-]{1,64})"/g)].map(([, name = '']) => name).slice(0, 64)
      return true
    case 'Module Alias':
      return readAlias(device, quoted ?? '')
    case 'Device File':
      return readInterface(device, value)
    default:
      return false
  }
}

function readDriver(listing: Listing, device: DeviceDraft, driver: string): void {
  const before = device.driver
  device.driver = driver
  if (before !== undefined && before !== driver) warnOfDrivers(listing.draft, device, before)
}

/** Another id for the same address means two machines. */
function restate(listing: Listing, device: DeviceDraft, key: 'vendorId' | 'deviceId', id: string): void {
  const before = device[key]
  if (before !== undefined && before !== id)
    stateTwoMachines(listing.draft, `${device.address} is listed with the ids ${before} and ${id}`)
  device[key] = id
}

/** `pci:v000010DEd000021C4sv00001462sd0000C75Abc03sc00i00` (drivers/pci/pci-sysfs.c, modalias_show). */
function readAlias(device: DeviceDraft, alias: string): boolean {
  const code =
    /^pci:v[0-9A-F]{8}d[0-9A-F]{8}sv[0-9A-F]{8}sd[0-9A-F]{8}bc([0-9A-F]{2})sc([0-9A-F]{2})i([0-9A-F]{2})$/.exec(
      alias,
    )
  if (!code) return false
  device.classCode = code.slice(1).join('').toLowerCase()
  return true
}

function readInterface(device: DeviceDraft, value: string): boolean {
  const name = /^[\w.:@-]{1,32}$/.exec(value)?.[0]
  if (name === undefined || device.classCode?.startsWith('02') !== true) return false
  device.networkInterfaces = [{ name }]
  return true
}
