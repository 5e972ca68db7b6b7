/**
 * Base address registers of configuration space (PCI 6.2.5): kind, base, width. Sizes only where a Resizable
 * BAR states one.
 */
import { type CapabilityChain, capabilityOffset, extendedCapabilityId } from './capabilities.ts'
import { type ConfigBytes } from './config-bytes.ts'
import type { Bar } from './device.ts'

/** BARs that hold anything; an all-zero register is no BAR, or one without an address yet. */
export function decodeBars(
  bytes: ConfigBytes,
  headerType: number,
  extended: CapabilityChain,
): readonly Bar[] {
  const count = [6, 2, 1][headerType] ?? 0
  const bars: Bar[] = []
  for (let index = 0; index < count; index += 1) {
    const low = bytes.dword(0x10 + index * 4)
    if (low === undefined) break
    const is64Bit = (low & 0b111) === 0b100
    const high = is64Bit ? (bytes.dword(0x14 + index * 4) ?? 0) : 0
    if (low !== 0 && low !== 0xffffffff) bars.push(decodeBar(index, low, high))
    if (is64Bit) index += 1
  }
  const rom = headerType === 0 ? bytes.dword(0x30) : headerType === 1 ? bytes.dword(0x38) : undefined
  // Bit 0 is the enable bit; the address is 2 KiB aligned.
  if (rom && rom !== 0xffffffff && rom >>> 11 !== 0) {
    bars.push({ index: 6, kind: 'rom', base: ((rom & 0xfffff800) >>> 0).toString(16) })
  }
  return withResizableSizes(bars, bytes, extended)
}

/**
 * The one place where configuration space holds a size: Resizable BAR control, `2^n` MiB at present (PCIe
 * 7.8.6).
 */
function withResizableSizes(
  bars: readonly Bar[],
  bytes: ConfigBytes,
  chain: CapabilityChain,
): readonly Bar[] {
  const offset = capabilityOffset(chain, extendedCapabilityId.resizableBar)
  const first = offset === undefined ? undefined : bytes.dword(offset + 8)
  if (offset === undefined || first === undefined) return bars
  const sizes = new Map<number, number>()
  for (let n = 0; n < Math.min((first >>> 5) & 7, 6); n += 1) {
    const control = bytes.dword(offset + 8 + n * 8)
    if (control !== undefined) sizes.set(control & 7, 2 ** (20 + ((control >>> 8) & 0x3f)))
  }
  return bars.map((bar) => {
    const size = bar.index === undefined ? undefined : sizes.get(bar.index)
    return size === undefined || bar.kind !== 'memory' ? bar : { ...bar, size }
  })
}

function decodeBar(index: number, low: number, high: number): Bar {
  if (low & 1) {
    const port = (low & 0xfffffffc) >>> 0
    return { index, kind: 'io', ...(port !== 0 && { base: port.toString(16) }) }
  }
  const base = (BigInt(high) << 32n) | BigInt((low & 0xfffffff0) >>> 0)
  return {
    index,
    kind: 'memory',
    ...(base !== 0n && { base: base.toString(16) }),
    is64Bit: (low & 0b110) === 0b100,
    prefetchable: (low & 0b1000) !== 0,
  }
}
