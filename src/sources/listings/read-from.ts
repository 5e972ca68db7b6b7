/**
 * `--from`: reads a Host from anything that a user can paste or save. The content decides the form, never the
 * file name. This file recognises the forms and limits their size; each form has its own file beside this
 * one.
 */
import { bytesText } from '../../base/size.ts'
import { UsageError } from '../../base/errors.ts'
import { treeReader, type Tree } from '../tree.ts'
import type { Reader, ReadResult } from '../../machine/system.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host, SourceKind } from '../../host/host.ts'
import { readHost } from '../../host/read/read-host.ts'
import { isFacterReport, readFacter } from './facter.ts'
import { isHardwareList, readHardwareList } from './lshw.ts'
import { namedForm } from './named-forms.ts'
import { isNodeHardware, readNodeHardware } from './pvesh.ts'
import { parseLooseJson } from './json-text.ts'
import { readListing } from './listing.ts'
import { readNodedev, xmlCap } from './nodedev.ts'
import { isTar, readTar } from './tar.ts'
import { isCapture, parseCapture } from '../capture/parse-capture.ts'
import { cleanLines, decodeText, isBinary } from './text.ts'
import { readUdevadm } from './udevadm.ts'
import { isRecording, umockdevTree } from './umockdev.ts'

export type HostInput = { readonly name: string } & (
  { readonly bytes: Uint8Array } | { readonly folder: string }
)

/** The access that reading needs: folders as Readers, and gzip. */
export type ImportSystem = {
  openFolder(path: string): Reader
  gunzip(bytes: Uint8Array, limit: number): ReadResult<Uint8Array>
}

export type HostReading =
  { readonly ok: true; readonly host: Host } | { readonly ok: false; readonly error: UsageError }

/** The largest text and the largest unpacked archive. A machine's whole sysfs has about 10 MiB. */
export const textCap = 64 * 1024 * 1024
export const archiveCap = 256 * 1024 * 1024
/** The largest size of an input that begins with these bytes. */
export function inputCap(head: Uint8Array): number {
  return (head[0] === 0x1f && head[1] === 0x8b) || isTar(head) ? archiveCap : textCap
}

const jsonCap = 32 * 1024 * 1024

const forms =
  'a capture, a folder or .tar.gz with sys/ in it, a umockdev recording, lspci text (lspci ' +
  '-nnkvvv as root says most), a listing of the IOMMU groups, a kernel log, `udevadm info ' +
  '--export-db`, `virsh nodedev-dumpxml`, a nixos-facter report, `hwinfo --pci`, `lshw ' +
  '-json`, `dpdk-devbind.py --status` or `pvesh get /nodes/NODE/hardware/pci`'

export function readHostFrom(input: HostInput, system: ImportSystem): HostReading {
  if ('folder' in input) return readFolder(input, system)
  const { name, bytes } = input
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const unpacked = system.gunzip(bytes, archiveCap)
    if (unpacked.ok) return readBytes(name, unpacked.value)
    return refuse(
      unpacked.reason === 'too-large'
        ? `${name} unpacks to more than ${bytesText(archiveCap)}`
        : `${name} is damaged: gzip cannot unpack it`,
      'create the archive again with sys/, proc/ and etc/ only',
    )
  }
  return readBytes(name, bytes)
}

function readFolder(
  input: { readonly name: string; readonly folder: string },
  system: ImportSystem,
): HostReading {
  const opened = system.openFolder(input.folder)
  const reader = opened.stat('/bus/pci/devices').ok && !opened.stat('/sys').ok ? underSys(opened) : opened
  if (reader.stat('/sys/bus/pci/devices').ok)
    return { ok: true, host: readHost(reader, { kind: 'sysfs', name: input.name }) }
  return refuse(
    `${input.name} is a folder without sys/bus/pci/devices in it`,
    'name the folder that holds sys/ (and proc/ and etc/ beside it), or a single file',
  )
}

/** Reads a folder that is a copy of /sys as if it were in its usual place. */
function underSys(inside: Reader): Reader {
  const path = (outer: string) => (/^\/sys(?:\/|$)/.test(outer) ? outer.slice(4) || '/' : `/absent${outer}`)
  return {
    live: false,
    readText: (outer, limit) => inside.readText(path(outer), limit),
    readBytes: (outer, limit) => inside.readBytes(path(outer), limit),
    list: (outer) => inside.list(path(outer)),
    readLink: (outer) => inside.readLink(path(outer)),
    realPath: (outer) => {
      const real = inside.realPath(path(outer))
      return real.ok ? { ok: true, value: `/sys${real.value}` } : real
    },
    stat: (outer) => inside.stat(path(outer)),
    env: () => undefined,
  }
}

