/** Short words for class codes, for when pci.ids is not there. Code assignments: PCI Code and ID Assignment Specification. */

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

/** `020000` → `Ethernet controller`; what is not listed is a `device`. */
export function classWords(classCode: string | undefined): string {
  const code = classCode ?? ''
  return words[code.slice(0, 4)] ?? words[code.slice(0, 2)] ?? 'device'
}
