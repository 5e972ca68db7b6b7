/**
 * What predicting groups needs to know about the machine besides its functions: vendor of the platform,
 * kernel version, parameters, firmware tables. It owns turning raw options into settings; it predicts
 * nothing.
 */
import { type Judged, no, probablyNo, yes } from './judged.ts'
import type { AcsSettings } from './acs.ts'
import { parseAcsOverride } from './acs-override.ts'
import type { PciDevice } from './device.ts'
import { type Dmar, parseDmar } from './dmar.ts'
import { type Ivrs, parseIvrs } from './ivrs.ts'
import { parseKernel } from './quirks/kernel-release.ts'
import type { Topology, TopologyNode } from './topology-node.ts'

export type PlatformOptions = {
  /** `uname -r`. */
  readonly kernelRelease?: string
  /** /proc/cmdline. */
  readonly cmdline?: string
  /** ACPI tables as hex; the empty string when only their presence is known. */
  readonly dmar?: string
  readonly ivrs?: string
  /** The IOMMU driver in use, where the input names it (`dmar0` or `ivhd0` in /sys/class/iommu). */
  readonly iommuKind?: 'intel' | 'amd' | 'other' | null
  /** `as-read` judges the controls that are on now (see AcsSettings). */
  readonly control?: AcsSettings['control']
}

export type Platform = {
  readonly settings: AcsSettings
  readonly kind: 'intel' | 'amd' | 'other' | 'unknown'
  /** Decoded IVRS; absent when the input has none or only knows of it. */
  readonly ivrs?: Ivrs
  readonly dmar?: Dmar
}

export function findPlatform(topology: Topology, options: PlatformOptions): Platform {
  const parsed = options.ivrs ? parseIvrs(options.ivrs) : undefined
  // A table cut short is as good as none: what is missing may alias or cover anything.
  const ivrs = parsed?.complete && parsed.units.length > 0 ? parsed : undefined
  const dmar = options.dmar ? parseDmar(options.dmar) : undefined
  const kind = findKind(topology, options)
  const extendedDomains = new Set<number>()
  for (const { device, parts } of topology.nodes) {
    if (device.facts?.depth === 'extended') extendedDomains.add(parts.domain)
  }
  return {
    kind,
    ...(ivrs && { ivrs }),
    ...(dmar && { dmar }),
    settings: {
      control: options.control ?? 'kernel',
      kernel: parseKernel(options.kernelRelease),
      hasIvrs: judgeIvrs(options, kind),
      controlsOverridden: overridesControls(options.cmdline),
      extendedDomains,
    },
  }
}

/** Does the command line change what the kernel believes of access controls, or switches on? */
export function changesAcs(cmdline: string | undefined): boolean {
  return parseAcsOverride(cmdline) !== undefined || overridesControls(cmdline)
}

function overridesControls(cmdline: string | undefined): boolean {
  return /(?:^|[\s,=])(?:disable_acs_redir|config_acs)=/.test(cmdline ?? '')
}

/** An IOMMU that is on has its table: on AMD that is IVRS, so a prediction assumes it. */
function judgeIvrs(options: PlatformOptions, kind: Platform['kind']): Judged {
  if (options.ivrs !== undefined || kind === 'amd') return yes
  return kind === 'intel' || options.dmar !== undefined ? no : probablyNo
}

const vendorsOfHostBridges: Readonly<Record<string, Platform['kind']>> = {
  '8086': 'intel',
  '1022': 'amd',
  '1002': 'amd',
  '1d94': 'amd',
  '1d17': 'intel',
  '1106': 'intel',
}

/**
 * By firmware table, else by the maker of the host bridge on the first root bus (Hygon is AMD's, Zhaoxin uses
 * DMAR).
 */
function findKind(topology: Topology, options: PlatformOptions): Platform['kind'] {
  if (options.ivrs !== undefined) return 'amd'
  if (options.dmar !== undefined) return 'intel'
  if (options.iommuKind) return options.iommuKind
  const hostBridges = topology.nodes.filter((n) => !n.parent && isHostBridge(n.device))
  const first = hostBridges.find((n) => n.parts.domain === 0 && n.parts.bus === 0) ?? hostBridges[0]
  if (first?.device.vendorId === undefined) return 'unknown'
  return vendorsOfHostBridges[first.device.vendorId] ?? 'other'
}

export function isHostBridge(device: PciDevice): boolean {
  return device.classCode?.startsWith('0600') === true
}

/** `0000:00:00.2` on AMD: class 0806. It never is in a group itself. */
export function isIommuFunction(device: PciDevice): boolean {
  return device.classCode?.startsWith('0806') === true
}

/** Domains of Volume Management Devices start above the 16 bits of ACPI segments. */
export function isVmdDomain(node: TopologyNode): boolean {
  return node.parts.domain > 0xffff
}

/**
 * Settings under which a patched kernel's `pcie_acs_override=` would be believed; absent when none is given.
 */
export function overriddenSettings(
  settings: AcsSettings,
  cmdline: string | undefined,
): AcsSettings | undefined {
  const override = parseAcsOverride(cmdline)
  return override && { ...settings, override }
}
