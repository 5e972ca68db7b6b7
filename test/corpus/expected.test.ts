/**
 * Every fact stated in every expected.json of the corpus (made by an independent program) against what
 * `--from` reads. Prints how many facts were compared; a mismatch passes only with a reason written here.
 */
import { expect, test } from 'vitest'
import { decodeConfig } from '../../src/pci/config-space.ts'
import type { PciDevice } from '../../src/pci/device.ts'
import type { Host } from '../../src/host/host.ts'
import { corpusItems, hasCorpus, readItem, type CorpusItem } from './corpus.ts'

type Mismatch = {
  readonly id: string
  readonly what: string
  readonly expected: unknown
  readonly got: unknown
}

/** `id what` → why our reading is right although the expected file says otherwise. */
const accepted: readonly (readonly [RegExp, string])[] = [
  [
    /^acer-wmi\.lspci (?:0000:6d:00\.0 |addresses|drivers|group numbers|group 6$)/,
    'the functions in domain 10000 stand one blank to the right, and the expected file adds their lines to 0000:6d:00.0 above them; they are functions of their own',
  ],
  [
    /^udev-ipu7-driver\/udevadm-export-db\.txt (?:addresses|drivers)$/,
    'PCI_SLOT_NAME of 0000:00:05.0 was overwritten when the data was scrubbed, and the expected file leaves the function out; its DEVPATH states it',
  ],
]

const portWords: Readonly<Record<string, string>> = {
  'Root Port': 'rootPort',
  'root-port': 'rootPort',
  Endpoint: 'endpoint',
  endpoint: 'endpoint',
  'Legacy Endpoint': 'legacyEndpoint',
  'legacy-endpoint': 'legacyEndpoint',
  'Upstream Port': 'upstreamPort',
  'upstream-port': 'upstreamPort',
  'Downstream Port': 'downstreamPort',
  'downstream-port': 'downstreamPort',
  'Root Complex Integrated Endpoint': 'rootComplexEndpoint',
  'rc-integrated-endpoint': 'rootComplexEndpoint',
  'PCI-Express to PCI/PCI-X Bridge': 'pcieToPciBridge',
  'pcie-to-pci-bridge': 'pcieToPciBridge',
}

class Comparison {
  compared = 0
  readonly mismatches: Mismatch[] = []
  readonly item: CorpusItem
  constructor(item: CorpusItem) {
    this.item = item
  }
  same(what: string, expected: unknown, got: unknown): void {
    this.compared += 1
    const [a, b] = [JSON.stringify(expected), JSON.stringify(got)]
    if (a !== b) this.mismatches.push({ id: this.item.id, what, expected, got })
  }
}

function compare(item: CorpusItem): Comparison {
  const result = new Comparison(item)
  const reading = readItem(item)
  if (!reading.ok) {
    result.same('can be read', true, reading.error.message)
    return result
  }
  const { host } = reading
  compareMachine(result, host)
  const devices = new Map(host.devices.map((d) => [d.address as string, d]))
  result.same('addresses', Object.keys(item.expected.devices).sort(), [...devices.keys()].sort())
  for (const [address, facts] of Object.entries(item.expected.devices)) {
    const device = devices.get(address)
    if (!device) continue
    for (const [key, value] of Object.entries(facts)) compareFact(result, address, key, value, device)
  }
  return result
}

const sourceKinds: Readonly<Record<string, string>> = {
  dmesg: 'kernel-log',
  lspci: 'lspci',
  'iommu-script': 'script',
  'find-iommu_groups': 'find',
  udevadm: 'udevadm',
  sysfs: 'sysfs',
  'nixos-facter': 'facter',
  umockdev: 'umockdev',
  'libvirt-nodedev': 'nodedev',
}

/** As JSON text, so that lists of pairs compare whatever their order. */
const sorted = (list: readonly unknown[]) => list.map((entry) => JSON.stringify(entry)).sort()

function compareMachine(result: Comparison, host: Host): void {
  const { expected } = result.item
  const format = result.item.input.endsWith('.tar.gz') ? 'sysfs' : expected.format
  result.same('source kind', sourceKinds[format], host.source.kind)
  const groups = Object.fromEntries(
    host.groups.filter((g) => g.devices.length > 0).map((g) => [String(g.id), [...g.devices]]),
  )
  const wanted = Object.entries(expected.groups).map(([id, members]) => [id, [...members].sort()] as const)
  result.same('group numbers', Object.keys(expected.groups).sort(), Object.keys(groups).sort())
  for (const [id, members] of wanted) result.same(`group ${id}`, members, [...(groups[id] ?? [])].sort())
  if (expected['non_pci_members'] !== undefined)
    result.same(
      'other members',
      sorted(Object.entries(expected['non_pci_members'] as object)),
      sorted(host.groups.flatMap((g) => (g.otherMembers ?? []).map((name) => [name, g.id]))),
    )
  if (Array.isArray(expected['drivers']))
    result.same(
      'drivers',
      expected['drivers'],
      [...new Set(host.devices.flatMap((d) => d.driver ?? []))].sort(),
    )
  if (expected.format === 'dmesg') compareLog(result, host)
}

