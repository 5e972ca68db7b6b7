/**
 * Functions that are part of the board or of the processor: host bridges, dummy and uncore functions,
 * security processors, the management engine, SMBus, thermal and serial functions of a chipset. They are
 * nobody's cards, on whatever bus they are. The class decides where it says enough, else maker and class,
 * else ids: this needs no reading.
 */
import { isOnRootBus, type PciDevice } from '../pci/device.ts'
import { idList, type IdList } from '../pci/quirks/id-list.ts'

export type Silicon = {
  /** In words, after "the": `SMBus`, `security processor`. */
  readonly what: string
  /**
   * What holds it against its group. `loose`: the host runs without it, so a driver that holds it may let go.
   * `quiet`: few kernels have a driver for it, and one that is there keeps it. Absent: the host drives it and
   * keeps it.
   */
  readonly grip?: 'loose' | 'quiet'
}

/** By base class and subclass, or by base class alone. */
type RolesByClass = ReadonlyMap<string, Silicon>

const roles = (...rows: readonly (readonly [string, string, Silicon['grip']?])[]): RolesByClass =>
  new Map(rows.map(([code, what, grip]) => [code, grip === undefined ? { what } : { what, grip }]))

/** Never a card (PCI Code and ID Assignment; the block lists of TrueNAS and oVirt agree on most of them). */
const always = roles(
  ['0600', 'host bridge'],
  ['0601', 'ISA bridge'],
  ['0602', 'EISA bridge'],
  ['0c05', 'SMBus'],
  ['0c07', 'IPMI interface', 'loose'],
  ['0500', 'memory controller', 'quiet'],
  ['0502', 'memory of the host (CXL)'],
  ['0806', 'IOMMU'],
  ['0807', 'event collector of the root complex'],
  ['1101', 'performance counters', 'quiet'],
)

/** On a root bus of any maker: the same classes occur on cards (an accelerator, an FPGA, a USB-C port). */
const onRootBus = roles(
  ['0580', 'memory controller', 'quiet'],
  ['08', 'system peripheral', 'quiet'],
  ['0c80', 'serial bus of the board (SPI, I2C)'],
  ['1180', 'signal processing of the chipset', 'loose'],
)

/**
 * Intel sells no cards of these classes, the Thunderbolt interfaces below aside: uncore and I/OAT are 0880
 * and 0800, MEI/HECI and LPSS UARTs 0780, AMT serial ports and sensor hubs 0700, thermal, telemetry and LPSS
 * functions 1180 or 0c80, SPSR and MROM ff00 (pci.ids; drivers/misc/mei/pci-me.c,
 * drivers/mfd/intel-lpss-pci.c, drivers/platform/x86/intel/vsec.c).
 */
const intel = roles(
  ['0000', 'chipset function', 'loose'],
  ['0580', 'memory controller', 'quiet'],
  ['0680', 'bridge of the chipset'],
  ['0700', 'serial port of the chipset', 'loose'],
  ['0780', 'management engine or UART of the chipset', 'loose'],
  ['08', 'system peripheral of the processor', 'quiet'],
  ['0c80', 'serial bus of the board (SPI, I2C)'],
  ['1180', 'thermal, telemetry or serial function of the chipset', 'loose'],
  ['ff00', 'chipset function', 'loose'],
)

/** AMD and Hygon: pci.ids; drivers/crypto/ccp/sp-pci.c (1080), drivers/hid/amd-sfh-hid (1180). */
const amd = roles(
  ['0000', 'sensor hub', 'loose'],
  ['0580', 'memory controller', 'quiet'],
  ['0680', 'bridge of the processor'],
  ['08', 'system peripheral of the processor', 'quiet'],
  ['0c80', 'serial bus of the board (SPI, I2C)'],
  ['1080', 'security processor', 'loose'],
  ['1180', 'sensor hub', 'loose'],
  ['1300', 'dummy function', 'loose'],
)

const byMaker: Readonly<Record<string, RolesByClass>> = { '8086': intel, '1022': amd, '1d94': amd }

/**
 * Functions that only their ids show (pci.ids): Apple's T2, the DMA engine in a switch, IDE redirection
 * of AMT.
 */
