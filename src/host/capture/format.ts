/**
 * A recording as one YAML text, made to be read and compared by people: keys sorted, one line per short attribute,
 * configuration space as lines of 32 bytes with runs of zeros left out. parse-capture.ts reads it back.
 *
 *     handover: capture
 *     version: 1
 *     files:
 *       /proc/sys/kernel/osrelease: 6.1.0-45-amd64
 *     links:
 *       /sys/bus/pci/devices/0000:01:00.0: ../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0
 *     bytes:
 *       /sys/devices/…/0000:01:00.0/config: |
 *         4096 bytes
 *         000: 8680d310070010000000000210000000…
 */
import { stringify } from 'yaml'
import { toHex } from '../hex.ts'
import type { Recording } from './recording.ts'

export type CaptureHead = {
  /** `handover 0.1.0`. */
  readonly by: string
  readonly kernel?: string
  readonly names: Readonly<Record<string, string>>
}

/** Names a device's folder may be asked for without anything in it being read. */
const toldByName = /^(?:lower_.*|bonding|bridge|slaves|nvme\d.*)$/

export function formatCapture(recording: Recording, head: CaptureHead): string {
  const { files, bytes } = splitFiles(recording)
  const document = {
    handover: 'capture',
    version: '1',
    taken: { by: head.by, ...(head.kernel === undefined ? {} : { kernel: head.kernel }), live: String(recording.live) },
    ...(recording.env.size > 0 ? { env: Object.fromEntries(recording.env) } : {}),
    names: head.names,
    files,
    links: sorted(recording.links),
    folders: foldersToKeep(recording),
    bytes,
    modes: modesToKeep(recording),
    unreadable: sorted(recording.unreadable),
    ...(recording.nodes.size > 0 ? { nodes: sorted(recording.nodes) } : {}),
  }
  const comment =
    '# A host as handover read it. Serials, MACs, UUIDs and host names are stable fakes.\n# Read it back: handover inspect --from THIS-FILE\n'
  return comment + stringify(document, { schema: 'failsafe', lineWidth: 0, aliasDuplicateObjects: false })
}

/** Octal, as `chmod` takes them; 644 is what an absent line means. */
function modesToKeep(recording: Recording): Record<string, string> {
  const modes = new Map<string, string>()
  for (const [path, mode] of recording.modes)
    if (mode !== 0o644 && recording.files.has(path)) modes.set(path, mode.toString(8).padStart(3, '0'))
  return sorted(modes)
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Kernel attributes lose their last newline; files a plan may edit keep every byte. */
function splitFiles(recording: Recording): { files: Record<string, string>; bytes: Record<string, string> } {
  const files = new Map<string, string>()
  const binary = new Map<string, string>()
  for (const [path, content] of recording.files) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
    const isText = !/[\u0000-\u0008\u000b-\u001f\ufffd]/.test(text) || /^\/proc\/\d+\/cmdline$/.test(path)
    if (!isText || path.endsWith('/config')) binary.set(path, hexLines(content))
    else files.set(path, /^\/(?:sys|proc)\//.test(path) ? text.replace(/\n$/, '') : text)
  }
  return { files: sorted(files), bytes: sorted(binary) }
}

const lineBytes = 32

function hexLines(content: Uint8Array): string {
  const lines = [`${content.length} bytes`]
  for (let at = 0; at < content.length; at += lineBytes) {
    const part = content.subarray(at, at + lineBytes)
    if (part.some((byte) => byte !== 0)) lines.push(`${at.toString(16).padStart(3, '0')}: ${toHex(part)}`)
  }
  return `${lines.join('\n')}\n`
}

/**
 * Names that something else in the capture shows need no line of their own. The folder of a device has dozens of
 * attributes nobody reads, so of those only the telling ones stay; empty folders stay, because being empty is a fact.
 */
function foldersToKeep(recording: Recording): Record<string, readonly string[]> {
  const shown = new Set<string>()
  for (const paths of [recording.files, recording.links, recording.unreadable, recording.folders])
    for (const path of paths.keys())
      for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
        if (shown.has(at)) break
        shown.add(at)
      }
  const kept = new Map<string, readonly string[]>()
  for (const [path, names] of recording.folders) {
    const isDevice = names.includes('uevent') || (names.includes('vendor') && names.includes('device'))
    const rest = names.filter((name) => !shown.has(`${path}/${name}`) && (!isDevice || toldByName.test(name)))
    const isSeen = names.some((name) => shown.has(`${path}/${name}`))
    if (rest.length > 0 || !isSeen) kept.set(path, rest)
  }
  return sorted(kept)
}
