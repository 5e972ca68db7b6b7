/**
 * The table of stand-ins: the same original gets the same one everywhere in a capture, and in every later
 * capture of the same host, however it is spelled. They follow from a key that no capture holds (the
 * machine's own id), so nobody finds an original by trying, and their shape is that of the original, so that
 * what compares or parses it goes on as before.
 */
import { fingerprint } from '../../base/fingerprint.ts'
import { addressStandIns, type AddressStandIns } from './address-stand-ins.ts'

export type StandIns = AddressStandIns & {
  /** Twelve lower-case digits; the result is locally administered, so that it is nobody's. */
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
  /** Passwords, keys, users, and values of arguments nobody here knows. */
  readonly secret: (text: string) => string
  /** Names that begin with `iqn.` or `nqn.`, and keys of WireGuard. */
  readonly name: (text: string) => string
  readonly base64: (text: string) => string
  /** How many originals got one. */
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

/** Short ones may meet; then the number is drawn again, in an order that depends on the text alone. */
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

/** Of the same length where there is room: some files state the length of the name in them. */
function fakeHost(number: number, name: string): string {
  return name.length < 5
    ? `h${lastDigits(number.toString(), name.length - 1)}`
    : `host${lastDigits(number.toString(), name.length - 4)}`
}

/** Of names longer than a number has digits the number is repeated by zeros in front. */
function hexDigits(number: number, hex: string): string {
  return lastDigits(number.toString(16), hex.length)
}

function lastDigits(digits: string, length: number): string {
  return length <= 0 ? '' : digits.slice(-length).padStart(length, '0')
}