const byId: Readonly<Record<string, readonly { readonly devices: IdList; readonly role: Silicon }[]>> = {
  '106b': [{ devices: idList('1801 1802'), role: { what: 'security processor (Apple T2)', grip: 'loose' } }],
  '10b5': [{ devices: idList('87d0'), role: { what: 'DMA engine of a PCIe switch', grip: 'loose' } }],
  '8086': [
    {
      devices: idList(
        '1084 1c3c 1d3c 1e3c 2976 2996 29a6 29b6 29c6 29d6 29e6 29f6 2a06 2a16 2a46 2a52 2e06 2e16 2e26 ' +
          '2e36 2e46 ' +
          '2e96 3b66 8c3c 8cbc 8d3c 9c3c 9cbc a13c a1bc a1fa',
      ),
      role: { what: 'IDE redirection of the management engine', grip: 'loose' },
    },
  ],
}

type Own = { readonly devices: IdList; readonly names: RegExp }

/** Thunderbolt interfaces of class 0880 (`nhi_ids`, drivers/thunderbolt/nhi.c). */
const thunderbolt: Own = {
  devices: idList(
    '1137 1513 151a 151b 1547-1549 1566 1568 156a 156c 1575 1577 157d 15bf 15d2 15d9 15e8 15eb 8a0d 8a17',
  ),
  names: /Thunderbolt|\bNHI\b/,
}

/**
 * What a rule above takes for a part of the processor and is none: those, Intel's accelerators DSA and IAA of
 * class 0880 (`idxd_pci_tbl`, drivers/dma/idxd/init.c), and AMD's neural processors of class 1180
 * (drivers/accel/amdxdna), which serve a guest as processor graphics do.
 */
const devicesOfTheirOwn: Readonly<Record<string, readonly Own[]>> = {
  '8086': [
    thunderbolt,
    {
      devices: idList('0b25 0cfe 11fb 1212 1216 b02d fd2d'),
      names: /Data Streaming Accelerator|In-Memory Analytics|Analytics Accelerator/,
    },
  ],
  '1022': [{ devices: idList('1502 17f0-17f3'), names: /Neural|\bIPU\b|\bNPU\b/ }],
}

export function siliconOf(device: PciDevice): Silicon | undefined {
  const { classCode, vendorId } = device
  // A card reader or eMMC controller (0805) has disks behind it: the needs of the host decide there.
  if (classCode === undefined || classCode.startsWith('0805')) return undefined
  const found = roleIn(always, classCode)
  if (found !== undefined) return found
  const own = vendorId === undefined ? undefined : ofMaker(device, vendorId, classCode)
  if (own !== undefined) return own === 'device' ? undefined : own
  const onlyThere = roleIn(onRootBus, classCode)
  return onlyThere !== undefined && isOnRootBus(device) ? onlyThere : undefined
}

/** The host interface of Thunderbolt or USB4, by class (0c0340) or, before that class was, by ids. */
export function isThunderboltInterface({ classCode = '', vendorId, deviceId, name }: PciDevice): boolean {
  if (classCode.startsWith('0c0340')) return true
  if (vendorId !== '8086' || !classCode.startsWith('0880')) return false
  return isOf(thunderbolt, deviceId === undefined ? undefined : Number.parseInt(deviceId, 16), name)
}

function ofMaker(device: PciDevice, vendorId: string, classCode: string): Silicon | 'device' | undefined {
  const rows = byId[vendorId]
  const maker = byMaker[vendorId]
  if (rows === undefined && maker === undefined) return undefined
  const id = device.deviceId === undefined ? undefined : Number.parseInt(device.deviceId, 16)
  const row = id === undefined ? undefined : rows?.find(({ devices }) => devices(id))
  if (row !== undefined) return row.role
  const role = maker && roleIn(maker, classCode)
  if (role === undefined) return undefined
  return devicesOfTheirOwn[vendorId]?.some((own) => isOf(own, id, device.name)) === true ? 'device' : role
}

/** Without an id its name decides. */
function isOf({ devices, names }: Own, id: number | undefined, name = ''): boolean {
  return id === undefined ? names.test(name) : devices(id)
}

function roleIn(roleOf: RolesByClass, classCode: string): Silicon | undefined {
  return roleOf.get(classCode.slice(0, 4)) ?? roleOf.get(classCode.slice(0, 2))
}
