/**
 * Replaces what identifies a machine or its owner in every file, name and link of a recording. It finds
 * tokens by their shape (tokens.ts), and the words that a file states as serials, names or secrets
 * (secret-words.ts). Ids, classes, PCI addresses and everything that decides a verdict stay.
 */
import type { Host } from '../../host/host.ts'
import { bytesOfLatin, isBinary, latinOf, latinOfText, textOfLatin } from './bytes.ts'
import type { Recording } from './recording.ts'
import { redactConfig, redactPools, redactVariable } from './redact-binary.ts'
import { addressesInTable, tableOf } from './redact-network.ts'
import { redactMountOptions } from './secret-arguments.ts'
import {
  findSecretWords,
  redactArgumentFile,
  secretFiles,
  serialFiles,
  wideFiles,
  type SecretWord,
  type SecretWords,
} from './secret-words.ts'
import { standInsFor, type StandIns } from './stand-ins.ts'
import { addressesIn, replaceNamed, replaceTokens } from './tokens.ts'

export type Redactor = {
  readonly text: (value: string) => string
  readonly recording: (recording: Recording) => Recording
  /** The number of originals that have a stand-in so far. */
  readonly count: () => number
}

export type SecretsGiven = {
  readonly host: Host
  readonly hostNames: readonly string[]
  /** The secret from which the stand-ins are computed. No capture holds it. */
  readonly key: string
  /** Serials that the recording does not hold. */
  readonly serials?: readonly string[]
}

export function redactorFor(recording: Recording, given: SecretsGiven): Redactor {
  const { host, hostNames, key, serials = [] } = given
  const to = standInsFor(key, [...new Set(addressesOf(recording))])
  const words = findSecretWords(host, recording, { hostNames, serials, to })
  // The kernel's release may look like an address, and it is a part of many names.
  const kept = [host.kernel.release ?? '']
    .filter((word) => word.length >= 4)
    .map((word) => ({ original: word, fake: word }))
  const table = { to, words, kept }
  return {
    text: (value) => textOfLatin(replaceAll(latinOfText(value), table)),
    recording: (given) => redactRecording(given, table),
    count: () => to.count(),
  }
}

/**
 * Files with long hex numbers that identify nobody: numbers of hardware, tables of the firmware, lists of
 * regions.
 */
const numbersOnly =
  /\/(?:resource|reserved_regions|DMAR|IVRS|modalias|local_cpulist|local_cpus)$|^\/proc\/(?:iomem|ioports|cpuinfo|interrupts|modules|meminfo|consoles|devices|filesystems)$|^\/(?:usr\/lib|etc)\/os-release$|^\/boot\/config-|^\/sys\/class\/dmi\/id\/(?!product_|board_serial|chassis_)/

function* addressesOf(recording: Recording): Generator<string> {
  for (const [path, bytes] of recording.files) {
    if (numbersOnly.test(path) || path.endsWith('/config')) continue
    const latin = latinOf(bytes)
    for (const address of addressesInTable(path, latin)) yield textOfAddress(address)
    yield* addressesIn(latin)
  }
  for (const [path, target] of recording.links) yield* addressesIn(`${path} ${target}`)
  for (const [path, names] of recording.folders) yield* addressesIn([path, ...names].join(' '))
  for (const value of recording.env.values()) yield* addressesIn(value)
}

function textOfAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  return bytes
    .flatMap((byte, at) => (at % 2 === 0 ? [((byte << 8) | (bytes[at + 1] ?? 0)).toString(16)] : []))
    .join(':')
}

type Table = { readonly to: StandIns; readonly words: SecretWords; readonly kept: readonly SecretWord[] }
type How = { readonly sameLength?: boolean; readonly isSerialFile?: boolean }

/**
 * Replaces words first, then tokens. A character that stands for no byte marks each replaced word meanwhile,
 * so that nothing is replaced twice.
 */
