/**
 * Finds memory of CXL cards that the running kernel uses. /proc/iomem shows it inside a window of the host
 * bridges (`CXL Window N`, drivers/cxl/acpi.c), also to users who see every address as zero.
 */
import type { PciAddress } from '../../../pci/address.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { needsOf, type End, type NeedsRead } from '../ends.ts'

export function readCxlMemory(reading: Reading): NeedsRead {
  const cards = memoryCards(reading)
  if (cards.length === 0) return { needs: [], lost: [] }
  const windows = onlineWindows(textOf(reading, '/proc/iomem', 4 << 20) ?? '')
  if (windows.length === 0) return { needs: [], lost: [] }
  const ends = windows.flatMap((window) => endsOf(window, cards))
  const start = { kind: 'use', what: 'system memory of the running kernel', weight: 'vital' } as const
  return needsOf(start, ends, () => cards.map(({ device }) => device))
}

type MemoryDevice = { readonly name: string; readonly device: PciAddress }

function memoryCards(reading: Reading): MemoryDevice[] {
  const folder = '/sys/bus/cxl/devices'
  return namesIn(reading, folder).flatMap((name) => {
    const device = /^mem\d+$/.test(name) ? ownerOf(linkOf(reading, `${folder}/${name}`)) : undefined
    return device === undefined ? [] : [{ name, device }]
  })
}

/** With several cards a window may be interleaved over any of them, so any may carry it. */
function endsOf(window: string, cards: readonly MemoryDevice[]): End[] {
  const [only] = cards
  if (cards.length === 1 && only !== undefined)
    return [{ to: 'function', chain: [window, only.name], device: only.device }]
  return [{ to: 'lost', chain: [], lost: window, why: 'nothing says on which cards it lies' }]
}

/** Windows that hold a range of `System RAM`, at whatever depth. */
export function onlineWindows(text: string): string[] {
  const found = new Set<string>()
  const above: { readonly depth: number; readonly window: string | undefined }[] = []
  for (const line of text.split('\n')) {
    const [, indent, name] = /^( *)[0-9a-f]+-[0-9a-f]+ : (.*)$/.exec(line) ?? []
    if (indent === undefined || name === undefined) continue
    while (above.length > 0 && (above.at(-1)?.depth ?? 0) >= indent.length) above.pop()
    const inside = above.at(-1)?.window
    if (inside !== undefined && name.startsWith('System RAM')) found.add(inside)
    above.push({ depth: indent.length, window: inside ?? (/^CXL Window \d+$/.test(name) ? name : undefined) })
  }
  return [...found]
}
