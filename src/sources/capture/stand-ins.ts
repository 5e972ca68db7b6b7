/**
 * The table of stand-ins. An original has the same stand-in everywhere in a capture and in every later
 * capture of the same host, in whatever spelling. Stand-ins are computed with a key that no capture holds
 * (the machine id), so nobody finds an original by trying. A stand-in has the shape of its original, so
 * programs can still compare and parse it.
 */
import { fingerprint } from '../../base/fingerprint.ts'
import { addressStandIns, type AddressStandIns } from './address-stand-ins.ts'

export type StandIns = AddressStandIns & {
  /** Twelve lower-case digits. The result is a locally administered address, which no maker assigns. */
  readonly mac: (hex: string) => string
  /** Thirty-two lower-case digits of a UUID, a machine id, an array or a LUKS volume. */
  readonly uuid: (hex: string) => string
  /** Hex digits of any number: world-wide names, short ids of file systems, disk signatures. */
  readonly hex: (hex: string) => string
  /** Decimal digits, as ZFS prints its ids. */
  readonly decimal: (digits: string) => string
  /** Thirty-two letters and digits of an LVM id. */
  readonly lvm: (id: string) => string
  readonly serial: (text: string) => string
  readonly host: (name: string) => string
  /** Passwords, keys, users, and values of unknown arguments. */
  readonly secret: (text: string) => string
  /** Names that begin with `iqn.` or `nqn.`, and keys of WireGuard. */
  readonly name: (text: string) => string
  readonly base64: (text: string) => string
  /** The number of originals that have a stand-in. */
  readonly count: () => number
}

type Fake = (number: number, original: string) => string

export function standInsFor(key: string, addresses: readonly string[]): StandIns {
  const table = new Map<string, string>()
  const drawer = drawers(key, table)
  const byAddress = addressStandIns(key, addresses)
  return {
    v4: byAddress.v4,
    v6: byAddress.v6,
    mac: drawer('mac', (number) => `02${lastDigits(number.toString(16), 10)}`),
    uuid: drawer('uuid', fakeUuid),
    hex: drawer('hex', hexDigits),
    decimal: drawer('decimal', (number, digits) => `1${lastDigits(number.toString(), digits.length - 1)}`),
    lvm: drawer('lvm', (number, id) => `S${lastDigits(number.toString(), id.length - 1)}`),
    serial: drawer('serial', fakeSerial),
    host: drawer('host', fakeHost),
    secret: drawer('secret', (number) => `redacted${number % 1_000_000}`),
    name: drawer('name', (number, text) => `${text.slice(0, 4)}2000-01.invalid:${number}`),
    base64: drawer('base64', (number, text) => `${lastDigits(number.toString(), text.length - 1)}=`),
    count: () => table.size + byAddress.count(),
  }
}

/**
 * Two short stand-ins may be equal; then another one is computed. The order of attempts depends on the text
 * alone.
 */
function drawers(
  key: string,
  table: Map<string, string>,
): (kind: string, fake: Fake) => (original: string) => string {
  const taken = new Set<string>()
  return (kind, fake) => (original) => {
    const known = table.get(`${kind} ${original}`)
    if (known !== undefined) return known
    let drawn = ''
    for (let attempt = 0; attempt < 64; attempt += 1) {
      drawn = fake(fingerprint(key, `${kind} ${attempt} ${original}`), original)
      if (!taken.has(`${kind} ${drawn}`) && drawn !== original) break
    }
    taken.add(`${kind} ${drawn}`)
    table.set(`${kind} ${original}`, drawn)
    return drawn
  }
}

function fakeUuid(number: number): string {
  return `0000000000004000800${lastDigits(number.toString(16), 12).padStart(13, '0')}`
}

function fakeSerial(number: number, text: string): string {
  return `S${lastDigits(number.toString(), Math.max(text.length, 4) - 1)}`
}

/** Has the length of the original if possible, since some files state the length of a name. */
function fakeHost(number: number, name: string): string {
  return name.length < 5
    ? `h${lastDigits(number.toString(), name.length - 1)}`
    : `host${lastDigits(number.toString(), name.length - 4)}`
}

/** If the original has more digits than the number, zeros fill the beginning. */
function hexDigits(number: number, hex: string): string {
  return lastDigits(number.toString(16), hex.length)
}

function lastDigits(digits: string, length: number): string {
  return length <= 0 ? '' : digits.slice(-length).padStart(length, '0')
}