function compareLog(result: Comparison, host: Host): void {
  const { expected } = result.item
  const kinds: Readonly<Record<string, string | null>> = {
    'amd-vi': 'amd',
    'intel-vt-d': 'intel',
    'arm-smmu': 'other',
  }
  result.same('iommu kind', kinds[String(expected['iommu_kind'])] ?? null, host.iommu.kind)
  result.same('default domain', expected['default_domain'], host.iommu.defaultDomain ?? null)
  result.same('board', expected['dmi'], host.machine ?? null)
  const bare = (hex: string) => hex.replace(/^0x0*/, '')
  result.same(
    'reserved by firmware',
    (expected['rmrr'] as string[][]).map((range) => range.map(bare)),
    (host.iommu.firmwareRegions ?? []).map((r) => [r.start, r.end]),
  )
  const words = new Set((host.kernel.cmdline ?? '').split(' '))
  for (const flag of expected['cmdline_flags'] as string[])
    result.same(`kernel argument ${flag}`, true, words.has(flag))
}

const acsNames = [
  'SrcValid',
  'TransBlk',
  'ReqRedir',
  'CmpltRedir',
  'UpstreamFwd',
  'EgressCtrl',
  'DirectTrans',
]
const flagsOf = (bits: number | undefined) =>
  bits === undefined ? undefined : acsNames.filter((_, i) => (bits >> i) & 1)
const hex = (value: number | undefined, width: number) => value?.toString(16).padStart(width, '0')

function compareFact(
  result: Comparison,
  address: string,
  key: string,
  value: unknown,
  device: PciDevice,
): void {
  const same = (got: unknown, expected: unknown = value) => result.same(`${address} ${key}`, expected, got)
  const facts = device.facts
  switch (key) {
    case 'vendor':
      return same(device.vendorId)
    case 'device':
      return same(device.deviceId)
    case 'subsystem':
      return same(`${device.subsystemVendorId}:${device.subsystemId}`)
    case 'subsystem_vendor':
      return value === null ? undefined : same(device.subsystemVendorId)
    case 'subsystem_device':
      return value === null ? undefined : same(device.subsystemId)
    case 'class24':
      return same(device.classCode)
    case 'class':
      return same(device.classCode?.slice(0, 4))
    case 'prog_if':
      return same(device.classCode?.slice(4))
    case 'class_name':
      return same(device.className)
    case 'revision':
      // Null is "no such file in sysfs"; configuration space may still state it.
      return value === null && device.config !== undefined ? undefined : same(device.revision ?? null)
    case 'driver':
      // A tree without driver links at all does not say "no driver"; the expected file writes null for both.
      return same(value === null ? (device.driver ?? null) : device.driver)
    case 'modules':
      return same(device.modules)
    case 'iommu_group':
      return value === null ? same(device.iommuGroup ?? null) : same(device.iommuGroup)
    case 'numa_node':
      return typeof value === 'number' && value >= 0 ? same(device.numaNode) : undefined
    case 'header_type':
      return Number.parseInt(String(value), 16) > 2
        ? undefined
        : same(device.headerType, Number.parseInt(String(value), 16))
    case 'parent':
      return typeof value === 'string' && /^[0-9a-f]{4,}:/.test(value) ? same(device.parent) : undefined
    case 'physfn':
      return same(device.physFn)
    case 'boot_vga':
      return same(device.bootVga)
    case 'reset_method':
      return value === null ? undefined : same(device.resetMethods, value)
    case 'pcie_type':
      return same(facts?.portType, portWords[String(value)] ?? value)
    case 'flr':
      return same(facts?.flr)
    case 'af_flr':
      return same(facts?.afFlr)
    case 'no_soft_reset':
      return same(facts?.power?.noSoftReset)
    case 'acs':
      return same(facts?.acs !== undefined && facts.acs !== null)
    case 'acscap':
      return same(flagsOf(facts?.acs?.capability))
    case 'acsctl':
      return same(flagsOf(facts?.acs?.control))
    case 'sriov':
      return compareSriov(result, address, value, device)
    case 'vfs':
      return same(
        [facts?.sriov?.totalVfs, facts?.sriov?.numVfs],
        [(value as { total: number }).total, (value as { enabled: number }).enabled],
      )
    case 'bridge':
      return same({
        primary: hex(facts?.primaryBus, 2),
        secondary: hex(device.secondaryBus, 2),
        subordinate: hex(device.subordinateBus, 2),
      })
    case 'regions':
      return compareRegions(result, address, value as Region[], device)
    case 'capabilities':
      return compareCapabilities(result, address, value as [string, string][], device)
    case 'config':
      return compareConfig(result, address, value as Record<string, unknown>, device)
    case 'resource_lines':
      // How many lines the file has is not a fact about the device.
      return undefined
    default:
      return same('nothing compares this key')
  }
}

