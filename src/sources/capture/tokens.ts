/**
 * Finds identifiers and addresses by their shape: MAC and EUI-64 with colons, dashes or without, IPv4 and
 * IPv6, UUIDs, ids of arrays, volumes and file systems, world-wide names, iSCSI and NVMe names, keys. A text
 * has one character for each byte.
 */
import { addressBytes } from '../../host/needs/network/routes.ts'
import type { StandIns } from './stand-ins.ts'

const hex = '[0-9A-Fa-f]'
const notBefore = '(?<![0-9A-Za-z])'
const notAfter = '(?![0-9A-Za-z])'

/** One alternative for each kind, in the order in which they are tried. */
const patterns = {
  iscsi: String.raw`${notBefore}(?:iqn|nqn)\.\d{4}[-.]\d{2}\.[^\s"',;<>@/\\]+`,
  uuid: `(?<!${hex})${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}(?!${hex})`,
  array: `${notBefore}(?:${hex}{8}:){3}${hex}{8}${notAfter}`,
  lvmPair: `(?<=LVM-)[A-Za-z0-9]{64}${notAfter}`,
  lvm: `${notBefore}[A-Za-z0-9]{6}(?:-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}${notAfter}`,
  nvme: `(?<=nvme\\.${hex}{4}-)${hex}{8,}-${hex}{8,}(?=-${hex}{8})`,
  colons: `(?<![0-9A-Za-z:])${hex}{2}(?::${hex}{2}){5,19}(?![0-9A-Za-z:])`,
  dashes: `(?<![0-9A-Za-z-])${hex}{2}(?:-${hex}{2}){5,7}(?![0-9A-Za-z-])`,
  dots: `(?<![0-9A-Za-z.])${hex}{4}\\.${hex}{4}\\.${hex}{4}(?![0-9A-Za-z.])`,
  bridge: `(?<![0-9A-Za-z.])${hex}{4}\\.${hex}{12}${notAfter}`,
  named: `${notBefore}(?:en|wl|ww|ib|sl)[a-z]?x${hex}{12}${notAfter}`,
  v6: `(?<![0-9A-Za-z:.])(?:${hex}{0,4}:){2,7}(?:\\d{1,3}(?:\\.\\d{1,3}){3}|${hex}{0,4})(?:/\\d{1,3})?(?![0-9A-Za-z:])`,
  v4: `(?<![0-9A-Za-z_.-])\\d{1,3}(?:\\.\\d{1,3}){3}(?:/\\d{1,2})?(?![0-9A-Za-z_]|\\.\\d)`,
  diskPart: `(?<=PARTUUID=|by-partuuid/|_ENTRY_UUID=|TABLE_UUID=|partuuid/)${hex}{8}(?=-${hex}{2}${notAfter}|${notAfter})`,
  short: `(?<=UUID=|by-uuid/|UUID_SUB=)(?:${hex}{4}-${hex}{4}|${hex}{16})${notAfter}`,
  wide: `(?<=(?:naa|eui|wwn|wwpn|wwnn|nn|pn)[-.:=_](?:0[xX])?|(?:scsi|mpath)-[0-9])(?:${hex}{32}|${hex}{16})${notAfter}`,
  plainId: `(?<![0-9A-Za-z])${hex}{32}${notAfter}`,
  plainMac: `(?<![0-9A-Za-z-])(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])${hex}{12}${notAfter}`,
  decimal: `${notBefore}\\d{17,20}${notAfter}`,
  key: `(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])`,
} as const

type Kind = keyof typeof patterns

const kinds = Object.keys(patterns) as Kind[]
const anyToken = new RegExp(kinds.map((kind) => `(?<${kind}>${patterns[kind]})`).join('|'), 'g')

