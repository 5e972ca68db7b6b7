/**
 * Reads PCI facts from lines of a kernel log with any prefix: `[    0.44]`, journalctl's, a console's, none.
 * The last group of a function counts (a second boot in the log repeats them), and a removed function is
 * dropped. "DMAR: IOMMU enabled" is ignored: the kernel prints it when it reads `intel_iommu=on`, before it
 * touches any hardware (drivers/iommu/intel/iommu.c, intel_iommu_setup). Groups prove that the IOMMU is on.
 */
import { parseAddress } from '../../pci/address.ts'
import type { PortType } from '../../pci/facts.ts'
import type { Bar } from '../../pci/device.ts'
import { readBootLine } from './boot-lines.ts'
import { stateGroup, stateTwoMachines, stateWho } from './contradictions.ts'
import { deviceAt, factsOf, type DeviceDraft, type HostDraft } from './draft.ts'
import { readRefusal } from './refusals.ts'
import { readXenLine } from './xen.ts'

/** `said`: a refusal or boot configuration, which may be beside any listing. */
export type KernelLine = 'group' | 'fact' | 'said' | undefined

export function readKernelLine(draft: HostDraft, line: string): KernelLine {
  if (readBootLine(draft, line) || readRefusal(draft, line)) return 'said'
  if (line.includes('ommu') && readAssignment(draft, line)) return 'group'
  if (readXenLine(draft, line)) return 'fact'
  if (line.includes('vgaarb: setting as boot ')) return readBootDisplay(draft, line) ? 'fact' : undefined
  if (line.includes('fb0: ') && readFramebuffer(draft, line)) return 'fact'
  const pci = /\bpci ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (.*)$/i.exec(line)
  if (pci) return readFunctionLine(draft, pci[1] ?? '', pci[2] ?? '') ? 'fact' : undefined
  return readMachineLine(draft, line) ? 'fact' : undefined
}

/**
 *   pci 0000:00:1f.0: Adding to iommu group 14      platform MSFT0201:00: Adding to iommu group 0
 *   iommu: Adding device 0000:00:1f.0 to group 14   (before Linux 5.4; "Removing … from group")
 */
