/**
 * A host as one redacted, diffable text: recorded while it is read, cut down, made anonymous, written as
 * YAML.
 */
import { textOf, startReading } from '../../host/read/reading.ts'
import type { Reader } from '../../machine/system.ts'
import type { Host } from '../../host/host.ts'
import { nameDevices, needsNames, readPciIds } from '../../host/read/name-devices.ts'
import { openPciIds } from '../../pci/pci-ids.ts'
import { readHost } from '../../host/read/read-host.ts'
import { formatCapture } from './format.ts'
import { emptyRecording, recordingReader, type Recording } from './recording.ts'
import { reduceRecording } from './reduce.ts'
import { redactorFor, type Redactor } from './redact.ts'

export type Captured = {
  readonly text: string
  /** The host as read, before anything was replaced. */
  readonly host: Host
  /** Secret words replaced, by count; the words themselves stay here. */
  readonly replaced: number
  /** Makes other texts of this host anonymous, with the same stand-ins. */
  readonly redactor: Redactor
}

/**
 * What goes to the same reader as a capture: none of it is in the capture, and it is made anonymous in the
 * same way.
 */
export type Beside = {
  /** Serials that no file of the host states any more. */
  readonly serials: readonly string[]
  /** Path → text; a path that the host has, too, is judged by what is known of that file. */
  readonly texts: readonly (readonly [path: string, text: string])[]
}

export type CaptureOptions = { readonly pciIds?: Uint8Array | undefined; readonly beside?: Beside }

export function captureHost(system: Reader, by: string, options: CaptureOptions = {}): Captured {
  const { pciIds = readPciIds(system), beside } = options
  const recording = emptyRecording(system.live)
  const read = readHost(recordingReader(system, recording))
  const host = needsNames(read) && pciIds !== undefined ? nameDevices(read, openPciIds(pciIds)) : read
  const reduced = reduceRecording(recording)
  const redactor = redactorFor(beside === undefined ? reduced : withTexts(reduced, beside.texts), {
    ...{ host, hostNames: hostNames(system), key: machineKey(system), serials: beside?.serials ?? [] },
  })
  const release = host.kernel.release
  const text = formatCapture(redactor.recording(reduced), {
    by,
    ...(release === undefined ? {} : { kernel: redactor.text(release) }),
    names: namesOf(host),
  })
  return { text, host, replaced: redactor.count(), redactor }
}

/** The secrets of a file are looked for by its path: several texts of one path are looked through as one. */
function withTexts(recording: Recording, texts: Beside['texts']): Recording {
  const files = new Map(recording.files)
  for (const [path, text] of texts) {
    const known = files.get(path) ?? new Uint8Array()
    files.set(path, Buffer.concat([known, Buffer.from(`\n${text}`)]))
  }
  return { ...recording, files }
}

/** Read only to be taken out again. */
function hostNames(system: Reader): string[] {
  const reading = startReading(system)
  const names = ['/proc/sys/kernel/hostname', '/etc/hostname'].flatMap((path) => textOf(reading, path) ?? [])
  return [...new Set(names.flatMap((name) => [name, name.split('.')[0] ?? '']))]
}

/** 128 random bits that a distribution gives each installation (machine-id(5)); never part of a capture. */
function machineKey(system: Reader): string {
  const id = system.readText('/etc/machine-id', 256)
  return id.ok ? id.value.trim() : ''
}

function namesOf(host: Host): Record<string, string> {
  const names = new Map<string, string>()
  for (const { vendorId, deviceId, name, classCode, className } of host.devices) {
    if (name !== undefined && vendorId !== undefined) names.set(`${vendorId}:${deviceId ?? ''}`, name)
    if (className !== undefined && classCode !== undefined) names.set(classCode, className)
  }
  return Object.fromEntries([...names].sort(([a], [b]) => (a < b ? -1 : 1)))
}
