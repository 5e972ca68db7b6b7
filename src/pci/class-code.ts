/**
 * Words for classes, for functions that pci.ids does not name and for what a person asks for. Code
 * assignments: PCI Code and ID Assignment Specification.
 */
import type { DeviceClass, PciDevice } from './device.ts'

const words: Readonly<Record<string, string>> = {
  '0100': 'SCSI storage controller',
  '0101': 'IDE controller',
  '0104': 'RAID controller',
  '0106': 'SATA controller',
  '0107': 'SAS controller',
  '0108': 'NVMe controller',
  '01': 'storage controller',
  '0200': 'Ethernet controller',
  '0280': 'network controller',
  '02': 'network controller',
  '0300': 'VGA controller',
  '0302': '3D controller',
  '0380': 'display controller',
  '03': 'display controller',
  '0401': 'audio controller',
  '0403': 'audio device',
  '04': 'multimedia controller',
  '05': 'memory controller',
  '0600': 'host bridge',
  '0601': 'ISA bridge',
  '0604': 'PCI bridge',
  '0607': 'CardBus bridge',
  '06': 'bridge',
  '0700': 'serial port',
  '07': 'communication controller',
  '0806': 'IOMMU',
  '08': 'system peripheral',
  '09': 'input controller',
  '0b': 'processor',
  '0c00': 'FireWire controller',
  '0c03': 'USB controller',
  '0c05': 'SMBus controller',
  '0c': 'serial bus controller',
  '0d': 'wireless controller',
  '10': 'encryption controller',
  '11': 'signal processing controller',
  '12': 'processing accelerator',
}

/**
 * What the code says: `020000` is an `Ethernet controller`. A code that is not listed has only the name it
 * came with.
 */
export function codeWords({ classCode = '', className }: Pick<PciDevice, 'classCode' | 'className'>): string {
  return words[classCode.slice(0, 4)] ?? words[classCode.slice(0, 2)] ?? className ?? 'device'
}

const classes: Readonly<Record<DeviceClass, string>> = {
  nic: 'network port',
  storage: 'storage controller',
  nvme: 'NVMe drive',
  gpu: 'graphics card',
  usb: 'USB controller',
  audio: 'sound device',
  other: 'device',
}

/** What a person asks for, in a word. */
export function classWord(kind: DeviceClass): string {
  return classes[kind]
}
