/**
 * Turns the text of a capture into a Host. The readers of the live machine read the recorded tree, so a later
 * version can understand more of an old capture.
 */
import { bytesText } from '../../base/size.ts'
import { defined } from '../../base/defined.ts'
import { parse } from 'yaml'
import type { Finding } from '../../base/finding.ts'
import { addToTree, emptyTree, treeReader, type Tree } from '../tree.ts'
import type { Reader } from '../../machine/system.ts'
import type { Host } from '../../host/host.ts'
import { readHost } from '../../host/read/read-host.ts'

/** The largest capture that is read; that of a server with hundreds of functions has about 2 MiB. */
export const captureCap = 24 * 1024 * 1024

export type CaptureReading =
  | { readonly ok: true; readonly host: Host }
  | { readonly ok: false; readonly message: string; readonly help: string }

/** Recognises a capture by its first key. This is fast for any text. */
export function isCapture(text: string): boolean {
  // Every alternative matches exactly one line, so a text of empty lines cannot cause backtracking.
  return /^(?:#[^\n]*\n|[ \t\r]*\n|---[ \t\r]*\n)*handover:\s{0,20}['"]?capture\b/.test(text.slice(0, 4096))
}

export function parseCapture(text: string, name: string): CaptureReading {
  if (text.length > captureCap)
    return refuse(`${name} is too large for a capture`, `a capture has at most ${bytesText(captureCap)}`)
  let document: unknown
  try {
    // Every scalar is read as text: `0x8086` and `1` are attributes, not numbers.
    document = parse(text, { maxAliasCount: 0, schema: 'failsafe', uniqueKeys: true, logLevel: 'error' })
  } catch (error) {
    return refuse(`${name} is a capture with broken YAML: ${firstLine(error)}`, 'capture the host again')
  }
  if (!isRecord(document)) return refuse(`${name} does not hold a capture`, 'capture the host again')
  if (document['version'] !== '1')
    return refuse(
      `${name} is a capture of another version; this program reads version 1`,
      'use a newer handover',
    )
  const { tree, rejected } = buildTree(document)
  const host = readHost(replayReader(tree, document), { kind: 'capture', name })
  const findings: Finding[] =
    rejected.length === 0
      ? []
      : [
          {
            code: 'input-incomplete',
            severity: 'warning',
            message: `${name}: ${rejected.length} entries cannot be used, the first is ${rejected[0] ?? ''}`,
            help: 'capture the host again',
          },
        ]
  return {
    ok: true,
    host: { ...withNames(host, document['names']), findings: [...host.findings, ...findings] },
  }
}

function refuse(message: string, help: string): CaptureReading {
  return { ok: false, message, help }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entriesOf(document: Readonly<Record<string, unknown>>, key: string): [string, unknown][] {
  const section = document[key]
  return isRecord(section) ? Object.entries(section) : []
}

function buildTree(document: Readonly<Record<string, unknown>>): { tree: Tree; rejected: string[] } {
  const tree = emptyTree()
  const rejected: string[] = []
  const add = (path: string, node: Parameters<typeof addToTree>[2] | undefined): void => {
    if (!node || !path.startsWith('/') || !addToTree(tree, path, node)) rejected.push(path.slice(0, 200))
  }
  const modes = new Map(entriesOf(document, 'modes'))
  for (const [path, names] of entriesOf(document, 'folders')) {
    add(path, emptyTree())
    for (const name of Array.isArray(names) ? names : []) {
      const text = typeof name === 'string' ? name : ''
      if (/^[^/\0]{1,255}$/.test(text) && text !== '.' && text !== '..')
        add(`${path}/${text}`, { kind: 'file', bytes: new Uint8Array() })
    }
  }
  for (const [path, target] of entriesOf(document, 'links'))
    add(path, typeof target === 'string' ? { kind: 'link', target } : undefined)
  for (const [path, text] of entriesOf(document, 'files')) {
    const mode = modes.get(path)
    const content = typeof text === 'string' ? text : undefined
    add(
      path,
      content === undefined
        ? undefined
        : { kind: 'file', bytes: new TextEncoder().encode(content), ...modeOf(mode) },
    )
  }
  for (const [path, text] of entriesOf(document, 'bytes')) {
    const bytes = typeof text === 'string' ? parseHexLines(text) : undefined
    add(path, bytes && { kind: 'file', bytes })
  }
  for (const [path, code] of entriesOf(document, 'unreadable'))
    add(path, typeof code === 'string' ? { kind: 'unreadable', code } : undefined)
  return { tree, rejected }
}

function modeOf(text: unknown): { mode?: number } {
  return typeof text === 'string' && /^[0-7]{3,4}$/.test(text) ? { mode: Number.parseInt(text, 8) } : {}
}

/** Parses lines of `offset: hex`; the first line states the length, at most 1 MiB. */
export function parseHexLines(text: string): Uint8Array | undefined {
  const [head = '', ...lines] = text.split('\n')
  const length = Number(/^(\d{1,7}) bytes$/.exec(head)?.[1] ?? Number.NaN)
  if (!(length <= 1 << 20)) return undefined
  const bytes = new Uint8Array(length)
  for (const line of lines) {
    if (line === '') continue
    const match = /^([0-9a-f]{1,6}): ((?:[0-9a-f]{2}){1,64})$/.exec(line)
    if (!match) return undefined
    const start = Number.parseInt(match[1] ?? '', 16)
    const hex = match[2] ?? ''
    if (start + hex.length / 2 > length) return undefined
    for (let at = 0; at < hex.length; at += 2)
      bytes[start + at / 2] = Number.parseInt(hex.slice(at, at + 2), 16)
  }
  return bytes
}

/**
 * A replay reports `live` as the original did, because a missing file means "there is none" on a running
 * machine and "not kept" in an archive.
 */
function replayReader(tree: Tree, document: Readonly<Record<string, unknown>>): Reader {
  const taken = document['taken']
  const env = new Map(entriesOf(document, 'env'))
  const nodes = new Map(entriesOf(document, 'nodes'))
  return {
    ...treeReader(tree),
    live: isRecord(taken) && taken['live'] === 'true',
    env: (name) => {
      const value = env.get(name)
      return typeof value === 'string' ? value : undefined
    },
    nodeNumber: (path) => {
      const number = nodes.get(path)
      return typeof number === 'string' ? number : undefined
    },
  }
}

/**
 * `names` maps `vvvv:dddd` to the name of the device, and six class digits to the name of the class, as the
 * captured host knew them.
 */
function withNames(host: Host, names: unknown): Host {
  if (!isRecord(names)) return host
  const text = (key: string): string | undefined => {
    const value = names[key]
    return typeof value === 'string' ? value : undefined
  }
  const devices = host.devices.map((device) => {
    const name = text(`${device.vendorId}:${device.deviceId}`)
    const className = device.classCode === undefined ? undefined : text(device.classCode)
    return { ...device, ...defined({ name, className }) }
  })
  return { ...host, devices }
}
