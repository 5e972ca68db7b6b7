/**
 * The two capability chains of configuration space: standard (0x40–0xff, PCI 6.7) and extended (0x100–0xfff,
 * PCIe 7.9.1). It owns walking them safely: rings, pointers into nowhere and images cut short. It reads no
 * capability's content.
 */
import { type ConfigBytes } from './config-bytes.ts'

export type Capability = { readonly id: number; readonly offset: number }

export type CapabilityChain = {
  readonly found: readonly Capability[]
  /** False when the image ends before the chain does: what was not found may still exist. */
  readonly complete: boolean
}

export const capabilityId = {
  power: 0x01,
  vpd: 0x03,
  msi: 0x05,
  pciX: 0x07,
  bridgeSubsystem: 0x0d,
  express: 0x10,
  msix: 0x11,
  advancedFeatures: 0x13,
} as const

export const extendedCapabilityId = {
  deviceSerialNumber: 0x0003,
  acs: 0x000d,
  ari: 0x000e,
  sriov: 0x0010,
  resizableBar: 0x0015,
} as const

/**
 * CardBus bridges keep the pointer at 0x14; all others at 0x34. Status bit 4 says whether there is a chain at
 * all.
 */
export function findCapabilities(bytes: ConfigBytes, headerType: number | undefined): CapabilityChain {
  const status = bytes.word(0x06)
  if (status === undefined || headerType === undefined) return { found: [], complete: false }
  if ((status & 0x10) === 0) return { found: [], complete: true }
  const found: Capability[] = []
  let offset = bytes.byte(headerType === 2 ? 0x14 : 0x34)
  while (offset !== undefined) {
    offset &= 0xfc
    if (offset < 0x40 || isAt(offset, found)) return { found, complete: true }
    const id = bytes.byte(offset)
    if (id === undefined) break
    // The kernel ends here too: ff is what an absent register reads.
    if (id === 0xff) return { found, complete: true }
    found.push({ id, offset })
    offset = bytes.byte(offset + 1)
  }
  return { found, complete: false }
}

/**
 * The extended chain. An image of 256 bytes holds none of it (`complete: false`), and ff in its first dword
 * while the header answers means the extended part could not be read.
 */
export function findExtendedCapabilities(bytes: ConfigBytes): CapabilityChain {
  const found: Capability[] = []
  let offset = 0x100
  for (let left = extendedPlaces; left > 0; left -= 1) {
    const header = bytes.dword(offset)
    if (header === undefined || (header === 0xffffffff && offset === 0x100)) return { found, complete: false }
    if (header === 0 || header === 0xffffffff) return { found, complete: true }
    // Id 0 is a capability hidden by firmware: passed over, and the chain goes on.
    if ((header & 0xffff) !== 0) found.push({ id: header & 0xffff, offset })
    offset = (header >>> 20) & 0xffc
    if (offset < 0x100 || isAt(offset, found)) break
  }
  return { found, complete: true }
}

/**
 * Dwords at which an extended capability can begin: a longer chain is a ring (of hidden ones, or it would
 * have shown).
 */
const extendedPlaces = (0x1000 - 0x100) / 4

/** Looked for among the few that were found: a set for every chain is garbage to collect. */
function isAt(offset: number, found: readonly Capability[]): boolean {
  for (let i = 0; i < found.length; i += 1) if (found[i]?.offset === offset) return true
  return false
}

/** The longest of those that are decoded: SR-IOV (PCIe 9.3.3). */
const longestDecoded = 0x40

/**
 * Does the beginning of an image hold the whole extended chain, and all that is decoded of it? Asked of every
 * function, so without a list.
 */
export function holdsExtendedChain(beginning: ConfigBytes): boolean {
  let offset = 0x100
  for (let left = extendedPlaces; left > 0 && offset >= 0x100; left -= 1) {
    const header = beginning.dword(offset)
    if (header === undefined || (header === 0xffffffff && offset === 0x100)) return false
    if (header === 0 || header === 0xffffffff) return true
    if ((header & 0xffff) !== 0 && offset + longestDecoded > beginning.size) return false
    offset = (header >>> 20) & 0xffc
  }
  return true
}

/** Offset of the first capability with this id. */
export function capabilityOffset(chain: CapabilityChain, id: number): number | undefined {
  // By index: asked ten times for every function, and an iterator's results are garbage to collect.
  for (let i = 0; i < chain.found.length; i += 1) if (chain.found[i]?.id === id) return chain.found[i]?.offset
  return undefined
}
