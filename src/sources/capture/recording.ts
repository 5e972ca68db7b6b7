/**
 * A Reader that notes everything it is asked, so that a capture holds exactly what reading a host needs and
 * nothing else. Paths are noted where they really are, and every link on the way is noted too, so a replay
 * walks the same way.
 */
import { recordPath } from '../../host/needs/network/rtnetlink.ts'
import type { FileStat, Reader, ReadFailure, ReadResult } from '../../machine/system.ts'

export type Recording = {
  readonly live: boolean
  readonly files: Map<string, Uint8Array>
  readonly links: Map<string, string>
  /** Names in folders that were listed, and folders that were only asked for. */
  readonly folders: Map<string, readonly string[]>
  /** The kernel's error name, or `too-large`. */
  readonly unreadable: Map<string, string>
  /** Permission bits of files whose mode was asked for. */
  readonly modes: Map<string, number>
  readonly env: Map<string, string>
  /** Numbers of device nodes that programs have open, by the place of the open file. */
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

/** What a person cannot influence is not asked for here: only this variable decides anything in a Host. */
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

/** Answers of the kernel are kept as files: a replay has no kernel to ask, and reads them there. */
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

/** Only that something is there was asked. */
function noteExists(system: Reader, recording: Recording, place: string): void {
  const stat = system.stat(place)
  if (stat.ok) noteStat(recording, place, stat.value)
}

function noteStat(recording: Recording, place: string, stat: FileStat): void {
  if (stat.kind === 'directory' && !recording.folders.has(place)) recording.folders.set(place, [])
  if (stat.kind === 'file') recording.modes.set(place, stat.mode)
}

/** Where a link itself stands: its folder resolved, its own name kept. */
function linkPlace(path: string, at: (path: string) => string): string {
  const slash = path.lastIndexOf('/')
  return `${at(path.slice(0, slash))}${path.slice(slash)}`
}

/**
 * The path with links resolved one by one, each noted. At most 40 links, as the kernel; more stay as they
 * are.
 */
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

/**
 * /proc and most of /sys/devices hold no links on the way down; asking anyway keeps this right everywhere.
 */
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
 * Links to the number of the reading process, which means nothing later: what is below them is noted under
 * these names.
 */
const passing = new Set(['/proc/self', '/proc/net'])

/** Paths known to be no links, per recording: a folder is asked about once, not once per file in it. */
const plain = new WeakMap<Recording, Set<string>>()
