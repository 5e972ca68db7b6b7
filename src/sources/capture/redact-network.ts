/**
 * Replaces addresses in the tables of /proc/net. They are in hex, and some tables write the bytes of each
 * 32-bit word in reverse.
 */
import { toHex } from '../../pci/hex.ts'
import { bytesOfHex } from './bytes.ts'
import type { StandIns } from './stand-ins.ts'
import { clearBehind, isZeroBehind } from './tokens.ts'

type Table = (text: string, to: StandIns) => string

const tables: readonly (readonly [path: RegExp, table: Table])[] = [
  [/^\/proc\/net\/route$/, redactRoutes],
  [/^\/proc\/net\/(?:tcp|udp|raw|udplite|icmp)6?$/, redactConnections],
  [/^\/proc\/net\/(?:ipv6_route|if_inet6|rt6_stats|anycast6|igmp6|mcfilter6)$/, redactPlain],
]

export function tableOf(path: string): Table | undefined {
  return tables.find(([pattern]) =>
    pattern.test(path.replace(/^\/proc\/(?:self|\d+)\/net\//, '/proc/net/')),
  )?.[1]
}

/** All addresses in such a table. */
export function addressesInTable(path: string, text: string): number[][] {
  const found: number[][] = []
  const note = (bytes: readonly number[]) => {
    found.push([...bytes])
    return bytes
  }
  tableOf(path)?.(text, { v4: note, v6: note } as Pick<StandIns, 'v4' | 'v6'> as StandIns)
  return found
}

/**
 * Destination and gateway are the second and third field, the mask is the eighth. Each is a 32-bit number of
 * a little-endian machine.
 */
function redactRoutes(text: string, to: StandIns): string {
  return text.replaceAll(
    /^(\S+\s+)([0-9A-F]{8})(\s+)([0-9A-F]{8})((?:\s+\S+){4}\s+)?([0-9A-F]{8})?/gm,
    (...fields: unknown[]) => {
      const [, name, destination, gap, gateway, rest = '', mask = ''] = fields as string[]
      const ones = mask === '' ? 32 : BigInt(`0x${mask}`).toString(2).replaceAll('0', '').length
      return `${name ?? ''}${turned4(destination ?? '', to, ones)}${gap ?? ''}${turned4(gateway ?? '', to)}${rest}${mask}`
    },
  )
}

function turned4(hex: string, to: StandIns, length = 32): string {
  const bytes = [...bytesOfHex(hex)].toReversed()
  const drawn = [...to.v4(bytes)]
  if (isZeroBehind(bytes, length)) clearBehind(drawn, length)
  return toHex(Uint8Array.from(drawn.toReversed())).toUpperCase()
}

function redactConnections(text: string, to: StandIns): string {
  return text.replaceAll(/(?<![0-9A-F])(?:[0-9A-F]{32}|[0-9A-F]{8})(?=:[0-9A-F]{4}(?![0-9A-F]))/g, (hex) =>
    hex.length === 8 ? turned4(hex, to) : turned6(hex, to),
  )
}

function turned6(hex: string, to: StandIns): string {
  const turn = (words: string) =>
    (words.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).toReversed().join('')).join('')
  return turn(toHex(Uint8Array.from(to.v6([...bytesOfHex(turn(hex))])))).toUpperCase()
}

/** A destination is followed by its prefix length in hex. */
function redactPlain(text: string, to: StandIns): string {
  return text.replaceAll(
    /(?<![0-9a-fA-F])([0-9a-fA-F]{32})( [0-9a-f]{2}(?= ))?/g,
    (_, hex: string, length: string | undefined) => {
      const bytes = [...bytesOfHex(hex)]
      const drawn = [...to.v6(bytes)]
      const ones = Number.parseInt(length ?? '80', 16)
      if (ones <= 128 && isZeroBehind(bytes, ones)) clearBehind(drawn, ones)
      return toHex(Uint8Array.from(drawn)) + (length ?? '')
    },
  )
}
