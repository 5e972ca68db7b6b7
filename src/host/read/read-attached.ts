/**
 * Reads the network interfaces, disks and controller serials behind each PCI function. The class folders hold
 * links with the whole path (`../../devices/pci0000:00/0000:00:17.0/ata1/…/block/sda`); the last PCI address
 * in it is the owner.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Disk, NetworkInterface, PciDevice } from '../../pci/device.ts'
import { bytesOf, linkOf, namesIn, numberOf, textOf, type Reading } from './reading.ts'

export type Attached = Pick<PciDevice, 'networkInterfaces' | 'disks' | 'nvmeSerial' | 'sasAddress'>

type Found = {
  networkInterfaces?: NetworkInterface[]
  disks?: Disk[]
  nvmeSerial?: string
  sasAddress?: string
}

export function readAttached(reading: Reading): Map<PciAddress, Attached> {
  const drafts = new Map<PciAddress, Found>()
  const at = (address: PciAddress): Found => {
    const draft = drafts.get(address) ?? {}
    drafts.set(address, draft)
    return draft
  }
  const permanent = bondedMacs(reading)
  for (const name of namesIn(reading, '/sys/class/net')) {
    const owner = ownerOf(linkOf(reading, `/sys/class/net/${name}`))
    if (owner) (at(owner).networkInterfaces ??= []).push(readInterface(reading, name, permanent))
  }
  for (const name of namesIn(reading, '/sys/block')) {
    const owner = ownerOf(linkOf(reading, `/sys/block/${name}`))
    // nvme0c0n1 is the hidden path of a multipath namespace. readNvme adds the namespace itself to its
    // controllers.
    if (owner && !/^nvme\d+c\d+n\d+$/.test(name)) (at(owner).disks ??= []).push(readDisk(reading, name))
  }
  readNvme(reading, at)
  for (const name of namesIn(reading, '/sys/class/scsi_host')) {
    const owner = ownerOf(linkOf(reading, `/sys/class/scsi_host/${name}`))
    const sas = owner && /^0x([0-9a-f]{16})$/.exec(sasText(reading, name) ?? '')?.[1]
    if (owner && sas) at(owner).sasAddress = sas
  }
  return drafts
}

function sasText(reading: Reading, host: string): string | undefined {
  return textOf(reading, `/sys/class/scsi_host/${host}/host_sas_address`)
}

/** The last PCI address in a sysfs path: the function to which the thing is attached. */
export function ownerOf(path: string | undefined): PciAddress | undefined {
  let owner: PciAddress | undefined
  for (const part of path?.split('/') ?? []) owner = parseAddress(part) ?? owner
  return owner
}

function readInterface(
  reading: Reading,
  name: string,
  bonded: ReadonlyMap<string, string>,
): NetworkInterface {
  const folder = `/sys/class/net/${name}`
  const mac = macOf(textOf(reading, `${folder}/address`))
  // 0: the permanent address; 1: random; 2: from another device; 3: set by a person or a bond (ABI
  // sysfs-class-net).
  const burntIn = textOf(reading, `${folder}/addr_assign_type`) === '0' ? mac : bonded.get(name)
  const carrier = textOf(reading, `${folder}/carrier`)
  const speed = numberOf(textOf(reading, `${folder}/speed`))
  return {
    name,
    ...(mac === undefined ? {} : { mac }),
    ...(burntIn === undefined ? {} : { permanentMac: burntIn }),
    ...(carrier === '0' || carrier === '1' ? { carrier: carrier === '1' } : {}),
    ...(speed === undefined || speed <= 0 ? {} : { speedMbps: speed }),
  }
}

function macOf(text: string | undefined): string | undefined {
  const mac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.exec(text ?? '')?.[0].toLowerCase()
  return mac === '00:00:00:00:00:00' ? undefined : mac
}

/** A bond gives all members the same address; /proc/net/bonding keeps their permanent ones. */
function bondedMacs(reading: Reading): Map<string, string> {
  const macs = new Map<string, string>()
  for (const bond of namesIn(reading, '/proc/net/bonding')) {
    const text = textOf(reading, `/proc/net/bonding/${bond}`) ?? ''
    for (const match of text.matchAll(/^Slave Interface: (\S+)$[^]*?^Permanent HW addr: (\S+)$/gm)) {
      const mac = macOf(match[2])
      if (match[1] !== undefined && mac !== undefined) macs.set(match[1], mac)
    }
  }
  return macs
}

export function readDisk(reading: Reading, name: string): Disk {
  const folder = `/sys/block/${name}`
  const model = textOf(reading, `${folder}/device/model`)
  const sectors = numberOf(textOf(reading, `${folder}/size`))
  const wwid = textOf(reading, `${folder}/wwid`) ?? textOf(reading, `${folder}/device/wwid`)
  const serial = diskSerial(reading, folder, wwid)
  const wwn = /^(?:naa|eui)\.([0-9a-f]{16,32})$/i.exec(wwid ?? '')?.[1]?.toLowerCase()
  return {
    name,
    ...(model ? { model } : {}),
    ...(serial ? { serial } : {}),
    ...(wwn ? { wwn } : {}),
    ...(sectors === undefined ? {} : { sizeBytes: sectors * 512 }),
  }
}

/**
 * The serial number of a disk: `device/serial` for NVMe and MMC, `serial` for virtio, page 0x80 for SCSI and
 * ATA (binary: four bytes of header, then text), else the last 20 characters of an ATA world-wide id, else
 * the udev database.
 */
function diskSerial(reading: Reading, folder: string, wwid: string | undefined): string | undefined {
  const stated = textOf(reading, `${folder}/device/serial`) || textOf(reading, `${folder}/serial`)
  if (stated) return printable(stated)
  const page = bytesOf(reading, `${folder}/device/vpd_pg80`, 4096)
  if (page && page.length > 4) {
    const serial = printable(new TextDecoder('latin1').decode(page.subarray(4)))
    if (serial) return serial
  }
  if (wwid?.startsWith('t10.ATA') && wwid.length > 20) return printable(wwid.slice(-20))
  const number = textOf(reading, `${folder}/dev`)
  const udev = number === undefined ? undefined : textOf(reading, `/run/udev/data/b${number}`)
  return /^E:ID_SERIAL_SHORT=(.+)$/m.exec(udev ?? '')?.[1]
}

function printable(text: string): string | undefined {
  return text.replaceAll(/[^\x20-\x7e]/g, '').trim() || undefined
}

/**
 * Reads the serials of controllers. A multipath namespace lies under virtual/, so it is added here to each of
 * its PCIe controllers.
 */
function readNvme(reading: Reading, at: (address: PciAddress) => Found): void {
  for (const name of namesIn(reading, '/sys/class/nvme')) {
    const owner = ownerOf(linkOf(reading, `/sys/class/nvme/${name}`))
    if (!owner) continue
    const serial = printable(textOf(reading, `/sys/class/nvme/${name}/serial`) ?? '')
    if (serial) at(owner).nvmeSerial = serial
  }
  for (const subsystem of namesIn(reading, '/sys/class/nvme-subsystem')) {
    const names = namesIn(reading, `/sys/class/nvme-subsystem/${subsystem}`)
    const namespaces = names.filter((name) => /^nvme\d+n\d+$/.test(name))
    for (const controller of names.filter((name) => /^nvme\d+$/.test(name))) {
      const owner = ownerOf(linkOf(reading, `/sys/class/nvme/${controller}`))
      if (!owner) continue
      const disks = (at(owner).disks ??= [])
      for (const name of namespaces)
        if (!disks.some((disk) => disk.name === name)) disks.push(readDisk(reading, name))
    }
  }
}
