/**
 * Vendors' isolation statements that Linux takes instead of, or beside, an ACS capability. Facts from
 * drivers/pci/quirks.c (`pci_dev_acs_enabled[]`, `pci_disable_broken_acs_cap`) of kernels 6.1.192, 6.12.117
 * and 7.2.13, which agree in every row of the first table; which stable update brought a row is in the
 * ChangeLogs of kernel.org. The rules themselves are in pci/acs.ts.
 */
import { byVendor, type IdList, idList, rememberByIds } from './id-list.ts'
import { since72, type Since } from './kernel-release.ts'

export type AcsRule =
  /** The vendor states isolation: true. */
  | 'isolated'
  /** True for a multifunction device on a root bus where the firmware has an IVRS table; else ask on. */
  | 'amdSouthbridge'
  /** True for Root Complex Integrated Endpoints; else ask on. */
  | 'rootComplexEndpoint'
  /**
   * Root ports before 100 series: true if the kernel could switch it on (RCBA enabled in the LPC bridge),
   * false if not.
   */
  | 'olderPch'
  /** Root ports of 100/200 series: an ACS capability with dwords where words belong; else ask on. */
  | 'dwordPackedPch'
  /** True for root ports with these ids; else ask on. */
  | 'rootPort'
  /** Root and downstream ports: true with these ids, false with others; else ask on. */
  | 'onlyThesePorts'
  /** True with these ids, false with all others of the vendor. */
  | 'onlyTheseDevices'

export type AcsQuirk = {
  readonly vendor: string
  readonly devices: IdList
  readonly rule: AcsRule
  /** All devices of the row are of this class; helps where only the vendor is known. */
  readonly classPrefix?: string
  /** Ids that came into the row later. */
  readonly later?: readonly Later[]
}

type Later = { readonly devices: IdList; readonly since: Since }

/**
 * Ibex Peak, Cougar Point, Panther Point, Lynx Point -H and -LP, Wildcat Point, Patsburg, Wellsburg, 9
 * series.
 */
const olderPchRootPorts = idList(
  `3b42-3b51 1c10-1c1f 1e10-1e1f 8c10-8c1f 9c10-9c1b 9c90-9c9b 1d10 1d12 1d14 1d16 1d18 1d1a 1d1c
  1d1e 8d10-8d1e
   8c90 8c92 8c94 8c96 8c98 8c9a 8c9c 8c9e`,
)

/** Sunrise Point-H (100 series), Union Point (200 series), 7th and 8th generation mobile. */
const dwordPackedPchRootPorts = idList('a110-a11f a167-a16a a290-a29f a2e7-a2ee 9d10-9d1b')

const quirk = (vendor: string, rule: AcsRule, devices: string | IdList, classPrefix?: string): AcsQuirk => ({
  vendor,
  rule,
  devices: typeof devices === 'string' ? idList(devices) : devices,
  ...(classPrefix && { classPrefix }),
})

const grown = (row: AcsQuirk, ...later: readonly (readonly [string, Since])[]): AcsQuirk => ({
  ...row,
  later: later.map(([devices, since]) => ({ devices: idList(devices), since })),
})

