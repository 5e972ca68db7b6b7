/**
 * Reads Proxmox's list of a node's devices: `pvesh get /nodes/NODE/hardware/pci`, as a table or as JSON. It
 * has class, ids, name and group (-1: none), and no drivers (PVE::SysFSTools, lspci).
 */
import { parseAddress } from '../../pci/address.ts'
import type { Host } from '../../host/host.ts'
import { stateGroup, stateWho } from './contradictions.ts'
import { emptyDraft, fullListing, note, type HostDraft } from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import type { LineForm, Listing } from './listing-state.ts'

type Fields = { readonly [key: string]: unknown }

export function isNodeHardware(document: unknown): document is readonly Fields[] {
  return Array.isArray(document) && document.some((one) => isObject(one) && 'id' in one && 'vendor' in one)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readNodeHardware(document: readonly unknown[], name: string): Host | undefined {
  const draft = emptyDraft()
  for (const one of document.slice(0, 65_536)) if (isObject(one)) stateFields(draft, one)
  if (draft.devices.size === 0) return undefined
  const devices = [...draft.devices.values()]
  if (devices.every(({ iommuGroup }) => iommuGroup === null)) draft.iommu.state = 'off'
  note(draft, 'the input states no drivers', fullListing)
  note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  return finishDraft(draft, 'pvesh', name)
}

function stateFields(draft: HostDraft, fields: Fields): boolean {
  const text = (key: string) =>
    typeof fields[key] === 'string' ? fields[key].trim().slice(0, 300) : undefined
  const hex = (key: string) => /^0x([0-9a-f]{4})$/i.exec(text(key) ?? '')?.[1]?.toLowerCase()
  const classCode = /^0x([0-9a-f]{4}(?:[0-9a-f]{2})?)$/i.exec(text('class') ?? '')?.[1]?.toLowerCase()
  const address = parseAddress(text('id') ?? '')
  if (address === undefined) return false
  const name = [text('vendor_name'), text('device_name')].filter(Boolean).join(' ')
  const who = Object.fromEntries(
    Object.entries({
      vendorId: hex('vendor'),
      deviceId: hex('device'),
      classCode,
      name: name === '' ? undefined : name.slice(0, 300),
    }).filter(([, value]) => value !== undefined),
  )
  const device = Object.assign(stateWho(draft, address, who), who)
  const [subVendor, subDevice] = [hex('subsystem_vendor'), hex('subsystem_device')]
  if (subVendor !== undefined) device.subsystemVendorId = subVendor
  if (subDevice !== undefined) device.subsystemId = subDevice
  const group = Number(fields['iommugroup'] ?? Number.NaN)
  if (Number.isInteger(group) && group >= 0 && group < 1e6) stateGroup(draft, device, group)
  else if (group === -1) device.iommuGroup = null
  return true
}

/** Reads a row of `--noborder`, which has no bars. The columns that always exist come first. */
function readBareRow({ draft }: Listing, line: string): ReturnType<LineForm> {
  const [, classCode, device, id, iommugroup, vendor] =
    /^\s{0,20}(0x[0-9a-f]{6})\s{1,20}(0x[0-9a-f]{4})\s{1,20}([0-9a-f:.]{12,17})\s{1,20}(-?\d{1,6})\s{1,20}(0x[0-9a-f]{4})\b/i.exec(
      line,
    ) ?? []
  return id !== undefined && stateFields(draft, { class: classCode, device, id, iommugroup, vendor })
    ? 'pvesh'
    : undefined
}

/**
 * The first row of the table names its columns. A row without an id continues the names of the row above and
 * is ignored.
 */
export const readNodeHardwareLine: LineForm = (listing, line) => {
  if (line.length > 4000) return undefined
  if (!/[│|]/.test(line)) return readBareRow(listing, line)
  const cells = line
    .split(/[│|]/)
    .slice(1, -1)
    .map((cell) => cell.trim())
  if (cells.includes('id') && cells.includes('vendor') && cells.includes('class')) {
    listing.table = cells
    return 'pvesh'
  }
  const { table } = listing
  if (!table || cells.length !== table.length) return undefined
  const fields = Object.fromEntries(table.map((column, at) => [column, cells[at]]))
  return stateFields(listing.draft, fields) || fields['id'] === '' ? 'pvesh' : undefined
}
