/**
 * Reads the indented lines of a function in `lspci -k`, `-v`, `-vv` and `-vvv`, outside its capabilities;
 * lspci-capability.ts reads those. The indentation is ignored, because pages and mails change it.
 */
import { defined } from '../../base/defined.ts'
import type { Bar } from '../../pci/device.ts'
import { factsOf, type DeviceDraft } from './draft.ts'
import { readCapabilityLine, startCapability, type Capability } from './lspci-capability.ts'

/** The current function of the listing. */
export type Entry = {
  readonly device: DeviceDraft
  /** The number of the lspci run that printed the function. */
  readonly run: number
  /** A `Flags:` or `Control:` line was seen, so all facts of the header are printed. */
  verbose: boolean
  /** The highest offset of a `Capabilities:` line. It shows how much configuration space lspci could read. */
  highestCapability: number
  accessDenied: boolean
  /** `(rev ff)`: the function did not answer when lspci read it. */
  revisionFf: boolean
  /** The SR-IOV capability is there, but `-v` prints no counts. */
  sriovSeen: boolean
  /** The Advanced Features capability, which may have an FLR, is there without its content. */
  featuresSeen: boolean
  /** The entry was opened by `Slot:`, so `Driver:` and similar words are tags of this function. */
  tagged: boolean
  driverStated: boolean
  /** The first line names the driver, as scripts print it. */
  driverInHeader: boolean
  /** The driver according to an earlier listing. */
  readonly driverBefore: string | null | undefined
  groupStated: boolean
  barsStated: boolean
  /** The next function or an empty line followed, so the entry was not cut off. */
  complete: boolean
  capability: Capability | undefined
}

export function newEntry(device: DeviceDraft, run: number): Entry {
  return {
    device,
    run,
    verbose: false,
    highestCapability: -1,
    accessDenied: false,
    revisionFf: false,
    sriovSeen: false,
    featuresSeen: false,
    tagged: false,
    driverStated: false,
    driverInHeader: false,
    driverBefore: device.driver,
    groupStated: false,
    barsStated: false,
    complete: false,
    capability: undefined,
  }
}

type LineReader = (entry: Entry, rest: string) => void

const readers: Readonly<Record<string, LineReader>> = {
  Subsystem: (entry, rest) => readSubsystem(entry.device, rest),
  'Physical Slot': (entry, rest) => {
    entry.device.physicalSlot = rest.slice(0, 64)
  },
  Flags: readFlags,
  Control: (entry, rest) => {
    if (/^I\/O[+-]/.test(rest)) entry.verbose = true
  },
  'NUMA node': (entry, rest) => readNuma(entry.device, rest),
  'IOMMU group': (entry, rest) => readGroup(entry, rest),
  Bus: (entry, rest) => readBus(entry.device, rest),
  Capabilities: readCapabilities,
  'Kernel driver in use': (entry, rest) => readDriver(entry, rest),
  'Kernel modules': (entry, rest) => {
    entry.device.modules = names(rest)
    entry.complete = true
  },
}