function compareSriov(result: Comparison, address: string, value: unknown, device: PciDevice): void {
  if (value === true) return result.same(`${address} sriov`, true, device.facts?.sriov !== null)
  const { total, num } = value as { total: number; num: number }
  result.same(`${address} sriov`, [total, num], [device.sriov?.totalVfs, device.sriov?.numVfs])
}

type Region = {
  bar: number | null
  kind: string
  addr: string | null
  width64: boolean
  prefetchable: boolean
  size: string | null
}

function bytesOf(size: string | null): number | undefined {
  const match = /^(\d+)([KMGT]?)$/.exec(size ?? '')
  return match ? Number(match[1]) * 2 ** (10 * ' KMGT'.indexOf(match[2] || ' ')) : undefined
}

/**
 * The expected file lists a VF's regions (inside the SR-IOV capability) after the function's own; those are
 * not BARs.
 */
function compareRegions(
  result: Comparison,
  address: string,
  regions: readonly Region[],
  device: PciDevice,
): void {
  const seen = new Set<number>()
  let unnumbered = 0
  for (const region of regions) {
    if (region.bar !== null && seen.has(region.bar)) continue
    if (region.bar !== null) seen.add(region.bar)
    const bars = (device.bars ?? []).filter((b) => b.kind !== 'rom')
    const bar = region.bar === null ? bars[unnumbered++] : bars.find((b) => b.index === region.bar)
    const assigned = region.addr !== null && /^[0-9a-f]+$/.test(region.addr)
    result.same(
      `${address} region ${region.bar ?? `#${unnumbered}`}`,
      [
        region.kind,
        assigned ? region.addr : undefined,
        bytesOf(region.size),
        region.kind === 'io' ? undefined : region.width64,
        region.kind === 'io' ? undefined : region.prefetchable,
      ],
      [bar?.kind === 'memory' ? 'mem' : bar?.kind, bar?.base, bar?.size, bar?.is64Bit, bar?.prefetchable],
    )
  }
}

/** Of the capabilities printed, those that decide something are facts; the rest are only words. */
function compareCapabilities(
  result: Comparison,
  address: string,
  list: readonly [string, string][],
  device: PciDevice,
): void {
  const { facts } = device
  for (const [, words] of list) {
    const check = (expected: unknown, got: unknown) =>
      result.same(`${address} capability ${words.slice(0, 40)}`, expected, got)
    const serial = /^Device Serial Number ([0-9a-f-]+)/.exec(words)?.[1]?.replaceAll('-', '')
    if (words.startsWith('Express')) check(true, typeof facts?.portType === 'string')
    else if (words.startsWith('Power Management'))
      check(true, facts?.power !== undefined && facts.power !== null)
    else if (words.startsWith('Access Control')) check(true, facts?.acs !== undefined && facts.acs !== null)
    else if (words.startsWith('MSI-X:')) check(Number(/Count=(\d+)/.exec(words)?.[1]), facts?.msixVectors)
    else if (words.startsWith('MSI:')) check(Number(/Count=\d+\/(\d+)/.exec(words)?.[1]), facts?.msiVectors)
    else if (words.startsWith('Alternative Routing')) check(true, facts?.ari)
    else if (/^(?:Physical )?Resizable BAR/.test(words)) check(true, facts?.resizableBar)
    else if (words.startsWith('Vital Product')) check(true, facts?.vpd)
    else if (serial !== undefined)
      check(/^(?:0+|f+)$/.test(serial) ? undefined : serial, device.deviceSerialNumber)
  }
}

