/**
 * Writes a recording as one YAML text for people to read and compare: sorted keys, one line for each short
 * attribute, configuration space in lines of 32 bytes without runs of zeros. parse-capture.ts reads it.
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
import { defined } from '../../base/defined.ts'
import { hex, toHex } from '../../pci/hex.ts'
import { wholeWords } from './whole-words.ts'
import { stringify } from 'yaml'
import type { Recording } from './recording.ts'

export type CaptureHead = {
  /** `handover 0.1.0`. */
  readonly by: string
  readonly kernel?: string
  readonly names: Readonly<Record<string, string>>
}

/** Attributes and folders that every device of a kind has, so their names carry no information. */
const commonAttributes = wholeWords(
  'uevent power subsystem subsystem_(?:vendor|device) vendor device class revision config',
  String.raw`resource\d*(?:_wc)? irq msi_bus msi_irqs modalias broken_parity_status consistent_dma_mask_bits`,
  String.raw`dma_mask_bits d3cold_allowed enable local_cpu(?:s|list) numa_node ari_enabled aer_\w+`,
  String.raw`(?:current|max)_link_\w+ link remove rescan reset reset_method driver_override power_state`,
  'firmware_node wakeup rom vpd label index acpi_index boot_vga secondary_bus_number',
  'subordinate_bus_number waiting_for_supplier pci_bus dev size ro range ext_range removable',
  String.raw`capability stat inflight events\w* diskseq alignment_offset discard_alignment trace queue mq`,
  String.raw`integrity bdi statistics queues addr_len addr_assign_type address broadcast carrier\w* dev_id`,
  'dev_port dormant duplex flags gro_flush_timeout ifalias ifindex iflink link_mode mtu',
  'name_assign_type napi_defer_hard_irqs netdev_group operstate',
  'phys_(?:port_id|port_name|switch_id) proto_down speed testing threaded tx_queue_len type',
)

export function formatCapture(recording: Recording, head: CaptureHead): string {
  const { files, bytes } = splitFiles(recording)
  const document = {
    handover: 'capture',
    version: '1',
    taken: { by: head.by, ...defined({ kernel: head.kernel }), live: String(recording.live) },
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
    '# A host as handover read it. Serials, MACs, addresses, UUIDs, host names and ' +
    'passwords are stable stand-ins.\n# Read it back: handover inspect --from THIS-FILE\n'
  return comment + stringify(document, { schema: 'failsafe', lineWidth: 0, aliasDuplicateObjects: false })
}

/** Octal, as for `chmod`. A file without a line has mode 644. */
function modesToKeep(recording: Recording): Record<string, string> {
  const modes = new Map<string, string>()
  for (const [path, mode] of recording.modes)
    if (mode !== 0o644 && recording.files.has(path)) modes.set(path, mode.toString(8).padStart(3, '0'))
  return sorted(modes)
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The last newline of a kernel attribute is removed; files that a plan may edit keep every byte. */
function splitFiles(recording: Recording): { files: Record<string, string>; bytes: Record<string, string> } {
  const files = new Map<string, string>()
  const binary = new Map<string, string>()
  for (const [path, content] of recording.files) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
    const isText =
      !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/.test(text) || /^\/proc\/\d+\/cmdline$/.test(path)
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
    if (part.some((byte) => byte !== 0)) lines.push(`${hex(at, 3)}: ${toHex(part)}`)
  }
  return `${lines.join('\n')}\n`
}

/**
 * Leaves out names that another part of the capture shows, and the attributes that every device of a kind
 * has. Empty folders stay, because their emptiness is a fact.
 */
function foldersToKeep(recording: Recording): Record<string, readonly string[]> {
  const shown = new Set<string>()
  const show = (path: string): void => {
    for (let at = path; at !== '' && !shown.has(at); at = at.slice(0, at.lastIndexOf('/'))) shown.add(at)
  }
  for (const paths of [recording.files, recording.links, recording.unreadable, recording.folders])
    for (const path of paths.keys()) show(path)
  const kept = new Map<string, readonly string[]>()
  for (const path of recording.modes.keys()) {
    if (shown.has(path)) continue
    // The reader only asked whether this file exists, so its content is unknown.
    const slash = path.lastIndexOf('/')
    const folder = path.slice(0, slash)
    show(folder)
    kept.set(folder, [...(kept.get(folder) ?? []), path.slice(slash + 1)])
  }
  for (const [path, names] of recording.folders) {
    const isDevice = names.includes('uevent') || (names.includes('vendor') && names.includes('device'))
    const rest = names.filter(
      (name) => !shown.has(`${path}/${name}`) && (!isDevice || !commonAttributes.test(name)),
    )
    const isSeen = names.some((name) => shown.has(`${path}/${name}`))
    if (rest.length > 0 || !isSeen) kept.set(path, [...new Set([...(kept.get(path) ?? []), ...rest])])
  }
  return sorted(kept)
}
