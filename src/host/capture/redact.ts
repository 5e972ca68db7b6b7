/**
 * Stable fakes for what identifies a machine or its owner: MACs, serials, world-wide names, UUIDs, host names, and public
 * addresses of people connected. The same secret gets the same fake everywhere in a capture, and in every later capture of the same host, so relations survive and
 * a card that moved can be followed; ids, classes, addresses on the PCI bus and everything that decides a verdict stay.
 */
import { capabilityOffset, extendedCapabilityId, findExtendedCapabilities } from '../../pci/capabilities.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import type { PciDevice } from '../../pci/device.ts'
import { fingerprint } from '../../system/fingerprint.ts'
import { parseLocalAddresses } from '../needs/addresses.ts'
import { addressBytes } from '../needs/routes.ts'
import { parseProcAddress } from '../needs/sessions.ts'
import type { Host } from '../host.ts'
import type { Recording } from './recording.ts'
import { redactIds } from './redact-ids.ts'

export type Secrets = {
  /** Secret text → fake text of the same length where binary files demand it; longest secrets first. */
  readonly words: readonly (readonly [secret: string, fake: string])[]
  /** Short serials (`0001`): replaced only in files that hold serials, because elsewhere they may be anything. */
  readonly shortSerials: readonly (readonly [secret: string, fake: string])[]
  /** PCIe Device Serial Numbers, 16 hex digits. */
  readonly serialNumbers: ReadonlyMap<string, string>
}

const macPattern = /(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi
const uuidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
/** LVM writes its ids without dashes behind `LVM-`: group and volume, 32 characters each. */
const lvmPattern = /(?<=LVM-)[A-Za-z0-9]{64}/g
/** The short ids of FAT and NTFS: `UUID=1A2B-3C4D`, `by-uuid/1A2B-3C4D`. */
const shortIdPattern = /(?<=UUID=|by-uuid\/)(?:[0-9A-F]{4}-[0-9A-F]{4}|[0-9A-F]{16})\b/g
/** machine-id(5) as boot entries carry it: in their text, on the command line, in their names and in those of unified kernel images. */
const machineIdPattern =
  /(?<=machine[-_]id[=\s]\s{0,20}|\/entries\/)[0-9a-f]{32}(?![0-9a-f])|(?<![0-9a-f])[0-9a-f]{32}(?=(?:[-+][\w.+~-]{0,200})?\.efi\b)/g
const wwnPattern = /(?<=naa\.|eui\.|wwn-0x)(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])/gi

/**
 * Collected from the Host (which knows what a serial is) and from patterns in the text. Host names are given. The fakes follow
 * from the key (the machine's own id, which no capture holds), so that the secrets cannot be found by trying.
 */
export function findSecrets(host: Host, recording: Recording, hostNames: readonly string[], key: string): Secrets {
  const words = new Map<string, string>()
  const serialNumbers = new Map<string, string>()
  const taken = new Set<string>()
  // Short fakes may meet; then the number is drawn again, in an order that depends on the text alone.
  const draw = (kind: string, secret: string, fake: (number: number, secret: string) => string): string => {
    let drawn = ''
    for (let attempt = 0; attempt < 64; attempt++) {
      drawn = fake(fingerprint(key, `${kind} ${attempt} ${secret}`), secret)
      if (!taken.has(drawn)) break
    }
    taken.add(drawn)
    return drawn
  }
  const add = (kind: string, secret: string | undefined, fake: (number: number, secret: string) => string): void => {
    if (secret === undefined || secret.length < 4 || words.has(secret)) return
    words.set(secret, draw(kind, secret, fake))
  }
  // The kernel and udev write an id in either case, and it is one id.
  const addUuid = (uuid: string): void => {
    const lower = uuid.toLowerCase()
    add('uuid', lower, fakeUuid)
    const fake = words.get(lower)
    if (fake !== undefined && lower !== uuid) words.set(uuid, uuid === uuid.toUpperCase() ? fake.toUpperCase() : fake)
  }
  for (const device of host.devices) {
    for (const serial of serialsOf(device)) add('serial', serial, fakeSerial)
    const dsn = device.deviceSerialNumber
    if (dsn && !serialNumbers.has(dsn)) serialNumbers.set(dsn, draw('dsn', dsn, fakeHex))
  }
  if (/^[0-9a-f]{32}$/.test(key)) add('machine', key, fakeMachineId)
  for (const name of hostNames) if (!name.startsWith('localhost')) add('host', name, (number) => `host${number % 1000}`)
  for (const id of udevIds(recording)) {
    if (isUuid(id)) addUuid(id)
    else add('serial', id, fakeSerial)
  }
  for (const text of textsOf(recording)) {
    for (const [mac] of text.matchAll(macPattern)) if (!/^(?:00:){5}00$/.test(mac)) add('mac', mac, fakeMac)
    for (const [uuid] of text.matchAll(uuidPattern)) addUuid(uuid)
    for (const [id] of text.matchAll(machineIdPattern)) add('machine', id, fakeMachineId)
    for (const [id] of text.matchAll(lvmPattern)) add('lvm', id, fakeSerial)
    for (const [id] of text.matchAll(shortIdPattern)) add('short', id, fakeShort)
    for (const [wwn] of text.matchAll(wwnPattern)) if (isWorldWideName(wwn)) add('wwn', wwn, fakeHex)
  }
  for (const bytes of clientsOf(recording)) {
    const fake = fakeClient(fingerprint(key, `client ${addressText(bytes)}`), bytes)
    words.set(addressText(bytes), addressText(fake))
    words.set(procText(bytes), procText(fake))
  }
  const sorted = [...words].sort(([a], [b]) => b.length - a.length)
  const isShort = ([secret, fake]: readonly [string, string]): boolean => secret.length < 8 && /^S\d*$/.test(fake)
  return { words: sorted.filter((word) => !isShort(word)), shortSerials: sorted.filter(isShort), serialNumbers }
}

