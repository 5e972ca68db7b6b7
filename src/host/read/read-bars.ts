/** The places and sizes of BARs, from the file `resource` in sysfs. Configuration space has no sizes. */
import type { Bar, PciDevice } from '../../pci/device.ts'

const resourceIo = 0x100
const resourcePrefetch = 0x2000
const resource64Bit = 0x100000

/**
 * Each line has start, end and flags. Lines 0–5 are the BARs, 6 is the expansion ROM, the rest are windows of
 * bridges and BARs of VFs.
 */
export function barsOf(text: string | undefined): Partial<PciDevice> {
  if (text === undefined) return {}
  const bars: Bar[] = []
  for (const [index, line] of text.split('\n', 7).entries()) {
    // Without flags the line is unused, as most lines are.
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