function compareConfig(
  result: Comparison,
  address: string,
  config: Record<string, unknown>,
  device: PciDevice,
): void {
  const space = device.config === undefined ? undefined : decodeConfig(device.config)
  const facts = space?.facts
  for (const [key, value] of Object.entries(config)) {
    const same = (got: unknown, expected: unknown = value) =>
      result.same(`${address} config.${key}`, expected, got)
    switch (key) {
      case 'size':
        same((device.config?.length ?? 0) / 2)
        break
      case 'vendor':
      case 'device':
        same(
          device.config
            ?.slice(key === 'vendor' ? 2 : 6, key === 'vendor' ? 4 : 8)
            .concat(device.config.slice(key === 'vendor' ? 0 : 4, key === 'vendor' ? 2 : 6)),
        )
        break
      case 'all_ones':
        // In the expected files: the id register reads all ones, as a virtual function's does.
        same(device.config?.startsWith('ffffffff'))
        break
      case 'revision':
        same(space?.revision)
        break
      case 'class24':
        same(space?.classCode)
        break
      case 'header_type':
        if (Number(value) < 3) same(facts?.headerType)
        break
      case 'multifunction':
        same(facts?.multifunctionBit)
        break
      case 'bars_raw':
        same(rawBars(device.config ?? '', (value as string[]).length))
        break
      case 'has_cap_list':
        same((Number.parseInt(device.config?.slice(12, 14) ?? '0', 16) & 0x10) !== 0)
        break
      case 'subsystem':
        // 0000:0000 and ffff:… are "not filled in"; the live reader states none.
        if (!/^(?:0000|ffff):/.test(String(value))) same(`${space?.subsystemVendorId}:${space?.subsystemId}`)
        break
      case 'caps':
      case 'ecaps':
        same(
          sorted(
            (key === 'caps' ? space?.capabilities : space?.extendedCapabilities)?.map((c) => [
              hex(c.offset, key === 'caps' ? 2 : 3),
              c.id,
            ]) ?? [],
          ),
          sorted((value as [string, number, string][]).map(([offset, id]) => [offset, id])),
        )
        break
      case 'pm_no_soft_reset':
        same(facts?.power?.noSoftReset)
        break
      case 'pcie_type':
        same(facts?.portType, portWords[String(value)] ?? value)
        break
      case 'flr':
        same(facts?.flr)
        break
      case 'af_flr':
        same(facts?.afFlr)
        break
      case 'bridge':
        same({
          primary: hex(facts?.primaryBus, 2),
          secondary: hex(facts?.secondaryBus, 2),
          subordinate: hex(facts?.subordinateBus, 2),
        })
        break
      case 'msi_vectors_capable':
        same(facts?.msiVectors)
        break
      case 'msix_vectors':
        same(facts?.msixVectors)
        break
      case 'acs_cap':
        same(hex(facts?.acs?.capability, 4))
        break
      case 'acs_ctrl':
        same(hex(facts?.acs?.control, 4))
        break
      case 'sriov_total_vfs':
        same(facts?.sriov?.totalVfs)
        break
      case 'sriov_num_vfs':
        same(facts?.sriov?.numVfs)
        break
      default:
        same('nothing compares this key')
    }
  }
}

function rawBars(config: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (0x10 + 4 * i) * 2
    return (config.slice(at, at + 8).match(/../g) ?? []).toReversed().join('')
  })
}

test.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'every fact of every expected.json is reproduced (needs ../shared/corpus)',
  () => {
    const lines: string[] = []
    const open: Mismatch[] = []
    const unused = new Set(accepted.map(([, reason]) => reason))
    let total = 0
    const started = performance.now()
    for (const item of corpusItems()) {
      const { compared, mismatches } = compare(item)
      total += compared
      const left = mismatches.filter((m) => {
        const reason = accepted.find(([pattern]) => pattern.test(`${m.id} ${m.what}`))?.[1]
        if (reason !== undefined) unused.delete(reason)
        return reason === undefined
      })
      open.push(...left)
      if (left.length > 0) lines.push(`${item.id}: ${left.length} of ${compared} differ`)
    }
    const show = (value: unknown) => (JSON.stringify(value) ?? 'absent').slice(0, 200)
    for (const m of open.slice(0, Number(process.env['HANDOVER_SHOW'] ?? 40)))
      lines.push(`  ${m.id}: ${m.what}: expected ${show(m.expected)}, got ${show(m.got)}`)
    console.log(
      [
        `${corpusItems().length} inputs, ${total} facts compared, ${open.length} mismatches, ${Math.round(performance.now() - started)} ms`,
        ...lines,
      ].join('\n'),
    )
    expect(open).toHaveLength(0)
    expect([...unused]).toEqual([])
    expect(total).toBeGreaterThan(40_000)
  },
)