function replaceAll(latin: string, { to, words, kept }: Table, how: How = {}): string {
  const drawn: string[] = []
  let text = latin
  for (const { original, fake } of [
    ...kept,
    ...(how.isSerialFile ? words.inSerialFiles : words.everywhere),
  ]) {
    if (!text.includes(original)) continue
    const mark = String.fromCharCode(firstMark + drawn.length)
    const replaced = replaceWord(text, original, mark)
    if (replaced === text) continue
    text = replaced
    drawn.push(how.sameLength ? fake.slice(0, original.length).padEnd(original.length, '0') : fake)
  }
  text = replaceTokens(text, to, how)
  if (drawn.length === 0) return text
  return text.replaceAll(/[\ue000-\uf8ff]/g, (mark) => drawn[mark.charCodeAt(0) - firstMark] ?? mark)
}

/** The private use area of Unicode; bytes end at 0xff. */
const firstMark = 0xe000

/** Short words, and words that could be a part of a number, are replaced only as whole words. */
function replaceWord(text: string, word: string, mark: string): string {
  if (word.length >= 12 && !/^[0-9a-f]+$/i.test(word)) return text.replaceAll(word, mark)
  let result = ''
  let from = 0
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at < from || isAlphanumeric(text[at - 1]) || isAlphanumeric(text[at + word.length])) continue
    result += text.slice(from, at) + mark
    from = at + word.length
  }
  return result + text.slice(from)
}

function isAlphanumeric(character: string | undefined): boolean {
  return character !== undefined && /[0-9A-Za-z]/.test(character)
}

function redactRecording(recording: Recording, table: Table): Recording {
  const text = (value: string): string => textOfLatin(replaceAll(latinOfText(value), table))
  const path = (value: string): string => (value.includes('/efivars/') ? value : text(value))
  const keys = <T>(map: ReadonlyMap<string, T>, as: (value: T) => T = (value) => value): Map<string, T> =>
    new Map([...map].map(([key, value]) => [path(key), as(value)]))
  return {
    ...recording,
    files: new Map([...recording.files].map(([key, bytes]) => [path(key), redactFile(key, bytes, table)])),
    links: keys(recording.links, text),
    folders: new Map(
      [...recording.folders].map(([key, names]) => [
        path(key),
        key.includes('/efivars') ? names : names.map(text),
      ]),
    ),
    unreadable: keys(recording.unreadable),
    modes: keys(recording.modes),
    nodes: keys(recording.nodes),
    env: new Map([...recording.env].map(([name, value]) => [name, text(value)])),
  }
}

function redactFile(path: string, bytes: Uint8Array, table: Table): Uint8Array {
  const { to } = table
  if (path.endsWith('/config') && bytes.length >= 64 && bytes.length <= 4096) return redactConfig(bytes, to)
  if (numbersOnly.test(path)) return bytes
  const keepingLength = (latin: string): string => replaceAll(latin, table, { sameLength: true })
  if (path.includes('/efivars/')) return redactVariable(bytes, to, keepingLength)
  if (path.endsWith('/zpool.cache')) return redactPools(bytes, to, keepingLength)
  const latin = latinOf(bytes)
  const redacted = redactText(path, latin, table)
  return redacted === latin ? bytes : bytesOfLatin(redacted)
}

/** Replaces interface names and words in a table whose addresses are replaced already. */
function replaceNames(latin: string, { to, words }: Table): string {
  let text = replaceNamed(latin, to)
  for (const { original, fake } of words.everywhere)
    if (text.includes(original)) text = replaceWord(text, original, fake)
  return text
}

function redactText(path: string, latin: string, table: Table): string {
  const { to, words } = table
  const isSerialFile = serialFiles.test(path) || path.startsWith('/run/udev/data/')
  const numbers = tableOf(path)
  if (numbers) return replaceNames(numbers(latin, to), table)
  if (secretFiles.test(path)) return to.secret(latin.trim())
  const given = /\/(?:mountinfo|mounts|fstab)$/.test(path)
    ? redactMountOptions(latin, to)
    : redactArgumentFile(path, latin, (value) => (words.originals.has(value) ? value : to.secret(value)))
  const wide = wideFiles.test(path)
    ? latin.replaceAll(
        /\b(0x)?([0-9a-f]{16}|(?<=0x)[0-9a-f]{8})\b/g,
        (_, x = '', hex: string) => `${x}${to.hex(hex)}`,
      )
    : latin
  if (wide !== latin) return wide
  return replaceAll(given, table, { isSerialFile, sameLength: isBinary(path, latin) })
}
