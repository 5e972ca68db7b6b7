/**
 * Parses lspci's forms for scripts: `-m`/`-mm` (one line with quoted fields) and `-vmm` (a tag and a value
 * per line).
 *
 *   00:1f.2 "SATA controller [0106]" "Intel Corporation [8086]" "Some Controller [8c02]" -r05 -p01 "Maker [1458]" "Device [b005]"
 *   Slot:   00:1f.2
 *   Class:  SATA controller [0106]
 */
import { defined } from '../../base/defined.ts'
import { parseAddress } from '../../pci/address.ts'
import { classFromWords } from './class-words.ts'
import { stateGroup, stateTwoMachines } from './contradictions.ts'
import { deviceAt, stateClass, type DeviceDraft, type HostDraft } from './draft.ts'

/** The facts on a line of `-mm`. Absent: not on the line. */
export type MachineLine = Partial<Pick<DeviceDraft, IdKey | 'classCode' | 'className' | 'revision' | 'name'>>

export function parseMachineLine(after: string): MachineLine | undefined {
  const quoted = [...after.slice(0, 4000).matchAll(/"([^"]{0,500})"/g)].map((match) => match[1] ?? '')
  const [kind, vendor, model, subVendor, subModel] = quoted
  if (kind === undefined || vendor === undefined || model === undefined) return undefined
  const device: MachineLine = {}
  const options = after.slice(0, 4000).replace(/"[^"]{0,500}"/g, '')
  const progIf = /\s-p([0-9a-f]{2})\b/i.exec(options)?.[1]?.toLowerCase()
  setClass(device, kind, progIf)
  const revision = /\s-r([0-9a-f]{2})\b/i.exec(options)?.[1]
  if (revision !== undefined) device.revision = revision.toLowerCase()
  setIds(device, 'vendorId', vendor)
  setIds(device, 'deviceId', model)
  if (subVendor) setIds(device, 'subsystemVendorId', subVendor)
  if (subModel) setIds(device, 'subsystemId', subModel)
  const name = `${words(vendor)} ${words(model)}`.trim()
  if (name !== '') device.name = name.slice(0, 300)
  return device
}

export function stateMachineLine(device: DeviceDraft, { classCode, ...stated }: MachineLine): void {
  if (classCode !== undefined) stateClass(device, classCode)
  Object.assign(device, stated)
}

type IdKey = 'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemId'

function setIds(device: MachineLine, key: IdKey, text: string): void {
  const id = /\[([0-9a-f]{4})\]\s*$/i.exec(text)?.[1] ?? /^([0-9a-f]{4})$/i.exec(text)?.[1]
  if (id !== undefined) device[key] = id.toLowerCase()
}

function setClass(device: MachineLine, text: string, progIf: string | undefined): void {
  const code = /\[([0-9a-f]{4})\]\s*$/i.exec(text)?.[1] ?? /^(?:Class )?([0-9a-f]{4})$/i.exec(text)?.[1]
  const name = words(text)
  const base = code?.toLowerCase() ?? classFromWords(name)
  if (base !== undefined) device.classCode = `${base}${progIf ?? ''}`
  if (name !== '') device.className = name.slice(0, 80)
}

/** The words of `Some Maker [8086]` without the number. */
function words(text: string): string {
  return /^[0-9a-f]{4}$/i.test(text) ? '' : text.replace(/ ?\[[0-9a-f]{4}\]\s*$/i, '').trim()
}

/**
 * Reads a line `Tag:\tvalue` and returns its device, or `undefined` if it is another line. `Slot:` opens a
 * record.
 */
export function readTagLine(
  draft: HostDraft,
  line: string,
  current: DeviceDraft | undefined,
): DeviceDraft | undefined {
  const match =
    /^[\s>#*|]{0,20}(Slot|Device|Class|Vendor|SVendor|SDevice|Rev|ProgIf|PhySlot|Driver|Module|NUMANode|IOMMUGroup):\s{1,20}(\S.{0,400})$/.exec(
      line,
    )
  if (!match) return undefined
  const [, tag = '', rest = ''] = match
  const value = rest.trim()
  const address = tag === 'Slot' || tag === 'Device' ? parseAddress(value) : undefined
  if (address !== undefined) return deviceAt(draft, address)
  return current && readTag(draft, current, tag, value)
}

function readTag(
  draft: HostDraft,
  current: DeviceDraft,
  tag: string,
  value: string,
): DeviceDraft | undefined {
  switch (tag) {
    case 'Class':
      restateClass(draft, current, value)
      return current
    case 'Vendor':
      restate(draft, current, 'vendorId', value)
      current.name = words(value).slice(0, 300)
      return current
    case 'Device':
      restate(draft, current, 'deviceId', value)
      current.name = `${current.name ?? ''} ${words(value)}`.trim().slice(0, 300)
      return current
    case 'SVendor':
      setIds(current, 'subsystemVendorId', value)
      return current
    case 'SDevice':
      setIds(current, 'subsystemId', value)
      return current
    case 'Rev':
      if (/^[0-9a-f]{2}$/i.test(value)) current.revision = value.toLowerCase()
      return current
    case 'ProgIf':
      if (/^[0-9a-f]{2}$/i.test(value) && current.classCode !== undefined)
        current.classCode = `${current.classCode.slice(0, 4)}${value.toLowerCase()}`
      return current
    default:
      return readStateTag(draft, current, tag, value)
  }
}

function restateClass(draft: HostDraft, current: DeviceDraft, value: string): void {
  const { classCode = current.classCode, ...named }: MachineLine = classOf(value)
  if (current.classCode !== undefined && classCode?.startsWith(current.classCode.slice(0, 4)) !== true)
    stateTwoMachines(draft, `${current.address} is listed with two classes`)
  stateMachineLine(current, { ...named, ...defined({ classCode }) })
}

function classOf(text: string): MachineLine {
  const stated: MachineLine = {}
  setClass(stated, text, undefined)
  return stated
}

/** Sets an id. Another id for the same address means two machines. */
function restate(draft: HostDraft, current: DeviceDraft, key: 'vendorId' | 'deviceId', value: string): void {
  const before = current[key]
  setIds(current, key, value)
  if (before !== undefined && before !== current[key])
    stateTwoMachines(draft, `${current.address} is listed with the ids ${before} and ${current[key] ?? '?'}`)
}

function readStateTag(
  draft: HostDraft,
  current: DeviceDraft,
  tag: string,
  value: string,
): DeviceDraft | undefined {
  switch (tag) {
    case 'PhySlot':
      current.physicalSlot = value.slice(0, 64)
      return current
    case 'Driver':
      current.driver = value.slice(0, 64)
      return current
    case 'Module':
      current.modules = [...new Set([...(current.modules ?? []), value.slice(0, 64)])].slice(0, 64)
      return current
    case 'NUMANode':
      if (/^\d{1,5}$/.test(value)) current.numaNode = Number(value)
      return current
    case 'IOMMUGroup':
      if (/^\d{1,6}$/.test(value)) stateGroup(draft, current, Number(value))
      return current
    default:
      return undefined
  }
}