/** True if the line is a known part of this function's entry. */
export function readDetail(entry: Entry, line: string): boolean {
  const text = line.replace(/^[\s>#*|;]+/, '')
  if (text.startsWith('!!! Unknown header type 7f')) {
    // Such an entry has no Control line. It still has group and driver, which sysfs also shows for a sleeping
    // function.
    entry.verbose = true
    factsOf(entry.device).notAnswering = true
    return true
  }
  const plain = /^(?:\[virtual\] ?|\[disabled\] ?)?(Memory at|I\/O ports at|Expansion ROM at) /.exec(text)
  if (plain) {
    addBar(entry, undefined, text)
    return true
  }
  const region = /^Region (\d): (.*)$/.exec(text)
  if (region) {
    addBar(entry, Number(region[1]), region[2] ?? '')
    return true
  }
  const key = /^([A-Z][A-Za-z /]{1,22}):\s*(.*)$/.exec(text)
  const reader = key ? readers[key[1] ?? ''] : undefined
  if (reader && key && !isInsideCapability(entry, key[1] ?? '')) {
    reader(entry, (key[2] ?? '').trim())
    return true
  }
  return entry.capability !== undefined && readCapabilityLine(entry.device, entry.capability, text)
}

/**
 * Capabilities have their own `Control:`, `Flags:` and `Bus:` lines; those of the function come before its
 * first capability.
 */
function isInsideCapability(entry: Entry, key: string): boolean {
  return entry.capability !== undefined && (key === 'Control' || key === 'Flags' || key === 'Bus')
}

function readSubsystem(device: DeviceDraft, rest: string): void {
  const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]\W*$/i.exec(rest) ?? /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(rest)
  if (!ids) return
  device.subsystemVendorId = (ids[1] ?? '').toLowerCase()
  device.subsystemId = (ids[2] ?? '').toLowerCase()
}

/**
 * `Flags: bus master, fast devsel, latency 0, IRQ 16, NUMA node 0, IOMMU group 2` (-v; -vv prints lines of
 * their own).
 */
function readFlags(entry: Entry, rest: string): void {
  entry.verbose = true
  const node = /\bNUMA node (\d{1,5})\b/.exec(rest)
  if (node) readNuma(entry.device, node[1] ?? '')
  const group = /\bIOMMU group (\d{1,6})\b/.exec(rest)
  if (group) readGroup(entry, group[1] ?? '')
}

function readNuma(device: DeviceDraft, rest: string): void {
  if (/^\d{1,5}$/.test(rest)) device.numaNode = Number(rest)
}

function readGroup(entry: Entry, rest: string): void {
  const id = /^(\d{1,6})\b/.exec(rest)?.[1]
  if (id === undefined) return
  entry.device.iommuGroup = Number(id)
  entry.groupStated = true
}

function readBus(device: DeviceDraft, rest: string): void {
  const number = (name: string) => {
    const hex = new RegExp(`\\b${name}=([0-9a-f]{2})\\b`, 'i').exec(rest)?.[1]
    return hex === undefined ? undefined : Number.parseInt(hex, 16)
  }
  const primary = number('primary')
  const secondary = number('secondary')
  const subordinate = number('subordinate')
  const facts = factsOf(device)
  device.headerType = facts.headerType = secondary === undefined ? 2 : 1
  if (primary !== undefined) facts.primaryBus = primary
  if (secondary !== undefined) device.secondaryBus = facts.secondaryBus = secondary
  if (subordinate !== undefined) device.subordinateBus = facts.subordinateBus = subordinate
}

function readDriver(entry: Entry, rest: string): void {
  const driver = /^[\w.:-]{1,64}/.exec(rest)?.[0]
  if (driver === undefined) return
  entry.device.driver = driver
  entry.driverStated = true
  entry.complete = true
}

function names(rest: string): string[] {
  return rest
    .slice(0, 1000)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[\w.-]{1,64}$/.test(name))
}

function readCapabilities(entry: Entry, rest: string): void {
  if (rest.startsWith('<access denied>') || rest.startsWith('[access denied]')) {
    entry.accessDenied = true
    return
  }
  const parts = /^\[([0-9a-f]{2,3})(?: v\d{1,2})?\] ?(.*)$/i.exec(rest)
  if (!parts) return
  const offset = Number.parseInt(parts[1] ?? '0', 16)
  const words = parts[2] ?? ''
  entry.highestCapability = Math.max(entry.highestCapability, offset)
  entry.capability = startCapability(entry.device, offset, words)
  if (entry.capability.name === 'sriov') entry.sriovSeen = true
  if (entry.capability.name === 'af') entry.featuresSeen = true
  if (words.startsWith('Subsystem: ')) readSubsystem(entry.device, words.slice(11))
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/**
 * `Memory at 6002000000 (64-bit, prefetchable) [size=16M]`, `I/O ports at 4000 [size=64]`, `Expansion ROM at
 * 000c0000 [disabled] [size=128K]`.
 */
function addBar(entry: Entry, index: number | undefined, text: string): void {
  // Regions inside the SR-IOV capability belong to the virtual functions.
  if (entry.capability?.name === 'sriov') return
  const kind = text.includes('I/O ports at') ? 'io' : text.includes('Expansion ROM at') ? 'rom' : 'memory'
  if (!/(?:Memory|I\/O ports|Expansion ROM) at /.test(text)) return
  const base = / at ([0-9a-f]{1,16})(?![\w>])/i.exec(text)?.[1]
  const size = /\[size=(\d{1,6})([KMGT]?)\]/.exec(text)
  const number = kind === 'rom' ? 6 : index
  const bar: Bar = {
    ...defined({ index: number }),
    kind,
    ...defined({ base: base?.toLowerCase() }),
    ...(size ? { size: Number(size[1]) * (units[size[2] ?? ''] ?? 1) } : {}),
    ...(kind === 'memory'
      ? { is64Bit: text.includes('64-bit'), prefetchable: /[( ]prefetchable/.test(text) }
      : {}),
  }
  // Another run of lspci lists the same BARs again; without numbers they cannot be distinguished.
  if (!entry.barsStated && entry.device.bars?.some((one) => one.index === undefined)) entry.device.bars = []
  entry.barsStated = true
  entry.device.bars ??= []
  if (
    entry.device.bars.length < 16 &&
    !entry.device.bars.some((b) => number !== undefined && b.index === number)
  )
    entry.device.bars.push(bar)
}