/** In the kernel's order; only the order among rows of one vendor matters. */
export const acsRows: readonly AcsQuirk[] = [
  quirk('1002', 'amdSouthbridge', '4385 439c 4383 439d 4384 4399'),
  quirk('1022', 'amdSouthbridge', '780f 7809'),
  // Solarflare SFC9xxx
  quirk('1924', 'isolated', '0903 0923 0a03', '02'),
  // 82598, 82599
  quirk(
    '8086',
    'isolated',
    '10c6 10db 10dd 10e1 10f1 10f7-10fc 1507 1514 151c 1529 152a 154d 154f 1551 1558',
    '02',
  ),
  // 82580, 82576, 82575, I350
  quirk(
    '8086',
    'isolated',
    '1509 150e-1511 1516 1527 10c9 10e6-10e8 150a 150d 1518 1526 10a7 10a9 10d6 1521-1524',
    '02',
  ),
  // 82571 (not the quad cards: their switch has no ACS), I219
  quirk('8086', 'isolated', '105e 105f 1060 10d9 15b7 15b8', '02'),
  quirk('8086', 'rootComplexEndpoint', '*'),
  // Qualcomm QDF2xxx, SA8775P, Hamoa, Glymur; HXT SD4800
  grown(
    quirk('17cb', 'isolated', '0400 0401 0115 0111 0120'),
    [
      '0115',
      {
        from: [6, 12, 0],
        stable: [
          [6, 1, 113],
          [6, 11, 4],
        ],
      },
    ],
    [
      '0111 0120',
      {
        from: [7, 1, 0],
        stable: [
          [6, 1, 165],
          [6, 12, 75],
        ],
      },
    ],
  ),
  quirk('1dbf', 'isolated', '0401'),
  quirk('8086', 'olderPch', olderPchRootPorts),
  quirk('8086', 'dwordPackedPch', dwordPackedPchRootPorts),
  // Emulex BE3-R, Skyhawk-R
  quirk('19a2', 'isolated', '0710'),
  quirk('10df', 'isolated', '0720'),
  // Cavium ThunderX
  quirk('177d', 'rootPort', 'a000-a7ff af84 b884'),
  quirk('177d', 'isolated', 'a026 a059 a060'),
  // APM X-Gene, Ampere
  quirk('10e8', 'isolated', 'e004'),
  quirk('1def', 'isolated', 'e005-e00c'),
  // Broadcom
  grown(quirk('14e4', 'isolated', '16d7 1750-1752 1760-1763 d714'), [
    '1760-1763',
    { from: [6, 13, 0], stable: [[6, 1, 122]] },
  ]),
  // Loongson root ports
  grown(quirk('0014', 'isolated', '3c09 3c19 3c29 7a09 7a19 7a29 7a39 7a49 7a59 7a69'), [
    '*',
    {
      from: [6, 16, 0],
      stable: [
        [6, 1, 142],
        [6, 12, 35],
      ],
    },
  ]),
  // Annapurna
  quirk('1c36', 'rootPort', '0031'),
  // Zhaoxin functions, then its ports
  quirk('1d17', 'isolated', '3038 3104 9083'),
  // NXP LX2xxx root ports
  quirk(
    '1957',
    'isolated',
    '8d80-8d83 8d88-8d8b 8d90-8d93 8d98-8d9b 8da0 8da1 8da8 8da9 8db0 8db1 8db8 8db9',
  ),
  grown(quirk('1d17', 'onlyThesePorts', '0710-071e 0721 0723-0752'), [
    '0733-0752',
    {
      from: [6, 8, 0],
      stable: [
        [6, 1, 74],
        [6, 6, 13],
      ],
    },
  ]),
  // Wangxun NICs
  grown(quirk('8088', 'onlyTheseDevices', '0100-010f 1001 2001 5010 5025 5040 5110 5125 5140'), [
    '5010 5025 5040 5110 5125 5140',
    {
      from: [6, 13, 0],
      stable: [
        [6, 1, 120],
        [6, 12, 5],
      ],
    },
  ]),
]

const table = byVendor(acsRows)

export function acsQuirksOf(vendorId: string): readonly AcsQuirk[] {
  return table.get(vendorId) ?? []
}

/** A row, and whether it lists the device: some rows speak of the devices they do not list, too. */
export type AskedRow = {
  readonly quirk: AcsQuirk
  readonly listed: boolean
  /** Where it lists the device only since then. */
  readonly since?: Since
}

const speaksOfOthers: ReadonlySet<AcsRule> = new Set(['onlyThesePorts', 'onlyTheseDevices'])

/** The rows of its maker that can say anything of a device, in table order. */
export const acsRowsFor: (vendorId: string, deviceId: string) => readonly AskedRow[] = rememberByIds(
  (vendorId, deviceId) => {
    const id = Number.parseInt(deviceId, 16)
    return acsQuirksOf(vendorId)
      .map((row) => askedRow(row, id))
      .filter(({ quirk: { rule }, listed }) => listed || speaksOfOthers.has(rule))
  },
)

function askedRow(quirk: AcsQuirk, id: number): AskedRow {
  const listed = quirk.devices(id)
  const since = listed ? quirk.later?.find(({ devices }) => devices(id))?.since : undefined
  return since === undefined ? { quirk, listed } : { quirk, listed, since }
}

/** The same of a device whose id is not known: only these rows need none. */
export const acsRowsForAny: (vendorId: string) => readonly AskedRow[] = (vendorId) =>
  acsQuirksOf(vendorId)
    .filter((row) => row.rule === 'rootComplexEndpoint')
    .map((row) => ({ quirk: row, listed: true }))

/** IDT switches: newer kernels drop Source Validation from the capability, older ones keep it. */
export const brokenSourceValidation: {
  readonly vendor: string
  readonly devices: IdList
  readonly since: Since
} = { vendor: '111d', devices: idList('80b5 8090'), since: since72 }
