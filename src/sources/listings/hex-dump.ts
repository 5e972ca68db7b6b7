/**
 * Collects the hex lines of `lspci -x`, `-xxx` and `-xxxx` (an offset and up to 16 bytes) into one image for
 * each function.
 *
 *   00: 86 80 05 34 00 00 10 00 12 00 00 06 00 00 00 00
 */
import { toHex } from '../../pci/hex.ts'
import type { PciAddress } from '../../pci/address.ts'
import { decodeConfig } from '../../pci/config-space.ts'
import { deviceAt, note, type DeviceDraft, type HostDraft } from './draft.ts'

type Image = { readonly bytes: Uint8Array; readonly known: Uint8Array }
export type HexImages = Map<PciAddress, Image>

const size = 4096
/** An image takes 8 KiB. No machine has more functions with configuration space. */
const imageCap = 8192

export function addHexLine(images: HexImages, address: PciAddress, line: string): boolean {
  const match = /^[\s>#*|;]{0,40}([0-9a-f]{2,3}): ((?:[0-9a-f]{2}(?: |$)){1,16})\s*$/i.exec(line)
  if (!match) return false
  const offset = Number.parseInt(match[1] ?? '0', 16)
  let image = images.get(address)
  // Offset 0 again means a second listing of the same function; the later one counts.
  if (!image || offset === 0) {
    if (!image && images.size >= imageCap) return true
    images.set(address, (image = { bytes: new Uint8Array(size), known: new Uint8Array(size) }))
  }
  const values = (match[2] ?? '').trim().split(' ')
  for (const [index, value] of values.entries()) {
    if (offset + index >= size) break
    image.bytes[offset + index] = Number.parseInt(value, 16)
    image.known[offset + index] = 1
  }
  return true
}

/** Uses the longest of 64, 256 or 4096 bytes without a gap. */
export function finishHexImages(draft: HostDraft, images: HexImages): void {
  for (const [address, image] of images) {
    const hole = image.known.indexOf(0)
    const length = hole === -1 ? size : hole
    const whole = [4096, 256, 64].find((n) => length >= n)
    if (whole === undefined) {
      note(draft, `the hex dump of ${address} breaks off after ${length} bytes and is not used`)
      continue
    }
    if (whole !== length)
      note(draft, `the hex dump of ${address} breaks off after ${length} bytes; ${whole} are used`)
    setConfig(deviceAt(draft, address), toHex(image.bytes.subarray(0, whole)))
  }
}

/**
 * Sets the image and the facts decoded from it. Bytes count more than words about capabilities. Listed ids
 * stay, since a virtual function's own image has ffff in their place.
 */
function setConfig(device: DeviceDraft, config: string): void {
  device.config = config
  const space = decodeConfig(config)
  if (!space) return
  const { facts, vendorId, deviceId, classCode, revision } = space
  device.facts = { ...device.facts, ...facts }
  if (vendorId !== undefined) device.vendorId ??= vendorId
  if (deviceId !== undefined) device.deviceId ??= deviceId
  if (classCode !== undefined) device.classCode = classCode
  if (revision !== undefined) device.revision ??= revision
  if (space.subsystemVendorId !== undefined) device.subsystemVendorId ??= space.subsystemVendorId
  if (space.subsystemId !== undefined) device.subsystemId ??= space.subsystemId
  if (facts.headerType !== undefined) device.headerType = facts.headerType
  if (facts.portType) device.portType = facts.portType
  if (facts.secondaryBus !== undefined) device.secondaryBus = facts.secondaryBus
  if (facts.subordinateBus !== undefined) device.subordinateBus = facts.subordinateBus
  if (facts.sriov) device.sriov = { totalVfs: facts.sriov.totalVfs, numVfs: facts.sriov.numVfs }
  if (space.link) device.link = { ...space.link, ...device.link }
  if (space.deviceSerialNumber !== undefined) device.deviceSerialNumber ??= space.deviceSerialNumber
  if (space.bars) device.bars ??= [...space.bars]
}
