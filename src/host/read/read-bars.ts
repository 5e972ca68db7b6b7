/**
 * `resource` of a function in sysfs: where its BARs are and how large. Configuration space alone does not
 * tell sizes.
 */
import type { Bar, PciDevice } from '../../pci/device.ts'

const resourceIo = 0x100
const resourcePrefetch = 0x2000
const resource64Bit = 0x100000

/**
 * `resource`: lines of start, end, flags; lines 0–5 are the BARs, 6 the expansion ROM, the rest windows of
 * bridges and VFs.
 */
export function barsOf(text: string | undefined): Partial<PciDevice> {
  if (text === undefined) return {}
  const bars: Bar[] = []
  for (const [index, line] of text.split('\n', 7).entries()) {
    // No flags: nothing is there, and most lines are like that.
    if (line.endsWith(' 0x0000000000000000')) continue
    const match = /^0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x([0-9a-f]{16})$/.exec(line.trim())
    if (!match) continue
    const [start, end, flags] = [match[1], match[2], match[3]].map((part) => BigInt(`0x${part}`))
    if (start === undefined || end === undefined || !flags) continue
    const kind = index === 6 ? 'rom' : flags & BigInt(resourceIo) ? 'io' : 'memory'
    bars.push({
      index,
      kind,
      ...(start === 0n ? {} : { base: start.toString(16) }),
      ...(end > start ? { size: Number(end - start + 1n) } : {}),
      ...(flags & BigInt(resource64Bit) ? { is64Bit: true } : {}),
      ...(flags & BigInt(resourcePrefetch) ? { prefetchable: true } : {}),
    })
  }
  return bars.length > 0 ? { bars } : {}
}
