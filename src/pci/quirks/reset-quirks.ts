/**
 * Devices whose reset is not what their capabilities say. Facts from drivers/pci/quirks.c of kernels 6.1.192,
 * 6.12.117 and 7.2.13, and which stable update brought a row from the ChangeLogs of kernel.org; the GPU
 * families from gnif/vendor-reset (device-db.h, commit 084881c6). How they weigh is in pci/reset.ts.
 */
import { type IdList, idList, rowsByIds } from './id-list.ts'
import { since72, type Since } from './kernel-release.ts'

export type ResetRule =
  /** Neither FLR nor AF FLR is offered. */
  | 'noFlr'
  /** No reset of the bus it is on; on a bridge, none of the bus below. */
  | 'noBusReset'
  /** No PM reset, unless it sits on a root bus. */
  | 'noPmReset'
  /** The kernel has a way of its own, and uses it first. */
  | 'deviceSpecific'
  /** INTx cannot be masked: MSI or MSI-X, or an interrupt line of its own. */
  | 'brokenIntxMasking'

export type ResetQuirk = {
  readonly vendor: string
  readonly devices: IdList
  readonly rule: ResetRule
  /** What it is and what happens, for a message. */
  readonly about: string
  readonly since?: Since
  /** Only functions of this class (first digits of the class code). */
  readonly classPrefix?: string
  /** Only this revision. */
  readonly revision?: string
}

type More = Pick<ResetQuirk, 'since' | 'classPrefix' | 'revision'>

const quirk = (
  vendor: string,
  rule: ResetRule,
  devices: string,
  about: string,
  more: More = {},
): ResetQuirk => ({
  vendor,
  rule,
  devices: idList(devices),
  about,
  ...more,
})

const since = (row: Since): More => ({ since: row })

/** Updates of February 2026, months before 7.1. */
const since71: Since = {
  from: [7, 1, 0],
  stable: [
    [6, 1, 165],
    [6, 12, 75],
  ],
}
/** Not in 7.1.13, the last of its series. */
const sinceAutumn2026: Since = {
  from: [7, 2, 13],
  stable: [
    [6, 1, 189],
    [6, 12, 111],
  ],
  lackedBy: [[7, 1, 13]],
}
/** Updates of April 2024. */
const since69: Since = { from: [6, 9, 0], stable: [[6, 1, 88]] }

export const resetRows: readonly ResetQuirk[] = [
  quirk('1022', 'noFlr', '1487', 'AMD Starship/Matisse HD audio hangs on FLR'),
  quirk('1022', 'noFlr', '148c', 'AMD Starship USB controller hangs on FLR'),
  quirk('1022', 'noFlr', '149c', 'AMD Matisse USB controller hangs on FLR'),
  quirk('1022', 'noFlr', '7901', 'AMD FCH SATA hangs on FLR'),
  quirk('1022', 'noFlr', '1502 17f0', 'AMD NPU does not survive FLR', since(since72)),
  quirk('8086', 'noFlr', '1502 1503', 'Intel 82579 does not survive FLR'),
  quirk(
    '14c3',
    'noFlr',
    '0616',
    'MediaTek MT7922 does not survive FLR',
    since({ from: [6, 14, 0], stable: [[6, 12, 16]], lackedBy: [[6, 1, 192]] }),
  ),
  quirk(
    '14c3',
    'noFlr',
    '7925',
    'MediaTek MT7925 does not survive FLR',
    since({
      from: [7, 2, 13],
      stable: [[6, 12, 111]],
      lackedBy: [
        [6, 1, 192],
        [7, 1, 13],
      ],
    }),
  ),
  quirk('d063', 'noFlr', '1000', 'SolidRun SNET DPU revision 1 does not survive FLR', {
    revision: '01',
    since: since69,
  }),
  quirk('10de', 'noBusReset', '22ce 22d0', 'NVIDIA GB10 root port', since(since71)),
  quirk('10de', 'noBusReset', '2340-237f', 'NVIDIA 0x2340–0x237f do not come back from a bus reset'),
  quirk(
    '168c',
    'noBusReset',
    '0030 0032 003c 0033 0034 003e',
    'Atheros Wi-Fi does not come back from a bus reset',
  ),
  quirk(
    '17cb',
    'noBusReset',
    '1103 1107',
    'Qualcomm WCN Wi-Fi does not come back from a bus reset',
    since(sinceAutumn2026),
  ),
  quirk(
    '17cb',
    'noBusReset',
    '0308',
    'Qualcomm SDX modem does not come back from a bus reset',
    since(sinceAutumn2026),
  ),
  quirk('177d', 'noBusReset', 'a100', 'behind a Cavium CN8xxx root port nothing may be bus reset'),
  quirk('104c', 'noBusReset', 'b005', 'TI KeyStone C667x does not come back from a bus reset'),
  quirk('1b21', 'noBusReset', '1164', 'ASMedia ASM1164 SATA loses its link on a bus reset', since(since71)),
  quirk('1002', 'noPmReset', '*', 'AMD graphics ignore the PM reset', { classPrefix: '0300' }),
  quirk('15b3', 'noPmReset', 'cb84 cf6c cf70 cf80', 'Mellanox Spectrum ignores the PM reset'),
  quirk('8086', 'deviceSpecific', '10ed', '82599 virtual functions do FLR without saying so'),
  quirk('8086', 'deviceSpecific', '0156 0166', 'Ivy Bridge mobile graphics has a reset of its own'),
  quirk('8086', 'deviceSpecific', '0953 0a54', 'Intel P3700/P4500 NVMe needs 250 ms after FLR'),
  quirk('144d', 'deviceSpecific', 'a804', 'Samsung SM961/PM961 NVMe must be disabled before FLR'),
  quirk('025e', 'deviceSpecific', 'f1ac', 'Solidigm P44 Pro NVMe needs 250 ms after FLR', since(since69)),
  quirk('1425', 'deviceSpecific', '4000-4fff', 'Chelsio T4 has a reset of its own'),
  quirk('19e5', 'deviceSpecific', '375e', 'Huawei HiNIC virtual functions have a reset of their own'),
  quirk('8086', 'brokenIntxMasking', '1572 1574 1580 1581 1583-158b 37d0-37d2', 'Intel X710/XL710/X722'),
  quirk('1425', 'brokenIntxMasking', '0030', 'Chelsio T310'),
  quirk('1814', 'brokenIntxMasking', '0601', 'Ralink RT2800'),
  quirk('1b7c', 'brokenIntxMasking', '0004', 'Ceton InfiniTV4'),
  quirk('1102', 'brokenIntxMasking', '000b', 'Creative X-Fi'),
  quirk('10ec', 'brokenIntxMasking', '8169', 'Realtek RTL8169'),
]

