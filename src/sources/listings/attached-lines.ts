/**
 * Reads what is attached to a listed controller and printed below it: disks in the form of lsscsi, USB
 * devices in the form of lsusb. Unraid's System Devices page and the Level1Techs script print this. A
 * keyboard in such a list is a need of the host.
 *
 *   [7:0:0:0] disk ATA ST8000VN004-2M21 SC60 /dev/sdb 8.00TB
 *   Bus 001 Device 004 Port 1-5	ID 046d:c31c Logitech, Inc. Keyboard K120
 */
import { defined } from '../../base/defined.ts'
import type { Disk } from '../../pci/device.ts'
import { stateNeed, type DeviceDraft, type HostDraft } from './draft.ts'
import type { AttachedUsb, LineForm, Listing } from './listing-state.ts'

export const readAttachedLine: LineForm = (listing, line) =>
  readDisk(listing, line) ?? readUsb(listing, line) ?? readHeld(listing, line)

function readDisk(listing: Listing, line: string): ReturnType<LineForm> {
  const [, words = '', name = '', size = ''] =
    /^[\s>]{0,40}\[(?:N|\d{1,4}):\d{1,6}:\d{1,6}:\d{1,6}\]\s{1,20}disk\s{1,20}(\S.{0,200}?)\s{1,40}\/dev\/([\w-]{1,32})(?:\s{1,40}([\d.]{1,10}\s?[KMGTP]i?B?))?\s*$/.exec(
      line,
    ) ?? []
  if (name === '') return undefined
  const sizeBytes = bytesOf(size)
  const disk: Disk = {
    name,
    model: words.replace(/\s+/g, ' ').slice(0, 128),
    ...defined({ sizeBytes }),
  }
  const owner = below(listing, /^01/)
  if (owner) addDisk(owner, disk)
  else if (listing.attached.apart.length < 1024) listing.attached.apart.push(disk)
  return 'beside'
}

/** Unraid: `This controller is bound to vfio, connected drives are not visible.` */
function readHeld({ entry }: Listing, line: string): ReturnType<LineForm> {
  if (!entry || entry.complete || !/^[\s>]{0,40}This controller is bound to vfio\b/.test(line))
    return undefined
  entry.device.driver = 'vfio-pci'
  entry.driverInHeader = true
  return 'beside'
}

function readUsb(listing: Listing, line: string): ReturnType<LineForm> {
  const found =
    /^[\s>]{0,40}(?:USB:\s{1,20}\[[0-9a-f]{4}:[0-9a-f]{4}\]\s{1,20})?Bus (\d{3}) Device (\d{3}):?(?: Port ([\w.-]{1,16}))?\s{1,20}(?:ID )?(?:[0-9a-f]{4}:[0-9a-f]{4} ?)?(\S.{0,200})?$/i.exec(
      line,
    )
  if (!found) return undefined
  const owner = below(listing, /^0c03/)
  const name = (found[4] ?? '').trim()
  if (owner && name !== '' && listing.attached.usb.length < 1024)
    listing.attached.usb.push({ device: owner.address, where: found[3] ?? `${found[1]}-${found[2]}`, name })
  return 'beside'
}

/** The function just before this line, if it is of a class that can have such a thing attached. */
function below({ entry }: Listing, kind: RegExp): DeviceDraft | undefined {
  return entry && !entry.complete && kind.test(entry.device.classCode ?? '') ? entry.device : undefined
}

function addDisk(device: DeviceDraft, disk: Disk): void {
  const others = (device.disks ?? []).filter(({ name }) => name !== disk.name)
  device.disks = [...others, disk].slice(0, 1024)
}

/** A disk and a USB device of the same model are one USB stick. Keyboards are needs of the host. */
export function concludeAttached({ draft, attached }: Listing): void {
  for (const { device, name } of attached.usb) {
    const owner = draft.devices.get(device)
    const disk = attached.apart.find(({ model }) => model !== undefined && isSameModel(model, name))
    if (owner && disk) addDisk(owner, disk)
  }
  stateKeyboards(
    draft,
    attached.usb.filter(({ name }) => /\bkeyboard\b/i.test(name)),
  )
}

/**
 * `SanDisk Cruzer Fit 1.00` in the SCSI list and `SanDisk Corp. Cruzer Fit` in the USB list: the USB name has
 * every word of the SCSI name.
 */
function isSameModel(scsi: string, usb: string): boolean {
  const words = (text: string) =>
    text
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((word) => /[a-z]/.test(word))
  const [short, long] = [words(scsi), new Set(words(usb))]
  return short.length > 1 && short.every((word) => long.has(word))
}

function stateKeyboards(draft: HostDraft, keyboards: readonly AttachedUsb[]): void {
  const places = [...new Set(keyboards.map(({ device }) => device))]
  for (const { device, where, name } of keyboards) {
    const others = places.filter((one) => one !== device)
    const redundant = others.length === 0 ? {} : { redundant: { set: 'keyboards', others } }
    stateNeed(draft, {
      kind: 'input',
      what: 'keyboard',
      chain: [name, `usb ${where}`],
      device,
      weight: 'vital',
      ...redundant,
    })
  }
}

function bytesOf(size: string): number | undefined {
  const [, number = '', unit = ''] = /^([\d.]+)\s?([KMGTP])/.exec(size) ?? []
  const bytes = Number(number) * 1000 ** ('KMGTP'.indexOf(unit) + 1)
  return unit !== '' && Number.isFinite(bytes) ? Math.round(bytes) : undefined
}
