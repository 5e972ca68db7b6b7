/**
 * Finds secret words that have no typical shape: serials, host names, users, passwords and keys. They are
 * found where a file name, a field or an argument states their meaning, and are then replaced everywhere.
 */
import { wholeWords } from './whole-words.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { Host } from '../../host/host.ts'
import { latinOf, latinOfText } from './bytes.ts'
import type { Recording } from './recording.ts'
import { redactArguments, redactSettings } from './secret-arguments.ts'
import type { StandIns } from './stand-ins.ts'

export type SecretWord = { readonly original: string; readonly fake: string }

export type SecretWords = {
  /** Longest first. */
  readonly everywhere: readonly SecretWord[]
  /** Also short and common words (`0001`), which may mean something else in other files. */
  readonly inSerialFiles: readonly SecretWord[]
  /** The originals of `everywhere`. */
  readonly originals: ReadonlySet<string>
}

/** Files that hold nothing but one serial, address or name. */
export const serialFiles =
  /\/(?:serial|serial_number|wwid|vpd_pg80|subsysnqn|(?:product|board|chassis)_serial|product_uuid|\w*asset_tag|uniq|unique_id|hostnqn|hostid|initiatorname|targetname)$/
/**
 * Files with hex numbers that identify one thing. The signature of a disk is the beginning of its partitions'
 * ids.
 */
export const wideFiles = /\/(?:\w*_name|\w*sas_address|eui|nguid|mbr_signature)$/
export const secretFiles = /\/(?:username|password)(?:_in)?$|\/(?:chap|dhchap)_?\w*$|secret/

