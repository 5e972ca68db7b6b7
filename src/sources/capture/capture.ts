/**
 * Writes a host as one redacted, diffable text: it records what the readers read, reduces it, replaces
 * secrets and writes YAML.
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
  /** The host before anything was replaced. */
  readonly host: Host
  /** The number of replaced secrets. The secrets themselves are not returned. */
  readonly replaced: number
  /** Redacts other texts of this host with the same stand-ins. */
  readonly redactor: Redactor
}

/**
 * Texts that are sent together with a capture. They are not in the capture, but are redacted in the same way.
 */
export type Beside = {
  /** Serials that no file of the host holds any more. */
  readonly serials: readonly string[]
  /** Path → text. The text is redacted by the rules for a host file of this path. */
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

/** Secrets are searched by the path of a file, so texts of one path are joined. */
function withTexts(recording: Recording, texts: Beside['texts']): Recording {
  const files = new Map(recording.files)
  for (const [path, text] of texts) {
    const known = files.get(path) ?? new Uint8Array()
    files.set(path, Buffer.concat([known, Buffer.from(`\n${text}`)]))
  }
  return { ...recording, files }
}

/** The host's names, which are read only to be replaced. */
function hostNames(system: Reader): string[] {
  const reading = startReading(system)
  const names = ['/proc/sys/kernel/hostname', '/etc/hostname'].flatMap((path) => textOf(reading, path) ?? [])
  return [...new Set(names.flatMap((name) => [name, name.split('.')[0] ?? '']))]
}

/** The machine id: 128 random bits for each installation (machine-id(5)). It is never part of a capture. */
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
