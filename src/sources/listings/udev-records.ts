/**
 * Parses the record format of `udevadm info --export-db` and umockdev: lines `X: rest`, and an empty line
 * between records.
 *
 *   P: /devices/pci0000:00/0000:00:1f.2        E: PCI_ID=8086:8C02
 *   A: class=0x010601\n   H: config=868002…    L: driver=../../../bus/pci/drivers/ahci      (umockdev only)
 */
import { eachLine } from './text.ts'

export type UdevRecord = {
  /** Below /sys, starting with `/devices/`. */
  readonly path: string
  readonly properties: ReadonlyMap<string, string>
  /** Attribute text (A:) with `\n` and `\\` decoded; bytes in hex (H:); link targets (L:). */
  readonly attributes: ReadonlyMap<string, string>
  readonly hexAttributes: ReadonlyMap<string, string>
  readonly links: ReadonlyMap<string, string>
}

/** A record has few attributes; the limit stops a hostile one from using all memory. */
const perRecordCap = 4096

/** Long lines are needed: a `config` of 4096 bytes has 8200 characters. */
const longLineCap = 300_000

export function* eachUdevRecord(text: string): Generator<UdevRecord> {
  let record = emptyRecord()
  for (const raw of eachLine(text, longLineCap)) {
    const line = raw.replace(/^\u001b\[[0-9;]{0,20}m/, '').trimEnd()
    if (line === '') {
      if (record.path !== '') yield record
      record = emptyRecord()
      continue
    }
    const [, tag = '', rest = ''] = /^[\s>#|]{0,20}([A-Z]): (.*)$/.exec(line) ?? []
    if (tag === 'P') {
      if (record.path !== '') yield record
      record = { ...emptyRecord(), path: normalPath(rest) }
    } else if (record.path !== '') addLine(record, tag, rest)
  }
  if (record.path !== '') yield record
}

type RecordDraft = {
  readonly path: string
  readonly properties: Map<string, string>
  readonly attributes: Map<string, string>
  readonly hexAttributes: Map<string, string>
  readonly links: Map<string, string>
}

function emptyRecord(): RecordDraft {
  return {
    path: '',
    properties: new Map(),
    attributes: new Map(),
    hexAttributes: new Map(),
    links: new Map(),
  }
}

function normalPath(text: string): string {
  const path = text.trim().replace(/^\/sys(?=\/)/, '')
  return path.startsWith('/devices/') && !path.includes('/../') && path.length < 2000 ? path : ''
}

function addLine(record: RecordDraft, tag: string, rest: string): void {
  const equals = rest.indexOf('=')
  if (equals <= 0) return
  const key = rest.slice(0, equals)
  const value = rest.slice(equals + 1)
  const into =
    tag === 'E'
      ? record.properties
      : tag === 'A'
        ? record.attributes
        : tag === 'H'
          ? record.hexAttributes
          : tag === 'L'
            ? record.links
            : undefined
  if (!into || into.size >= perRecordCap) return
  into.set(key, tag === 'A' ? unescape(value) : value)
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\n])/g, (_, c: string) => (c === 'n' ? '\n' : '\\')) : text
}