/** Values that makers use for devices without a serial. Root hubs use their own PCI address. */
const noSerial =
  /^(?:(?:[0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}|(?:naa|eui|nvme|uuid)\..*|0*|x+|n\/?a|none|null|not[ _].*|default string|to be filled.*|unknown|system serial.*|0123456789abcdef|0?123456789\d?|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i

/** Host names that identify nobody, and some that readers search for. */
const commonHosts = wholeWords(
  String.raw`localhost debian ubuntu fedora arch archlinux nixos proxmox pve\d* unraid tower truenas freenas`,
  'omv openmediavault opnsense pfsense linux server host home nas router firewall gateway desktop',
  String.raw`laptop workstation pc media docker backup data root boot storage system node\d* vm\d* test lab`,
  'labhost',
)

type Given = {
  readonly hostNames: readonly string[]
  readonly serials?: readonly string[]
  readonly to: StandIns
}

export function findSecretWords(host: Host, recording: Recording, given: Given): SecretWords {
  const { to, hostNames, serials = [] } = given
  const everywhere = new Map<string, string>()
  const inSerialFiles = new Map<string, string>()
  const addSerial = (text: string | undefined): void => {
    const serial = latinOfText(text?.trim() ?? '')
    if (serial.length < 4 || noSerial.test(serial)) return
    const isDistinct = serial.length >= 8 && /\d/.test(serial)
    const words = isDistinct ? everywhere : inSerialFiles
    if (!words.has(serial)) words.set(serial, to.serial(serial))
  }
  const add = (text: string, fake: (text: string) => string): void => {
    const word = latinOfText(text)
    if (word.length >= 4 && !everywhere.has(word)) everywhere.set(word, fake(word))
  }
  for (const name of hostNames) if (!commonHosts.test(name)) add(name, to.host)
  for (const serial of serials) if (!noSerial.test(serial)) add(serial, to.serial)
  for (const device of host.devices) for (const serial of serialsOf(device)) addSerial(serial)
  for (const [path, bytes] of recording.files) {
    if (serialFiles.test(path)) addSerial(serialIn(bytes).replace(/^t10\..* /, ''))
    for (const serial of serialsStated(path, bytes)) addSerial(serial)
    for (const secret of secretsStated(path, bytes)) add(secret, to.secret)
  }
  for (const name of namesWithSerials(recording)) for (const serial of serialsInName(name)) addSerial(serial)
  return {
    everywhere: sorted(everywhere),
    inSerialFiles: [...sorted(everywhere), ...sorted(inSerialFiles)],
    originals: new Set(everywhere.keys()),
  }
}

/** The kernel makes the names in sysfs: nvme-subsys0 holds no serial number. */
function namesWithSerials({ links, folders }: Recording): string[] {
  const outside = [...links].filter(([path]) => !path.startsWith('/sys/'))
  const byId = [...folders].flatMap(([path, names]) => (path.endsWith('/by-id') ? names : []))
  return [...outside.flat(), ...byId]
}

function sorted(words: ReadonlyMap<string, string>): SecretWord[] {
  return [...words]
    .map(([original, fake]) => ({ original, fake }))
    .toSorted((a, b) => b.original.length - a.original.length)
}

function serialsOf(device: PciDevice): (string | undefined)[] {
  const disks = (device.disks ?? []).flatMap((disk) => [disk.serial])
  return [device.nvmeSerial, device.vpdSerial, ...disks]
}

/** A SCSI page begins with four bytes of header (SPC-4, unit serial number page). */
function serialIn(bytes: Uint8Array): string {
  const latin = latinOf(bytes.subarray(0, 512))
  return (latin.charCodeAt(1) === 0x80 && latin.length > 4 ? latin.slice(4) : latin).replaceAll('\0', '')
}

const udevSerial =
  /^E:(?:ID_SERIAL|ID_SERIAL_SHORT|ID_SCSI_SERIAL|ID_USB_SERIAL|ID_USB_SERIAL_SHORT|SCSI_IDENT_SERIAL)=(.+)$/gm

function serialsStated(path: string, bytes: Uint8Array): string[] {
  if (path.startsWith('/run/udev/data/')) {
    const text = latinOf(bytes)
    const named = [...text.matchAll(/^S:(disk\/by-id\/.+)$/gm)].flatMap((match) =>
      serialsInName(match[1] ?? ''),
    )
    return [...[...text.matchAll(udevSerial)].map((match) => match[1] ?? ''), ...named]
  }
  if (path === '/proc/bus/input/devices')
    return [...latinOf(bytes).matchAll(/^U: Uniq=(\S+)$/gm)].map((match) => match[1] ?? '')
  if (path.endsWith('/zpool.cache'))
    return [...latinOf(bytes).matchAll(/\/by-id\/([!-~]+)/g)].flatMap((match) =>
      serialsInName(match[1] ?? ''),
    )
  return []
}

/**
 * The serial in one of udev's persistent names: `ata-WDC_WD40EFRX-68N32N0_WD-WCC7K0123456-part1`,
 * `usb-Maker_Model_0123ABC-0:0`, `virtio-0123ABC`.
 */
function serialsInName(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const rest =
    /^(?:ata|nvme|scsi-S[A-Z]+|scsi-0[A-Z]+|usb|mmc|virtio|ieee1394|memstick)[-_](.+?)(?:-part\d+|-\d+:\d+|_\d)*$/.exec(
      name,
    )?.[1]
  const serial = rest?.split('_').at(-1)
  return serial === undefined || !/\d/.test(serial) ? [] : [serial]
}

const argumentFiles =
  /^\/proc\/cmdline$|^\/etc\/(?:default\/grub|kernel\/|cmdline\.d\/|dracut\.conf|mkinitcpio|modprobe\.d\/|modules|initramfs-tools\/)|^\/(?:usr\/)?lib\/(?:kernel|modprobe\.d|dracut)\/|^\/run\/modprobe\.d\/|^\/(?:boot|efi)\/(?!config-)|\/loader\/entries\/|\/grubenv$|\/syslinux\//
const beforeArguments =
  /^[ \t]*(?:GRUB_CMDLINE\w*|kernel_cmdline|kernelopts|KERNEL_CMDLINE\w*|options[ \t]+[\w-]+(?=[ \t]+\w+=)|options|append|APPEND|linux\w*|cmdline)[ \t]*\+?=?[ \t]*/

/** Replaces the secret values in a file that holds arguments. */
export function redactArgumentFile(path: string, latin: string, secret: (text: string) => string): string {
  if (!argumentFiles.test(path) || /[\0-\x08\x0e-\x1f]/.test(latin)) return latin
  const isAllArguments = /cmdline$|cmdline\.d\//.test(path)
  const lines = latin.split('\n').map((line) => {
    const before = /^[ \t]*#?[ \t]?/.exec(line)?.[0] ?? ''
    const key = beforeArguments.exec(line.slice(before.length))?.[0] ?? ''
    if (key === '' && !isAllArguments) return line
    const rest = line.slice(before.length + key.length)
    // The shell's quotes around all arguments stay.
    return before + key + redactArguments(rest, secret)
  })
  return redactSettings(lines.join('\n'), secret)
}

/** The secret values that differ from ordinary words, and so can be replaced everywhere. */
function secretsStated(path: string, bytes: Uint8Array): string[] {
  if (secretFiles.test(path)) return [latinOf(bytes).trim()]
  const found: string[] = []
  redactArgumentFile(path, latinOf(bytes), (text) => {
    found.push(text)
    return text
  })
  return found.filter(
    (text) => text.length >= 8 && (/[0-9A-Z]/.test(text) || (text.length >= 12 && /[-_]/.test(text))),
  )
}