function readAssignment(draft: HostDraft, line: string): boolean {
  const now = /: (Adding to|Removing from) iommu group (\d{1,6})\b/.exec(line)
  if (now) {
    const head = line.slice(0, now.index)
    const name = head.slice(Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t')) + 1)
    assign(draft, name, now[1] === 'Adding to' ? Number(now[2]) : undefined)
    return name !== ''
  }
  const before = /\b(Adding|Removing) device (\S{1,200}) (?:to|from) group (\d{1,6})\b/.exec(line)
  if (!before) return false
  assign(draft, before[2] ?? '', before[1] === 'Adding' ? Number(before[3]) : undefined)
  return true
}

/** A function or platform device joins a group or is removed. */
export function assign(draft: HostDraft, name: string, group: number | undefined): void {
  const address = parseAddress(name)
  if (address === undefined) {
    if (!/^[\w.:@,+-]{1,200}$/.test(name)) return
    if (group === undefined) draft.otherMembers.delete(name)
    else if (draft.otherMembers.size < 65_536) draft.otherMembers.set(name, group)
  } else if (group === undefined) draft.devices.delete(address)
  else stateGroup(draft, deviceAt(draft, address), group)
}

/** The kernel's words for Device/Port type, printed since 6.10 (drivers/pci/probe.c, pci_type_str). */
const typeWords: Readonly<Record<string, PortType | null>> = {
  'PCIe Endpoint': 'endpoint',
  'PCIe Legacy Endpoint': 'legacyEndpoint',
  'PCIe Root Port': 'rootPort',
  'PCIe Switch Upstream Port': 'upstreamPort',
  'PCIe Switch Downstream Port': 'downstreamPort',
  'PCIe to PCI/PCI-X bridge': 'pcieToPciBridge',
  'PCI/PCI-X to PCIe bridge': 'pciToPcieBridge',
  'PCIe Root Complex Integrated Endpoint': 'rootComplexEndpoint',
  'PCIe Root Complex Event Collector': 'rootComplexEventCollector',
  'conventional PCI endpoint': null,
  'conventional PCI bridge': null,
  'conventional PCI': null,
  'CardBus bridge': null,
}

function readFunctionLine(draft: HostDraft, where: string, text: string): boolean {
  const address = parseAddress(where)
  if (address === undefined) return false
  const found =
    /^\[([0-9a-f]{4}):([0-9a-f]{4})\] type ([0-9a-f]{2}) class (?:0x)?([0-9a-f]{6})(?: (.{1,60}))?$/i.exec(
      text.trimEnd(),
    ) ?? /^found \[([0-9a-f]{4}):([0-9a-f]{4})\] class ()(?:0x)?([0-9a-f]{6})/i.exec(text)
  if (found) {
    const [, vendor = '', id = '', header = '', code = '', words = ''] = found
    const who = { vendorId: vendor.toLowerCase(), deviceId: id.toLowerCase(), classCode: code.toLowerCase() }
    const device = Object.assign(stateWho(draft, address, who), who)
    if (/^0[0-2]$/.test(header)) factsOf(device).headerType = device.headerType = Number(header) as 0 | 1 | 2
    const type = Object.hasOwn(typeWords, words) ? typeWords[words] : undefined
    if (type !== undefined) factsOf(device).portType = type
    if (type !== undefined && type !== null) device.portType = type
    return true
  }
  const known = draft.devices.get(address)
  return known !== undefined && readLaterLine(known, text)
}

/**
 * Only one card is the boot display. The last one named replaces the one before (drivers/pci/vgaarb.c,
 * vga_set_default_device), with or without the words `(overriding previous)`. Before Linux 4.20 the address
 * was at the end.
 */
function readBootDisplay(draft: HostDraft, line: string): boolean {
  const text =
    /([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): vgaarb: setting as boot (?:VGA )?device/i.exec(
      line,
    )?.[1] ??
    /vgaarb: setting as boot device: PCI:([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/i.exec(line)?.[1]
  const address = text === undefined ? undefined : parseAddress(text)
  if (address === undefined) return false
  for (const device of draft.devices.values()) if (device.bootVga === true) device.bootVga = false
  deviceAt(draft, address).bootVga = true
  return true
}

/**
 * `i915 0000:00:02.0: [drm] fb0: i915drmfb frame buffer device` (drivers/gpu/drm/drm_fb_helper.c): fbcon
 * draws on the first.
 */
function readFramebuffer(draft: HostDraft, line: string): boolean {
  const text =
    /([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:\[drm\] )?fb0: \S{1,40} frame ?buffer device/i.exec(
      line,
    )?.[1]
  const address = text === undefined ? undefined : parseAddress(text)
  if (address === undefined) return false
  deviceAt(draft, address)
  draft.framebuffer = address
  return true
}

/** Further lines about a known function. */
function readLaterLine(device: DeviceDraft, text: string): boolean {
  const bridge = /^PCI bridge to \[bus ([0-9a-f]{2})(?:-([0-9a-f]{2}))?\]/i.exec(text)
  if (bridge) {
    const facts = factsOf(device)
    device.secondaryBus = facts.secondaryBus = Number.parseInt(bridge[1] ?? '', 16)
    device.subordinateBus = facts.subordinateBus = Number.parseInt(bridge[2] ?? bridge[1] ?? '', 16)
    return true
  }
  const bar = parseBar(text)
  if (!bar) return false
  const others = (device.bars ?? []).filter((b) => b.index !== bar.index)
  device.bars = [...others, bar].sort((a, b) => (a.index ?? 0) - (b.index ?? 0))
  return true
}

/** `reg 0x10: [mem 0xf7d00000-0xf7d1ffff 64bit pref]`; since 6.9 `BAR 0 [mem …]` and `ROM [mem …]`. */
function parseBar(text: string): Bar | undefined {
  const match =
    /^(?:reg 0x([0-9a-f]{2}):|BAR ([0-5])|ROM) \[(mem|io) {1,4}0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})( 64bit)?( pref)?\]$/i.exec(
      text,
    )
  if (!match) return undefined
  const [, register, number, space, from = '', to = '', wide, prefetchable] = match
  const offset = register === undefined ? undefined : Number.parseInt(register, 16)
  const index =
    offset === undefined ? Number(number ?? 6) : offset === 0x30 || offset === 0x38 ? 6 : (offset - 0x10) / 4
  if (!Number.isInteger(index) || index < 0 || index > 6) return undefined
  const size = BigInt(`0x${to}`) - BigInt(`0x${from}`) + 1n
  const base = from.toLowerCase().replace(/^0+(?=.)/, '')
  return {
    index,
    kind: index === 6 ? 'rom' : space === 'io' ? 'io' : 'memory',
    ...(base === '0' ? {} : { base }),
    ...(size > 0n && size <= BigInt(Number.MAX_SAFE_INTEGER) ? { size: Number(size) } : {}),
    ...(space === 'mem' && index !== 6
      ? { is64Bit: wide !== undefined, prefetchable: prefetchable !== undefined }
      : {}),
  }
}

/** Facts about the whole machine. A fast test for a mark comes before each pattern. */
function readMachineLine(draft: HostDraft, line: string): boolean {
  if (line.includes('bus')) readRootBus(draft, line)
  if (line.includes('ommand line: ')) return readCommandLine(draft, line)
  if (line.includes('BOOT_IMAGE=') || line.includes('root=')) return readPrintedCommandLine(draft, line)
  if (line.includes('Linux version ')) {
    const release = /Linux version (\d[\w.+~-]{1,80})/.exec(line)?.[1]
    if (release !== undefined) draft.kernel.release = release
    return release !== undefined
  }
  if (line.includes('DMI: ')) return readBoard(draft, line)
  if (line.includes('Default domain type: ')) {
    const type = /Default domain type: (\w{1,20})/.exec(line)?.[1]
    if (type !== undefined) draft.iommu.defaultDomain = type
    return type !== undefined
  }
  if (line.includes('Hypervisor detected: ')) {
    draft.cpu.isGuest = true
    return true
  }
  return /DMAR|AMD-Vi|IVRS|arm-smmu|iommu/.test(line) && readIommuLine(draft, line)
}

/**
 * `PCI host bridge to bus 0000:80`, `pci_bus 0000:80: root bus resource …` (drivers/pci/probe.c,
 * pci_register_host_bridge).
 */
function readRootBus(draft: HostDraft, line: string): void {
  const bus =
    /\bPCI host bridge to bus ([0-9a-f]{4}:[0-9a-f]{2})\b/i.exec(line)?.[1] ??
    /\bpci_bus ([0-9a-f]{4}:[0-9a-f]{2}): root bus resource\b/i.exec(line)?.[1]
  if (bus !== undefined && draft.rootBuses.size < 4096) draft.rootBuses.add(bus.toLowerCase())
}

function readCommandLine(draft: HostDraft, line: string): boolean {
  const text = /\b(?:Kernel c|C)ommand line: (\S.*)$/.exec(line)?.[1]
  if (text === undefined) return false
  draft.kernel.cmdline = text.trim().slice(0, 4096)
  return true
}

/** The output of `cat /proc/cmdline`, recognised by its usual first words; the line holds nothing else. */
function readPrintedCommandLine(draft: HostDraft, line: string): boolean {
  const text = /^[\s>|]{0,20}((?:BOOT_IMAGE=|initrd=|root=)\S.*)$/.exec(line)?.[1]
  if (text === undefined || !/(?:^| )(?:root|ro|rw|quiet)\b/.test(text)) return false
  draft.kernel.cmdline ??= text.trim().slice(0, 4096)
  return true
}

function readBoard(draft: HostDraft, line: string): boolean {
  const text = /(?:^|\s)DMI: (\S.{1,200})$/.exec(line)?.[1]
  if (text === undefined || text.startsWith('Memory slots')) return false
  const board = (words: string) => words.split(/, BIOS /)[0]?.trim()
  if (draft.machine !== undefined && board(draft.machine) !== board(text))
    stateTwoMachines(
      draft,
      `its logs are of ${draft.machine.slice(0, 60)} and of ${text.trim().slice(0, 60)}`,
    )
  draft.machine ??= text.trim()
  return true
}

function readIommuLine(draft: HostDraft, line: string): boolean {
  const { iommu } = draft
  const region = /\bRMRR base: (?:0x)?([0-9a-f]{1,16}) end: (?:0x)?([0-9a-f]{1,16})/i.exec(line)
  if (region) addRegion(draft, region[1] ?? '', region[2] ?? '')
  if (line.includes('assuming all RMRRs are relaxable')) iommu.relaxesRegions = true
  if (/ACPI: DMAR (?:0x)?[0-9a-f]{8}/i.test(line)) iommu.dmar ??= ''
  if (/ACPI: IVRS (?:0x)?[0-9a-f]{8}/i.test(line)) iommu.ivrs ??= ''
  if (/DMAR-IR: Enabled IRQ remapping|AMD-Vi: Interrupt remapping enabled/.test(line))
    iommu.interruptRemapping = true
  // drivers/iommu/intel/irq_remapping.c, drivers/iommu/amd/init.c
  if (
    /DMAR-IR: .*(?:interrupt remapping will be disabled|Not enabling interrupt remapping)|AMD-Vi: (?:Disabling interrupt remapping|Interrupt remapping disabled)/i.test(
      line,
    )
  )
    iommu.interruptRemapping = false
  // Kernels up to 6.6 print "AMD-Vi: AMD IOMMUv2 functionality not available" on Intel machines too. "DMAR:
  // IOMMU enabled" only repeats intel_iommu=on from the command line, on AMD machines as well.
  const kind = /\bDMAR(?:-IR)?: (?!IOMMU enabled)/.test(line)
    ? 'intel'
    : /\bAMD-Vi: /.test(line) && !line.includes('IOMMUv2')
      ? 'amd'
      : /\b(?:arm-smmu|riscv-iommu|virtio_iommu)/.test(line)
        ? 'other'
        : undefined
  if (kind !== undefined && (iommu.kind === null || iommu.kind === 'other')) iommu.kind = kind
  return region !== null || kind !== undefined
}

function addRegion(draft: HostDraft, start: string, end: string): void {
  const bare = (hex: string) => hex.toLowerCase().replace(/^0+(?=.)/, '')
  const region = { start: bare(start), end: bare(end) }
  const known = draft.iommu.firmwareRegions ?? []
  if (known.length < 64 && !known.some((r) => r.start === region.start && r.end === region.end))
    draft.iommu.firmwareRegions = [...known, region]
}