function readBytes(name: string, bytes: Uint8Array): HostReading {
  if (isTar(bytes)) return readArchive(name, bytes)
  if (bytes.length > textCap)
    return refuse(
      `${name} is larger than ${bytesText(textCap)} of text`,
      'keep only what states the PCI functions; of a log: grep -E "iommu|pci [0-9a-f]{4}:|DMAR|AMD-Vi"',
    )
  const packed = packedWith(bytes)
  if (packed !== undefined)
    return refuse(`${name} is packed with ${packed}`, 'unpack it first, or pack it with gzip')
  if (isBinary(bytes)) return refuse(`${name} is not text and not an archive`, `--from takes ${forms}`)
  const text = decodeText(bytes)
  if (isCapture(text)) {
    const capture = parseCapture(text, name)
    return capture.ok ? capture : refuse(capture.message, capture.help)
  }
  const host = readText(name, text)
  if (host) return { ok: true, host }
  // Cleaning shortens long lines, and documents may have them, so the text is tried first without cleaning.
  const cleaned = text.length <= jsonCap ? [...cleanLines(text)].join('\n') : text
  const again = readText(name, cleaned)
  if (again) return { ok: true, host: again }
  const form = namedForm(cleaned)
  if (form)
    return refuse(`${name} is ${form.name}, which Handover cannot read`, `give the output of: ${form.run}`)
  return refuse(
    text.trim() === '' ? `${name} is empty` : `${name} states nothing about PCI functions or IOMMU groups`,
    `--from takes ${forms}`,
  )
}

function readArchive(name: string, bytes: Uint8Array): HostReading {
  const { tree, notes } = readTar(bytes)
  const host = fromTree(tree, { kind: 'sysfs', name }, notes)
  if (host) return { ok: true, host }
  return refuse(
    `${name} is an archive without sys/bus/pci/devices in it`,
    'make it with: tar czf host.tar.gz --ignore-failed-read /sys/bus/pci /sys/devices ' +
      '/sys/kernel/iommu_groups',
  )
}

function fromTree(
  tree: Tree,
  source: { readonly kind: SourceKind; readonly name: string },
  notes: readonly string[],
): Host | undefined {
  const reader = treeReader(tree)
  const listed = reader.list('/sys/bus/pci/devices')
  if (!listed.ok || listed.value.length === 0) return undefined
  const host = readHost(reader, source)
  const findings = notes.map((message): Finding => ({ code: 'input-incomplete', severity: 'note', message }))
  return { ...host, findings: [...host.findings, ...findings] }
}

/** Tries the forms, the one with the most certain mark first. If a mark misleads, the next form is tried. */
function readText(name: string, text: string): Host | undefined {
  const head = text.slice(0, 1_000_000)
  if (/^[\s>]{0,40}P: \/devices\//m.test(head)) {
    const tree = isRecording(text) ? umockdevTree(text) : undefined
    const host = tree ? fromTree(tree, { kind: 'umockdev', name }, []) : readUdevadm(text, name)
    if (host) return host
  }
  if (/<capability type=['"]pci['"]/.test(head) && text.length <= xmlCap) {
    const host = readNodedev(text, name)
    if (host) return host
  }
  return (text.length <= jsonCap ? readJson(name, text, head) : undefined) ?? readListing(text, name)
}

type JsonForm = {
  readonly mark: RegExp
  readonly first: 'object' | 'list'
  readonly read: (document: unknown, name: string) => Host | undefined
}

const jsonForms: readonly JsonForm[] = [
  {
    mark: /"(?:bus_type|sysfs_bus_id|hardware)"\s{0,8}:/,
    first: 'object',
    read: (document, name) => (isFacterReport(document) ? readFacter(document, name) : undefined),
  },
  {
    mark: /"iommugroup"\s{0,8}:|"vendor_name"\s{0,8}:/,
    first: 'list',
    read: (document, name) => (isNodeHardware(document) ? readNodeHardware(document, name) : undefined),
  },
  ...(['list', 'object'] as const).map((first) => ({
    mark: /"businfo"\s{0,8}:/,
    first,
    read: (document: unknown, name: string) =>
      isHardwareList(document) ? readHardwareList(document, name) : undefined,
  })),
]

function readJson(name: string, text: string, head: string): Host | undefined {
  for (const { mark, first, read } of jsonForms) {
    if (!mark.test(head)) continue
    const document = parseLooseJson(text, first)
    const host = document && read(document.value, name)
    if (host && document)
      return document.isCut ? withNote(host, `${name} is cut off; what follows the cut is not known`) : host
  }
  return undefined
}

function withNote(host: Host, message: string): Host {
  return { ...host, findings: [...host.findings, { code: 'input-incomplete', severity: 'note', message }] }
}

function packedWith(bytes: Uint8Array): string | undefined {
  const starts = (...magic: number[]) => magic.every((byte, index) => bytes[index] === byte)
  if (starts(0xfd, 0x37, 0x7a, 0x58)) return 'xz'
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2'
  if (starts(0x50, 0x4b, 0x03, 0x04)) return 'zip'
  return undefined
}

function refuse(message: string, help: string): HostReading {
  return { ok: false, error: new UsageError(message, help) }
}