/** Serials of disks that no function shows (those of a server), and ids of file systems and volumes in any form. */
function* udevIds({ files }: Recording): Generator<string> {
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!/^\/run\/udev\/data\/b\d+:\d+$/.test(path)) continue
    const text = new TextDecoder().decode(bytes)
    for (const [, id = ''] of text.matchAll(
      /^E:ID_(?:SERIAL_SHORT|FS_UUID|FS_UUID_SUB|PART_ENTRY_UUID|PART_TABLE_UUID)=(\S{8,})$/gm,
    )) {
      if (!/^[0-9A-F]{4}-[0-9A-F]{4}$/.test(id)) yield id
    }
  }
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id)
}

function serialsOf(device: PciDevice): (string | undefined)[] {
  const disks = (device.disks ?? []).flatMap((disk) => [disk.serial, disk.wwn])
  return [device.nvmeSerial, device.vpdSerial, device.sasAddress, ...disks]
}

/** The same length, so that fixed-width fields (ATA, SCSI pages) keep their shape. */
function fakeSerial(number: number, secret: string): string {
  return `S${lastDigits(number.toString(), Math.max(secret.length, 4) - 1)}`
}

/** Locally administered, so that it is nobody's real address. */
function fakeMac(number: number): string {
  const hex = lastDigits(number.toString(16), 10)
  return `02:${(hex.match(/../g) ?? []).join(':')}`
}

function fakeUuid(number: number): string {
  return `00000000-0000-4000-8000-${lastDigits(number.toString(16), 12)}`
}

function fakeMachineId(number: number): string {
  return lastDigits(number.toString(16), 12).padStart(32, '0')
}

function fakeShort(number: number, secret: string): string {
  const digits = lastDigits(number.toString(16).toUpperCase(), secret.replace('-', '').length)
  return secret.includes('-') ? `${digits.slice(0, 4)}-${digits.slice(4)}` : digits
}

function fakeHex(number: number, secret: string): string {
  return lastDigits(number.toString(16), secret.length)
}

function lastDigits(digits: string, length: number): string {
  return digits.slice(-length).padStart(length, '0')
}

/** `resource` and `reserved_regions` are full of 16-digit numbers too; names of this kind start with a NAA digit (2, 3, 5, 6) or a maker's id. */
function isWorldWideName(hex: string): boolean {
  return /^[2356]/.test(hex) && !/0{6}|f{6}/i.test(hex)
}

/** Documentation addresses (RFC 5737, RFC 3849). A private client tells nothing and stays, so routes still fit. */
function fakeClient(number: number, client: readonly number[]): number[] {
  if (client.length === 4) return [192, 0, 2, number % 256]
  return [0x20, 0x01, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), number % 256]
}

/** Clients of the sessions a Host tells about, and its own public addresses, as bytes. */
function clientsOf(recording: Recording): number[][] {
  const texts = [recording.env.get('SSH_CONNECTION')?.split(' ')[0] ?? '']
  const own = new TextDecoder().decode(recording.files.get('/proc/net/fib_trie') ?? new Uint8Array())
  texts.push(...parseLocalAddresses(own))
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const table = new TextDecoder().decode(recording.files.get(path) ?? new Uint8Array())
    for (const line of table.split('\n').slice(1))
      texts.push(parseProcAddress(line.split(' ')[2]?.split(':')[0] ?? '') ?? '')
  }
  const clients = [...new Set(texts)].flatMap((text) => [addressBytes(text) ?? []])
  return clients.filter((bytes) => bytes.length > 0 && isPublic(bytes))
}

function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const words = bytes.flatMap((byte, at) => (at % 2 === 0 ? [((byte << 8) | (bytes[at + 1] ?? 0)).toString(16)] : []))
  return words.join(':')
}

