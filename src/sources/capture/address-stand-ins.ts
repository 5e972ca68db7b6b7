/**
 * Stand-ins for IPv4 and IPv6 addresses. Two stand-ins share as many leading bits as their originals (Xu et
 * al., Prefix-preserving IP address anonymization, 2002), so a route covers the same addresses as before.
 * Private, link-local, shared (RFC 6598) and unique local addresses stay of their kind. Every other IPv4
 * address becomes one of 240.0.0.0/4, every other IPv6 address one of 2001:db8::/32; nobody owns these.
 */
import { fingerprintBytes } from '../../base/fingerprint.ts'
import { addressBytes } from '../../host/needs/network/routes.ts'

export type AddressStandIns = {
  /** Takes and returns four bytes. */
  readonly v4: (bytes: readonly number[]) => readonly number[]
  /** Takes and returns sixteen bytes. */
  readonly v6: (bytes: readonly number[]) => readonly number[]
}

/** `originals`: addresses that no stand-in may be equal to. */
export function addressStandIns(
  key: string,
  originals: readonly string[],
): AddressStandIns & { readonly count: () => number } {
  const given = originals
    .flatMap((text) => [addressBytes(text) ?? []])
    .filter((bytes) => bytes.length > 0 && !isKept(bytes))
  const all = new Set(given.map(String))
  let drawn = drawAddresses(key, 0)
  // A small network in which every address is in use has no free address to offer, so the attempts end.
  for (let attempt = 1; attempt < 32 && given.some((bytes) => all.has(String(drawn(bytes)))); attempt += 1)
    drawn = drawAddresses(key, attempt)
  const seen = new Set<string>()
  const standIn = (bytes: readonly number[]) => {
    if (isKept(bytes)) return bytes
    seen.add(String(bytes))
    return drawn(bytes)
  }
  return { v4: standIn, v6: standIn, count: () => seen.size }
}

function isKept(bytes: readonly number[]): boolean {
  return bytes.length === 4 ? isKept4(bytes) : isKept6(bytes)
}

/** Addresses that stay: this host, loopback, multicast, broadcast, and netmasks. */
function isKept4(bytes: readonly number[]): boolean {
  const [first = 0] = bytes
  if (first === 0 || first === 127 || (first >= 224 && first < 240)) return true
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1+0*$/.test(bits) && (first === 255 || /^1+0{24,}$/.test(bits))
}

/**
 * Addresses that stay: unspecified, loopback, the network 2000::/3 itself, and multicast. The multicast
 * groups that hold an address (ff02::1:ff00:0/104) get a stand-in.
 */
function isKept6(bytes: readonly number[]): boolean {
  const rest = bytes.slice(1).every((byte) => byte === 0)
  if (bytes[0] === 0xff) return !(bytes[11] === 1 && bytes[12] === 0xff)
  return (
    (rest && (bytes[0] === 0 || bytes[0] === 0x20)) ||
    (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1)
  )
}

type Drawn = (bytes: readonly number[]) => readonly number[]

function drawAddresses(key: string, attempt: number): Drawn {
  const known = new Map<string, readonly number[]>()
  const turn = (bytes: readonly number[], fixedBits: number): number[] =>
    turnBytes(`${bytes.length} ${attempt}`, { key, bytes, fixedBits })
  const draw4 = drawer4(turn, firstOctets(key, attempt))
  return (bytes) => {
    const told = known.get(String(bytes))
    if (told !== undefined) return told
    const drawn = bytes.length === 4 ? draw4(bytes) : draw6(bytes, turn, draw4)
    known.set(String(bytes), drawn)
    return drawn
  }
}

/** Changes all bits after the first `fixedBits`; equal beginnings stay equal. */
type Turn = (bytes: readonly number[], fixedBits: number) => number[]

/** Stand-ins for the first byte of an IPv4 address: 240 to 254, which no network uses. */
function firstOctets(key: string, attempt: number): (octet: number) => number {
  const drawn = new Map<number, number>()
  return (octet) => {
    const told = drawn.get(octet)
    if (told !== undefined) return told
    const used = new Set(drawn.values())
    const start = fingerprintBytes(key, `first ${attempt} ${octet}`)[0] ?? 0
    const free = Array.from({ length: 15 }, (_, at) => 240 + ((start + at) % 15))
    const first = free.find((one) => !used.has(one)) ?? free[0] ?? 240
    drawn.set(octet, first)
    return first
  }
}

function turnBytes(
  seed: string,
  {
    key,
    bytes,
    fixedBits,
  }: { readonly key: string; readonly bytes: readonly number[]; readonly fixedBits: number },
): number[] {
  return bytes.map((byte, at) => {
    const fixed = Math.max(0, Math.min(8, fixedBits - 8 * at))
    if (fixed === 8) return byte
    return turnByte(byte, fixed, fingerprintBytes(key, `${seed} ${bytes.slice(0, at).join('.')}`))
  })
}

function drawer4(turn: Turn, firstOf: (octet: number) => number): Drawn {
  return (bytes) => {
    const fixed = fixedBits4(bytes)
    if (fixed > 0) return turn(bytes, fixed)
    const [, ...rest] = turn(bytes, 8)
    return [firstOf(bytes[0] ?? 0), ...rest]
  }
}

function draw6(bytes: readonly number[], turn: Turn, draw4: Drawn): readonly number[] {
  const embedded = embeddedFrom(bytes)
  if (embedded !== undefined) {
    const last = bytes.slice(12)
    return [...bytes.slice(0, 12), ...(isKept4(last) ? last : draw4(last))]
  }
  const fixed = fixedBits6(bytes)
  if (fixed > 0) return turn(bytes, fixed)
  return [0x20, 0x01, 0x0d, 0xb8, ...turn(bytes, 32).slice(4)]
}

/**
 * The 256 bits of `flips` are the nodes of a tree with eight levels: the bits before a bit decide whether it
 * is flipped.
 */
function turnByte(byte: number, fixed: number, flips: Uint8Array): number {
  let turned = 0
  for (let bit = 0; bit < 8; bit += 1) {
    const node = (1 << bit) | (byte >> (8 - bit))
    const flip = bit < fixed ? 0 : ((flips[node >> 3] ?? 0) >> (node & 7)) & 1
    turned = (turned << 1) | (((byte >> (7 - bit)) & 1) ^ flip)
  }
  return turned
}

/** The number of leading bits that identify the kind of an address. */
function fixedBits4([a = 0, b = 0]: readonly number[]): number {
  if (a === 10) return 8
  if (a === 172 && b >= 16 && b < 32) return 12
  if ((a === 192 && b === 168) || (a === 169 && b === 254)) return 16
  return a === 100 && b >= 64 && b < 128 ? 10 : 0
}

function fixedBits6(bytes: readonly number[]): number {
  const [a = 0, b = 0] = bytes
  if (a === 0xff) return 104
  if (a === 0xfe && (b & 0xc0) === 0x80) return 64
  return (a & 0xfe) === 0xfc ? 8 : 0
}

/** `::ffff:192.0.2.1`, and `64:ff9b::192.0.2.1` (RFC 6052). */
function embeddedFrom(bytes: readonly number[]): number | undefined {
  const head = bytes.slice(0, 12).join('.')
  return head === '0.0.0.0.0.0.0.0.0.0.255.255' || head === '0.100.255.155.0.0.0.0.0.0.0.0' ? 12 : undefined
}