const listing = rowsByIds(resetRows)

const listingBus = rowsByIds(resetRows.filter((row) => row.rule === 'noBusReset'))

export type Identified = {
  readonly vendorId?: string
  readonly deviceId?: string
  readonly classCode?: string
  readonly revision?: string
}

/** Rows for this device; those of another class or revision left out. */
export function resetQuirksOf(device: Identified): readonly ResetQuirk[] {
  return rowsFor(device, listing)
}

/**
 * Only the rows that forbid a bus reset: asked of every function on a bus for each of them, and few makers
 * have any.
 */
export function busResetQuirksOf(device: Identified): readonly ResetQuirk[] {
  return rowsFor(device, listingBus)
}

const none: readonly ResetQuirk[] = []

function rowsFor(
  device: Identified,
  rowsOf: ReturnType<typeof rowsByIds<ResetQuirk>>,
): readonly ResetQuirk[] {
  if (device.vendorId === undefined || device.deviceId === undefined) return none
  const listed = rowsOf(device.vendorId, device.deviceId)
  return listed.length === 0 ? listed : concerning(listed, device)
}

// Apart: a function within a function costs its surroundings memory at every call, and nearly all calls end
// before it.
function concerning(listed: readonly ResetQuirk[], device: Identified): readonly ResetQuirk[] {
  return listed.filter((row) => concerns(row, device))
}

function concerns(row: ResetQuirk, device: Identified): boolean {
  return (
    (row.classPrefix === undefined || device.classCode?.startsWith(row.classPrefix) === true) &&
    (row.revision === undefined || row.revision === device.revision)
  )
}

/** AMD GPUs that need the out-of-tree vendor-reset module, by family. */
const vendorResetFamilies: readonly { readonly family: string; readonly devices: IdList }[] = [
  { family: 'Polaris 10', devices: idList('67c0-67c2 67c4 67c7 67d0 67df 67c8-67ca 67cc 67cf 6fdf') },
  { family: 'Polaris 11', devices: idList('67e0 67e3 67e8 67eb 67ef 67ff 67e1 67e7 67e9') },
  { family: 'Polaris 12', devices: idList('6980 6981 6985-6987 6995 6997 699f') },
  { family: 'Vega 10', devices: idList('6860-6864 6867-686f 687f') },
  { family: 'Vega 20', devices: idList('66a0-66a4 66a7 66af 738c') },
  { family: 'Navi 10', devices: idList('7310 7312 7318 7319 731a 731b 731e 731f') },
  { family: 'Navi 14', devices: idList('7340 7341 7347 734f') },
  { family: 'Navi 12', devices: idList('7360 7362') },
]

export function vendorResetFamily(device: Identified): string | undefined {
  if (device.vendorId !== '1002' || device.deviceId === undefined) return undefined
  const id = Number.parseInt(device.deviceId, 16)
  return vendorResetFamilies.find((row) => row.devices(id))?.family
}
