/**
 * Reads the records of block devices in the udev database. /run/udev/data/b8:2 has lines such as
 * `S:disk/by-id/…` (links that udev made) and `E:ID_FS_TYPE=ext4`. udev examined every device with a record;
 * a device without one may be anything.
 */
import { hex } from '../../../pci/hex.ts'
import { textOf, type Reading } from '../../read/reading.ts'
import type { Block, Blocks } from './blocks.ts'

export type UdevRecord = {
  /** Below /dev: `disk/by-uuid/1234-ABCD`, `vg0/root`. */
  readonly links: readonly string[]
  readonly properties: ReadonlyMap<string, string>
}

export type Udev = ReadonlyMap<string, UdevRecord>

/** By kernel name. */
export function readUdev(reading: Reading, blocks: Blocks): Udev {
  const records = new Map<string, UdevRecord>()
  if (!reading.system.stat('/run/udev/data').ok) return records
  for (const block of blocks.byName.values()) {
    const record = readRecord(reading, block)
    if (record) records.set(block.name, record)
  }
  return records
}

function readRecord(reading: Reading, { number }: Block): UdevRecord | undefined {
  const text = number === undefined ? undefined : textOf(reading, `/run/udev/data/b${number}`)
  if (text === undefined || text === '') return undefined
  const links: string[] = []
  const properties = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line.startsWith('S:')) links.push(line.slice(2))
    const match = /^E:([A-Z0-9_]+)=(.*)$/.exec(line)
    if (match?.[1] !== undefined) properties.set(match[1], match[2] ?? '')
  }
  return { links, properties }
}

/** udev writes characters that a file name cannot hold as `\x20` (libudev, `encode_devnode_name`). */
export function decodeUdev(text: string): string {
  if (!text.includes('\\x')) return text
  const bytes: number[] = []
  const encoder = new TextEncoder()
  for (let at = 0; at < text.length; at++) {
    const hex = /^\\x([0-9a-f]{2})/i.exec(text.slice(at, at + 4))?.[1]
    if (hex === undefined) bytes.push(...encoder.encode(text[at] ?? ''))
    else {
      bytes.push(Number.parseInt(hex, 16))
      at += 3
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

/** The inverse of decodeUdev: the name of udev's link for a label. */
export function encodeUdev(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return byte >= 0x80 || /[0-9A-Za-z#+\-.:=@_]/.test(char) ? char : `\\x${hex(byte, 2)}`
    })
    .join('')
}
