/**
 * report: what a person attaches to a bug report, in one archive: the capture, the journal, the logs of the
 * VMs, the versions. All of it is made anonymous with the stand-ins of the capture. It only looks, and sends
 * nothing.
 */
import { gzipSync } from 'node:zlib'
import { journalFolder, readJournals, type JournalRead } from '../apply/journal.ts'
import { AppError } from '../base/errors.ts'
import { runFolder } from '../base/own-folders.ts'
import { clean } from '../base/printable.ts'
import { writeTar, type TarFile } from '../base/tar.ts'
import { engine } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'
import type { Beside } from '../sources/capture/capture.ts'
import { capture } from './capture.ts'

export type Report = {
  /** A tar archive, packed by gzip. */
  readonly archive: Uint8Array
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  /** Originals that have stand-ins. */
  readonly replaced: number
  /** What could not be read, and so is not in it. */
  readonly missing: readonly string[]
}

export type ReportRequest = {
  /** The program and its version. */
  readonly by: string
  /** Whether what guests printed on their consoles goes along. */
  readonly consoles: boolean
}

type Text = { readonly path: string; readonly text: string }

/** Of a log, its end says what went wrong. */
const logEnd = 65_536
const logLimit = 64 * 1024 * 1024

export async function report(system: System, request: ReportRequest): Promise<Report> {
  const missing: string[] = []
  const journals = readOrNote(system, missing)
  const logs = readLogs(system, request, missing)
  const beside = besideOf(journals, logs)
  const captured = capture(system, request.by, beside)
  const anonymous = (text: string) => captured.redactor.text(text)
  const texts: Text[] = [
    { path: 'versions.txt', text: anonymous(await versions(system, request.by)) },
    { path: 'capture.yaml', text: captured.text },
    ...journals.flatMap((read) => journalTexts(read, anonymous)),
    ...logs.map(({ path, text }) => ({ path: anonymous(path), text: linesOf(anonymous(text)) })),
  ]
  const files = texts.map(({ path, text }): TarFile => ({
    path: `handover-report/${path}`,
    content: new TextEncoder().encode(text),
  }))
  return {
    archive: gzipSync(writeTar(files, system.now().getTime() / 1000)),
    files: files.map(({ path, content }) => ({ path, bytes: content.length })),
    missing: missing.map(anonymous),
    replaced: captured.redactor.count(),
  }
}

function readOrNote(system: System, missing: string[]): readonly JournalRead[] {
  try {
    return readJournals(system)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    missing.push(error.message)
    return []
  }
}

/** A folder for each VM: an engine keeps its logs there, for as long as the VM is not started again. */
function readLogs(system: System, { consoles }: ReportRequest, missing: string[]): Text[] {
  const folder = `${runFolder}/vm`
  const names = system.list(folder)
  if (!names.ok && names.reason !== 'absent') missing.push(`${folder} (${names.code ?? names.reason})`)
  const texts: Text[] = []
  for (const name of names.ok ? names.value : []) {
    const files = system.list(`${folder}/${name}`)
    for (const file of files.ok ? files.value.filter((each) => /\.(?:log|json)$/.test(each)) : []) {
      if (file === 'serial.log' && !consoles) continue
      const text = system.readText(`${folder}/${name}/${file}`, logLimit)
      if (text.ok) texts.push({ path: `vm/${name.slice(0, 40)}/${file}`, text: text.value.slice(-logEnd) })
      else missing.push(`${folder}/${name}/${file} (${text.code ?? text.reason})`)
    }
  }
  return texts
}

/** Serials of devices that left the host are in the journal alone, and nothing reads them again. */
function besideOf(journals: readonly JournalRead[], logs: readonly Text[]): Beside {
  const serials = new Set<string>()
  const texts: [path: string, text: string][] = []
  for (const read of journals) {
    if (!read.ok) continue
    const { record, events } = read.journal
    for (const serial of serialsIn(record)) serials.add(serial)
    for (const step of record.steps) {
      if (step.kind !== 'file') continue
      for (const state of [step.before, step.after]) if (state !== null) texts.push([step.path, state.text])
    }
    texts.push([`${journalFolder}/${record.id}`, JSON.stringify([record, events])])
  }
  for (const { path, text } of logs) texts.push([`${runFolder}/${path}`, text])
  return { serials: [...serials], texts }
}

const serialKeys = /^(?:deviceSerialNumber|nvmeSerial|vpdSerial|sasAddress|diskSerials|serial)$/

function serialsIn(value: unknown, isSerial = false): string[] {
  if (typeof value === 'string') return isSerial ? [value] : []
  if (value === null || typeof value !== 'object') return []
  if (Array.isArray(value)) return value.flatMap((item) => serialsIn(item, isSerial))
  return Object.entries(value).flatMap(([key, item]) => serialsIn(item, serialKeys.test(key)))
}

function journalTexts(read: JournalRead, anonymous: (text: string) => string): Text[] {
  if (!read.ok) return [{ path: `journal/${read.id}.txt`, text: anonymous(`${read.reason}\n`) }]
  const { record, events, status, damage } = read.journal
  const whole = eachString({ ...record, status, events, damage }, anonymous)
  return [{ path: `journal/${record.id}.json`, text: `${JSON.stringify(whole, null, 1)}\n` }]
}

/** A secret stands in a string as it is, and in JSON's text perhaps in other letters. */
function eachString(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => eachString(item, change))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, eachString(item, change)]))
}

/** A guest writes what it likes to its console. */
function linesOf(text: string): string {
  return `${text.split('\n').map(clean).join('\n')}\n`
}

async function versions(system: System, by: string): Promise<string> {
  const kernel = system.readText('/proc/sys/kernel/osrelease', 256)
  const release = system.readText('/etc/os-release', 65_536)
  const pretty = release.ok ? /^PRETTY_NAME="?([^"\n]*)/m.exec(release.value)?.[1] : undefined
  const qemu = system.live ? await engine.version(system) : 'not asked: this is a file tree'
  const lines = [
    by,
    `node ${process.version}`,
    `kernel ${kernel.ok ? kernel.value.trim() : 'unknown'}`,
    `system ${pretty ?? 'unknown'}`,
    `qemu ${qemu ?? 'not installed'}`,
  ]
  return `${lines.join('\n')}\n`
}
