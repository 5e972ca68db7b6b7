/**
 * Reads the functions of a pasted listing: the first line of each, its group from the text around it, and the
 * run of lspci that printed it.
 */
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import { stateGroup, stateWho } from './contradictions.ts'
import { deviceAt, stateClass, type DeviceDraft } from './draft.ts'
import { parseGroupPrefix } from './group-lines.ts'
import { groupFor, hasResetMark, isMarks } from './group-scope.ts'
import type { Listing } from './listing-state.ts'
import { newEntry, type Entry } from './lspci-detail.ts'
import { hasClassWords, parseHeader, parseTail, type HeaderLine } from './lspci-header.ts'
import { parseMachineLine, stateMachineLine } from './lspci-machine.ts'

/** True if the line is about a function, or gives functions a group. */
export function readHeader(listing: Listing, header: HeaderLine, line: string): boolean {
  const { before, after, shape, address } = header
  const { draft, counts, entry: previous } = listing
  const isClean = isMarks(before) || parseGroupPrefix(before) !== undefined
  const machine = isClean && after.startsWith('"') ? parseMachineLine(after) : undefined
  const isListed =
    machine !== undefined || shape === 'ids' || (shape === 'words' && (isClean || hasClassWords(header)))
  const already = draft.devices.get(address)?.iommuGroup ?? undefined
  const afterDetails = previous !== undefined && (previous.verbose || previous.driverStated)
  const group = groupFor(listing.scope, { header, line, isListed, already, afterDetails })
  if (isListed) {
    counts.headers += 1
    dropOther(listing, stateWho(draft, address, machine ?? header))
    const entry = startEntry(listing, address)
    if (machine) stateMachineLine(entry.device, machine)
    else state(entry, header)
    listing.awaitingIds = header.idsMissing === true ? entry : undefined
    linkPath(listing, header)
  }
  if (group === undefined) return isListed
  counts.script += 1
  if (isListed) {
    stateGroup(draft, deviceAt(draft, address), group)
    listing.resets[hasResetMark(before) ? 'marked' : 'unmarked'].add(address)
    return true
  }
  for (const member of addressesIn(line)) {
    const device = deviceAt(draft, member)
    stateGroup(draft, device, group)
    if (member === address) nameBare(device, header)
  }
  return true
}

/** Collected lines of an address belong to the earlier device there, and not to another one listed later. */
function dropOther(listing: Listing, device: DeviceDraft): void {
  const known = listing.entries.get(device.address)
  if (known === undefined || known.device === device) return
  listing.entries.delete(device.address)
  listing.images.delete(device.address)
}

/** Takes all facts of the header. They replace those of an earlier, shorter listing. */
function state(entry: Entry, header: HeaderLine): void {
  const { device } = entry
  if (header.className !== undefined) device.className = header.className
  // Every byte of a sleeping function reads as ff, so `(rev ff) (prog-if ff)` states neither value.
  const isAsleep = header.revision === 'ff'
  if (isAsleep) entry.revisionFf = true
  const code = isAsleep ? header.classCode?.slice(0, 4) : header.classCode
  if (code !== undefined) stateClass(device, code)
  if (header.vendorId !== undefined) device.vendorId = header.vendorId
  if (header.deviceId !== undefined) device.deviceId = header.deviceId
  if (header.revision !== undefined && !isAsleep) device.revision = header.revision
  if (header.name !== undefined) device.name = header.name
  if (header.driver !== undefined) {
    device.driver = header.driver
    entry.driverInHeader = true
  }
}

/**
 * Opens the entry of a function. One run of lspci lists functions in the order of the bus. A step back
 * outside the heading of a group is therefore another run, which may have printed less (`-nn`) or more
 * (`-nnk`).
 */
export function startEntry(listing: Listing, address: PciAddress): Entry {
  const { entry: previous, scope } = listing
  if (previous) previous.complete = true
  const isNext =
    previous !== undefined &&
    (scope.heading !== undefined || compareAddresses(previous.device.address, address) < 0)
  if (!isNext) listing.run += 1
  const entry = newEntry(deviceAt(listing.draft, address), listing.run)
  // Deleting first moves the function to the end of the map.
  listing.entries.delete(address)
  listing.entries.set(address, entry)
  listing.entry = entry
  return entry
}

/** `lspci -PP` names the bridges on the way: `00:1c.0/02:00.0 Ethernet controller: …`. */
function linkPath(listing: Listing, header: HeaderLine): void {
  const steps = [...header.via, header.address]
  for (const [index, address] of steps.entries()) {
    const parent = steps[index - 1]
    if (parent !== undefined) deviceAt(listing.draft, address).parent = parent
  }
}

/** All addresses on a line, in any notation. */
function addressesIn(line: string): PciAddress[] {
  const found: PciAddress[] = []
  for (const part of line.split(/[\s,;|"'()]+/).slice(0, 512)) {
    const header = part.length < 20 ? parseHeader(part) : undefined
    if (header && !found.includes(header.address)) found.push(header.address)
  }
  return found
}

/** Takes the words after a bare address as the name, unless they are a link's target. */
function nameBare(device: DeviceDraft, { name, driver }: HeaderLine): void {
  if (driver !== undefined) device.driver = driver
  else if (name !== undefined && /[a-z]{3}/i.test(name) && !name.startsWith('->'))
    device.name ??= name.slice(0, 200)
}

/** Reads the ids of a wrapped header: the next line has the rest of the name and `[8086:1234] (rev 02)`. */
export function continueIds(listing: Listing, line: string): boolean {
  const entry = listing.awaitingIds
  listing.awaitingIds = undefined
  if (!entry || /^\s*[A-Z][A-Za-z ]{2,24}: /.test(line) || line.length > 400) return false
  const tail = parseTail(line)
  if (tail.vendorId === undefined || tail.deviceId === undefined) return false
  entry.device.vendorId = tail.vendorId
  entry.device.deviceId = tail.deviceId
  if (tail.revision !== undefined) entry.device.revision = tail.revision
  if (tail.progIf !== undefined && entry.device.classCode?.length === 4) entry.device.classCode += tail.progIf
  return true
}