/** Ids that are the same on every machine: types of partitions, vendors of EFI variables. */
const wellKnown = new Set([
  ...['8be4df61-93ca-11d2-aa0d-00e098032b8c', '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'],
  ...['605dab50-e046-4300-abb6-3dd810dd8b23', 'd719b2cb-3d3a-4596-a3bc-dad00e67656f'],
  ...['c12a7328-f81f-11d2-ba4b-00c04fd430c9', '0fc63daf-8483-4772-8e79-3d69d8477de4'],
  ...['0657fd6d-a4ab-43c4-84e5-0933c84b4f4f', 'e6d6d379-f507-44c2-a23c-238f2a3df928'],
  ...['a19d880f-05fc-4d3b-a006-743f0f84911e', '6a898cc3-1dd2-11b2-99a6-080020736631'],
  ...['21686148-6449-6e6f-744e-656564454649', 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7'],
  ...['e3c9e316-0b5c-4db8-817d-f92df00215ae', 'de94bba4-06d1-4d40-a16a-bfd50179d6ac'],
  ...['4f68bce3-e8cd-4db1-96e7-fbcaf984b709', 'bc13c2ff-59e6-4262-a352-b275fd6f7172'],
])

/** `sameLength`: stand-ins of another length are not used, because a binary file must keep its length. */
export function replaceTokens(
  text: string,
  to: StandIns,
  how: { readonly sameLength?: boolean } = {},
): string {
  return text.replace(anyToken, (token, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Partial<Record<Kind, string>>
    const kind = kinds.find((one) => groups[one] !== undefined)
    const drawn = kind === undefined ? token : standInOf(kind, token, to)
    return how.sameLength === true && drawn.length !== token.length ? token : drawn
  })
}

const namedToken = new RegExp(patterns.named, 'g')

/** Replaces only the names of interfaces that hold a MAC. */
export function replaceNamed(text: string, to: StandIns): string {
  return text.replaceAll(namedToken, (token) => octetStandIn(token, to))
}

/** All addresses in a text, as written. */
export function* addressesIn(text: string): Generator<string> {
  for (const { groups } of text.matchAll(anyToken)) {
    const token = groups?.['v4'] ?? groups?.['v6']
    if (token !== undefined) yield token.split('/')[0] ?? token
  }
}

function standInOf(kind: Kind, token: string, to: StandIns): string {
  switch (kind) {
    case 'iscsi':
      return to.name(token)
    case 'uuid':
      return wellKnown.has(token.toLowerCase()) ? token : likeCase(token, dashed(to.uuid(digits(token))))
    case 'array':
      return likeCase(token, (to.uuid(digits(token)).match(/.{8}/g) ?? []).join(':'))
    case 'plainId':
      return /^0+$/.test(token) ? token : likeCase(token, to.uuid(digits(token)))
    case 'lvmPair':
      return to.lvm(token.slice(0, 32)) + to.lvm(token.slice(32))
    case 'lvm':
      return to
        .lvm(token.replaceAll('-', ''))
        .replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7')
    case 'nvme':
      return token.replaceAll(/[0-9A-Fa-f]+/g, (part) => likeCase(part, to.hex(part.toLowerCase())))
    case 'colons':
    case 'dashes':
    case 'dots':
    case 'bridge':
    case 'named':
    case 'plainMac':
      return octetStandIn(token, to)
    case 'v6':
    case 'v4':
      return addressStandIn(token, to)
    case 'diskPart':
    case 'short':
    case 'wide':
      return likeCase(token, likeDashes(token, to.hex(digits(token))))
    case 'decimal':
      return to.decimal(token)
    case 'key':
      return to.base64(token)
  }
}

const digits = (token: string) => token.replaceAll(/[-:.]/g, '').toLowerCase()

function dashed(uuid: string): string {
  return uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Writes the stand-in in upper case if the original has upper-case letters only. */
function likeCase(token: string, drawn: string): string {
  return /[A-F]/.test(token) && !/[a-f]/.test(token) ? drawn.toUpperCase() : drawn
}

/** Puts a dash where the original has its first one. */
function likeDashes(token: string, drawn: string): string {
  const dash = token.indexOf('-')
  return dash < 0 ? drawn : `${drawn.slice(0, dash)}-${drawn.slice(dash)}`
}

/**
 * Six octets are a MAC. Eight octets with ff:fe or ff:ff in the middle (EUI-64, serial numbers of network
 * cards) and the twenty octets of InfiniBand are one number. A MAC may follow a kind of hardware (`01-…`) or
 * the priority of a bridge (`8000.…`).
 */
function octetStandIn(token: string, to: StandIns): string {
  const name =
    /^[a-z]+x(?=[0-9a-fA-F]{12}$)/.exec(token)?.[0] ??
    /^[0-9A-Fa-f]{4}\.(?=[0-9A-Fa-f]{12}$)/.exec(token)?.[0] ??
    ''
  const rest = token.slice(name.length)
  const all = digits(rest)
  if (/^(?:0+|f+)$/.test(all)) return token
  const head = all.length === 14 ? all.slice(0, 2) : ''
  const own = all.slice(head.length)
  const drawn = likeCase(rest, head + (own.length === 12 ? to.mac(own) : to.hex(own)))
  let at = 0
  return name + rest.replaceAll(/[0-9A-Fa-f]/g, () => drawn[at++] ?? '0')
}

/** A network with its prefix length stays a network: the host bits stay zero. */
function addressStandIn(token: string, to: StandIns): string {
  const [address = '', length] = token.split('/')
  const given = originalBytes(address)
  if (given === undefined) return token
  const { bytes, isMapped } = given
  const drawn = [...(bytes.length === 4 ? to.v4(bytes) : to.v6(bytes))]
  if (length !== undefined && isZeroBehind(bytes, Number(length))) clearBehind(drawn, Number(length))
  const shown = drawn.length === 4 ? `${isMapped ? '::ffff:' : ''}${drawn.join('.')}` : formatV6(drawn)
  return likeCase(address, shown) + (length === undefined ? '' : `/${length}`)
}

function originalBytes(
  address: string,
): { readonly bytes: readonly number[]; readonly isMapped: boolean } | undefined {
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (tail === null) {
    const bytes = addressBytes(address)
    return bytes && { bytes, isMapped: false }
  }
  const [a = 0, b = 0, c = 0, d = 0] = tail.slice(2).map(Number)
  if ([a, b, c, d].some((byte) => byte > 255)) return undefined
  if (/^::ffff:$/i.test(tail[1] ?? '')) return { bytes: [a, b, c, d], isMapped: true }
  const bytes = addressBytes(`${tail[1] ?? ''}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`)
  return bytes && { bytes, isMapped: false }
}

export function isZeroBehind(bytes: readonly number[], length: number): boolean {
  return bytes.every((byte, at) => (byte & (0xff >> Math.max(0, Math.min(8, length - 8 * at)))) === 0)
}

export function clearBehind(bytes: number[], length: number): void {
  for (const [at, byte] of bytes.entries())
    bytes[at] = byte & ~(0xff >> Math.max(0, Math.min(8, length - 8 * at))) & 0xff
}

/** RFC 5952: the longest run of at least two zero words is left out. */
export function formatV6(bytes: readonly number[]): string {
  const words = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  )
  const runs = [...words.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].toSorted(
    (a, b) => b[0].length - a[0].length,
  )
  const [longest] = runs
  if (longest === undefined) return words.join(':')
  const text = words.join(':')
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
