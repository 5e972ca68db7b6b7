/**
 * Class codes for the words that lspci prints without `-nn`, so that a plain listing also shows whether a
 * device is a bridge or a disk controller. Only classes of real machines are listed; another word leaves the
 * class code open. The words are those of pci.ids (PCI code and ID assignment).
 */
const table = `
0000 Non-VGA unclassified device
0001 VGA compatible unclassified device
0100 SCSI storage controller
0101 IDE interface
0104 RAID bus controller
0105 ATA controller
0106 SATA controller
0107 Serial Attached SCSI controller
0108 Non-Volatile memory controller
0109 Universal Flash Storage controller
0180 Mass storage controller
0200 Ethernet controller
0207 Infiniband controller
0208 Fabric controller
0280 Network controller
0300 VGA compatible controller
0301 XGA compatible controller
0302 3D controller
0380 Display controller
0400 Multimedia video controller
0401 Multimedia audio controller
0403 Audio device
0480 Multimedia controller
0500 RAM memory
0501 FLASH memory
0502 CXL
0580 Memory controller
0600 Host bridge
0601 ISA bridge
0602 EISA bridge
0604 PCI bridge
0605 PCMCIA bridge
0607 CardBus bridge
0609 Semi-transparent PCI-to-PCI bridge
0680 Bridge
0700 Serial controller
0701 Parallel controller
0702 Multiport serial controller
0703 Modem
0780 Communication controller
0800 PIC
0801 DMA controller
0802 Timer
0803 RTC
0804 PCI Hot-plug controller
0805 SD Host controller
0806 IOMMU
0880 System peripheral
0980 Input device controller
0b40 Co-processor
0c00 FireWire (IEEE 1394)
0c03 USB controller
0c04 Fibre Channel
0c05 SMBus
0c06 InfiniBand
0c07 IPMI Interface
0c09 CANBUS
0c80 Serial bus controller
0d11 Bluetooth
0d80 Wireless controller
1000 Network and computing encryption device
1080 Encryption controller
1101 Performance counters
1180 Signal processing controller
1200 Processing accelerators
1300 Non-Essential Instrumentation
`

let codes: Map<string, string> | undefined

/** Four hex digits for a class in lspci's words, if the words name one class only. */
export function classFromWords(words: string): string | undefined {
  codes ??= new Map(
    table
      .trim()
      .split('\n')
      .map((line) => [line.slice(5).toLowerCase(), line.slice(0, 4)]),
  )
  return codes.get(words.trim().toLowerCase())
}