/** As /proc/net/tcp writes it: 32-bit words with their bytes turned round, upper-case hex. */
function procText(bytes: readonly number[]): string {
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase())
  let text = ''
  for (let word = 0; word < hex.length; word += 4)
    text += hex
      .slice(word, word + 4)
      .toReversed()
      .join('')
  return text
}

function isPublic(bytes: readonly number[]): boolean {
  const [a = 0, b = 0] = bytes
  if (bytes.length === 16) return (a & 0xfe) !== 0xfc && a !== 0xfe && a !== 0
  return !(
    a === 10 ||
    a === 127 ||
    (a === 192 && b === 168) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 169 && b === 254)
  )
}

/** Texts in a fixed order, so that the numbers of the fakes do not depend on the order of reading. */
function* textsOf(recording: Recording): Generator<string> {
  for (const [path, bytes] of [...recording.files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (isBinaryPath(path) || /\/(?:resource|reserved_regions)$/.test(path)) continue
    yield new TextDecoder().decode(bytes)
  }
  for (const [path, target] of [...recording.links].sort(([a], [b]) => (a < b ? -1 : 1))) yield `${path} ${target}`
  for (const [path, names] of [...recording.folders].sort(([a], [b]) => (a < b ? -1 : 1)))
    yield /\/(?:entries|EFI\/Linux)$/.test(path) ? names.map((name) => `${path}/${name}`).join(' ') : path
}

function isBinaryPath(path: string): boolean {
  return /\/(?:config|vpd_pg80|DMAR|IVRS|zpool\.cache)$/.test(path)
}

export function redactRecording(recording: Recording, secrets: Secrets): Recording {
  const text = (value: string): string => redactText(value, secrets)
  const files = new Map<string, Uint8Array>()
  for (const [path, bytes] of recording.files) files.set(text(path), redactFile(path, bytes, secrets))
  return {
    ...recording,
    files,
    links: new Map([...recording.links].map(([path, target]) => [text(path), text(target)])),
    folders: new Map([...recording.folders].map(([path, names]) => [text(path), names.map(text)])),
    unreadable: new Map([...recording.unreadable].map(([path, code]) => [text(path), code])),
    modes: new Map([...recording.modes].map(([path, mode]) => [text(path), mode])),
    env: new Map([...recording.env].map(([name, value]) => [name, text(value)])),
  }
}

export function redactText(value: string, { words }: Secrets): string {
  return replaceWords(value, words)
}

function replaceWords(value: string, words: Secrets['words']): string {
  let text = value
  for (const [secret, fake] of words) if (text.includes(secret)) text = text.replaceAll(secret, fake)
  return text
}

const serialFiles = /\/(?:serial|wwid|vpd_pg80|subsysnqn|b\d+:\d+)$/

function redactFile(path: string, bytes: Uint8Array, secrets: Secrets): Uint8Array {
  if (path.endsWith('/config') && bytes.length >= 64 && bytes.length <= 4096) return redactConfig(bytes, secrets)
  if (/\/(?:DMAR|IVRS)$/.test(path)) return bytes
  if (path.includes('/efivars/')) return redactVariable(bytes, secrets)
  const words = serialFiles.test(path) ? [...secrets.words, ...secrets.shortSerials] : secrets.words
  if (!isBinaryPath(path)) {
    const text = new TextDecoder().decode(bytes)
    const redacted = replaceWords(text, words)
    return redacted === text ? bytes : new TextEncoder().encode(redacted)
  }
  const latin = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return Uint8Array.from(replaceWords(latin, words), (char) => char.charCodeAt(0))
}

/** Names of boot entries: four bytes of attributes, then UTF-16 (systemd: Boot Loader Interface). */
function redactVariable(given: Uint8Array, { words }: Secrets): Uint8Array {
  const bytes = redactIds(given, words)
  const text = new TextDecoder('utf-16le').decode(bytes.subarray(4))
  const redacted = replaceWords(text, words)
  if (redacted === text) return bytes
  const units = Uint16Array.from(redacted, (char) => char.charCodeAt(0))
  const changed = new Uint8Array(4 + units.length * 2)
  changed.set(bytes.subarray(0, 4))
  for (const [index, unit] of units.entries()) changed.set([unit & 0xff, unit >> 8], 4 + index * 2)
  return changed
}

/** The Device Serial Number is eight bytes in extended configuration space, low dword first. */
function redactConfig(bytes: Uint8Array, secrets: Secrets): Uint8Array {
  const offset = capabilityOffset(findExtendedCapabilities(configBytes(bytes)), extendedCapabilityId.deviceSerialNumber)
  if (offset === undefined) return bytes
  const own = bytes.slice(offset + 4, offset + 12).toReversed()
  const serial = Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const fake = secrets.serialNumbers.get(serial)
  if (fake === undefined) return bytes
  const changed = Uint8Array.from(bytes)
  for (let index = 0; index < 8; index++)
    changed[offset + 11 - index] = Number.parseInt(fake.slice(index * 2, index * 2 + 2), 16)
  return changed
}
