/**
 * A Reader that records every request and its answer, so that a capture holds exactly what reading the host
 * needs. It records paths with their links resolved, and each of the links, so that a replay takes the same
 * way.
 */
import { recordPath } from '../../host/needs/network/rtnetlink.ts'
import type { FileStat, Reader, ReadFailure, ReadResult } from '../../machine/system.ts'

export type Recording = {
  readonly live: boolean
  readonly files: Map<string, Uint8Array>
  readonly links: Map<string, string>
  /** Names in listed folders. Empty for folders whose existence alone was asked. */
  readonly folders: Map<string, readonly string[]>
  /** The kernel's error name, or `too-large`. */
  readonly unreadable: Map<string, string>
  /** Permission bits of the files whose mode was read. */
  readonly modes: Map<string, number>
  readonly env: Map<string, string>
  /** Path of the open file → number of the device node. */
  readonly nodes: Map<string, string>
}

export function emptyRecording(live: boolean): Recording {
  return {
    live,
    files: new Map(),
    links: new Map(),
    folders: new Map(),
    unreadable: new Map(),
    modes: new Map(),
    env: new Map(),
    nodes: new Map(),
  }
}

/** The only environment variable on which a Host depends. */
const envNames = new Set(['SSH_CONNECTION'])

export function recordingReader(system: Reader, recording: Recording): Reader {
  const places = new Map<string, string>()
  const at = (path: string): string => placeOf(system, recording, path, places)
  return {
    live: system.live,
    ...recordedFiles(system, recording, at),
    ...recordedLinks(system, recording, at),
    env: (name) => {
      const value = system.env(name)
      if (value !== undefined && envNames.has(name)) recording.env.set(name, value)
      return value
    },
    ...recordedKernel(system, recording),
  }
}

type At = (path: string) => string

function recordedFiles(
  system: Reader,
  recording: Recording,
  at: At,
): Pick<Reader, 'readText' | 'readBytes' | 'list' | 'realPath'> {
  const note = <T>(
    path: string,
    result: ReadResult<T>,
    keep: (place: string, value: T) => void,
  ): ReadResult<T> => {
    if (result.ok) keep(at(path), result.value)
    else noteFailure(recording, at(path), result)
    return result
  }
  return {
    readText: (path, limit) =>
      note(path, system.readText(path, limit), (place, text) =>
        recording.files.set(place, new TextEncoder().encode(text)),
      ),
    readBytes: (path, limit) =>
      note(path, system.readBytes(path, limit), (place, bytes) => recording.files.set(place, bytes)),
    list: (path) => note(path, system.list(path), (place, names) => recording.folders.set(place, names)),
    realPath: (path) => note(path, system.realPath(path), (place) => noteExists(system, recording, place)),
  }
}

function recordedLinks(system: Reader, recording: Recording, at: At): Pick<Reader, 'readLink' | 'stat'> {
  return {
    readLink: (path) => {
      const result = system.readLink(path)
      if (result.ok) recording.links.set(linkPlace(path, at), result.value)
      else noteFailure(recording, linkPlace(path, at), result)
      return result
    },
    stat: (path) => {
      const result = system.stat(path)
      if (result.ok)
        noteStat(recording, result.value.kind === 'link' ? linkPlace(path, at) : at(path), result.value)
      return result
    },
  }
}

/** Answers of the kernel are recorded as files, which a replay reads because it has no kernel to ask. */
function recordedKernel(
  { nodeNumber, showNetwork }: Reader,
  recording: Recording,
): Pick<Reader, 'nodeNumber' | 'showNetwork'> {
  return {
    ...(showNetwork && {
      showNetwork: (question) => {
        const answer = showNetwork(question)
        const place = recordPath(question)
        if (answer.ok) recording.files.set(place, new TextEncoder().encode(answer.value))
        else noteFailure(recording, place, answer)
        return answer
      },
    }),
    ...(nodeNumber && {
      nodeNumber: (path) => {
        const number = nodeNumber(path)
        if (number !== undefined) recording.nodes.set(path, number)
        return number
      },
    }),
  }
}

function noteFailure(recording: Recording, place: string, failure: ReadFailure): void {
  if (failure.reason === 'unreadable') recording.unreadable.set(place, failure.code ?? 'EIO')
  if (failure.reason === 'too-large') recording.unreadable.set(place, 'too-large')
}

/** Records that something exists. */
function noteExists(system: Reader, recording: Recording, place: string): void {
  const stat = system.stat(place)
  if (stat.ok) noteStat(recording, place, stat.value)
}

function noteStat(recording: Recording, place: string, stat: FileStat): void {
  if (stat.kind === 'directory' && !recording.folders.has(place)) recording.folders.set(place, [])
  if (stat.kind === 'file') recording.modes.set(place, stat.mode)
}

/** The path of a link itself: its folder resolved, its own name kept. */
function linkPlace(path: string, at: (path: string) => string): string {
  const slash = path.lastIndexOf('/')
  return `${at(path.slice(0, slash))}${path.slice(slash)}`
}

/** Resolves the links of a path one by one and records each. It resolves at most 40, as the kernel does. */
function placeOf(system: Reader, recording: Recording, path: string, places: Map<string, string>): string {
  const known = places.get(path)
  if (known !== undefined) return known
  const pending = path.split('/').filter(Boolean)
  let place = ''
  let links = 0
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '.') continue
    if (part === '..') {
      place = place.slice(0, Math.max(0, place.lastIndexOf('/')))
      continue
    }
    const here = `${place}/${part}`
    const target = links < 40 ? linkTarget(system, recording, here) : undefined
    if (target === undefined) {
      place = here
      continue
    }
    links++
    if (target.startsWith('/')) place = ''
    pending.unshift(...target.split('/').filter(Boolean))
  }
  places.set(path, place)
  return place
}

/** Reads the link even below /proc and /sys/devices, where links are rare, so that no link is missed. */
function linkTarget(system: Reader, recording: Recording, path: string): string | undefined {
  const known = recording.links.get(path)
  if (known !== undefined) return known
  if (passing.has(path) || plain.get(recording)?.has(path)) return undefined
  const link = system.readLink(path)
  if (link.ok) {
    recording.links.set(path, link.value)
    return link.value
  }
  const set = plain.get(recording) ?? new Set<string>()
  plain.set(recording, set.add(path))
  return undefined
}

/**
 * These links lead to the number of the reading process, which has no meaning later, so the paths below them
 * are recorded unresolved.
 */
const passing = new Set(['/proc/self', '/proc/net'])

/** Paths that are not links, for each recording, so that each folder is read only once. */
const plain = new WeakMap<Recording, Set<string>>()
