/**
 * The ports of a card and the virtual functions of a port seldom differ in more than their BARs, on which nothing rests that is
 * decoded here: what the last image said then stands for the next. It owns knowing which bytes may differ.
 */
import { type ConfigSpace, decodeConfig } from './config-space.ts'

export type Decode = typeof decodeConfig

const longest = 4096

/** As `decodeConfig`, with the last image kept; for one host, whose functions come in the order of their addresses. */
export function decodeAlike(): Decode {
  let last = new Uint8Array(longest)
  let next = new Uint8Array(longest)
  let length = -1
  let ofSize: number | undefined
  let space: ConfigSpace | undefined
  return (source, wanted, size) => {
    const isPlain = typeof source !== 'string' && source.length <= longest && ((source[0x0e] ?? 0xff) & 0x7f) === 0
    if (!isPlain || wanted !== 'facts of known') return decodeConfig(source, wanted, size)
    next.set(source)
    next.fill(0, source.length)
    clearWhatMayDiffer(next)
    if (source.length === length && size === ofSize && Buffer.compare(next, last) === 0) return space
    const before = last
    last = next
    next = before
    length = source.length
    ofSize = size
    space = decodeConfig(source, wanted, size)
    return space
  }
}

/** Registers of a function with header type 0 that no fact of a known function rests on (PCI 6.1 and 6.2). */
function clearWhatMayDiffer(image: Uint8Array): void {
  image.fill(0, 0x04, 0x06) // command
  image.fill(0, 0x10, 0x34) // BARs, subsystem, expansion ROM
  image.fill(0, 0x3c, 0x40) // interrupt line and pin
}
