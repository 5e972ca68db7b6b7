/**
 * Line by line through pasted text: lspci in any verbosity, scripts that print groups, `find` over the group folders, kernel
 * logs — mixed as people paste them. It owns the state between lines (which function, which group heading); the lines
 * themselves are read by lspci-header, lspci-detail, lspci-machine, group-lines and kernel-log.
 */
import { compareAddresses, parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Host, SourceKind } from '../host.ts'
import {
  deviceAt,
  emptyDraft,
  fullListing,
  note,
  stateClass,
  stateGroup,
  stateIds,
  type DeviceDraft,
  type Draft,
} from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import { groupFor, isMarks, newScope, openHeading, settleNumbers, type GroupScope } from './group-scope.ts'
import { parseGroupFolder, parseGroupHeading, parseGroupPaths, parseGroupPrefix } from './group-lines.ts'
import { addHexLine, finishHexImages, type HexImages } from './hex-dump.ts'
import { assign, readKernelLine } from './kernel-log.ts'
import { newEntry, readDetail, type Entry } from './lspci-detail.ts'
import { concludeEntries } from './lspci-entries.ts'
import { hasClassWords, parseHeader, parseTail, resolvePlace, type HeaderLine } from './lspci-header.ts'
import { readMachineLine, readTagLine } from './lspci-machine.ts'
import { statePlace } from './places.ts'
import { cleanLines } from './text.ts'
import { idsFromWords } from './vendor-words.ts'

type Listing = {
  readonly draft: Draft
  readonly entries: Map<PciAddress, Entry>
  readonly images: HexImages
  entry: Entry | undefined
  /** Counts the runs of lspci in the text. */
  run: number
  readonly scope: GroupScope
  /** A function whose ids may follow on the next line. */
  awaitingIds: Entry | undefined
  /** The name before a line break in `…: Adding to iommu group⏎14`. */
  awaitingGroup: string | undefined
  readonly counts: { headers: number; script: number; find: number; log: number; logFacts: number }
}

/** Reads it all, or answers `undefined` when not one line states anything about a PCI function. */
export function readListing(text: string, name: string): Host | undefined {
  const listing: Listing = {
    draft: emptyDraft(),
    entries: new Map(),
    images: new Map(),
    entry: undefined,
    run: 0,
    scope: newScope(),
    awaitingIds: undefined,
    awaitingGroup: undefined,
    counts: { headers: 0, script: 0, find: 0, log: 0, logFacts: 0 },
  }
  for (const line of cleanLines(text)) readLine(listing, line)
  const { draft } = listing
  if (draft.devices.size === 0 && draft.otherMembers.size === 0) return undefined
  for (const { address, number } of settleNumbers(listing.scope)) {
    deviceAt(draft, address).iommuGroup ??= number
    listing.counts.script += 1
  }
  finishHexImages(draft, listing.images)
  concludeEntries(draft, [...listing.entries.values()])
  for (const device of draft.devices.values())
    if (device.vendorId === undefined && device.name !== undefined) Object.assign(device, idsFromWords(device.name))
  const kind = kindOf(listing)
  noteGaps(listing, kind)
  return finishDraft(draft, kind, name)
}

function readLine(listing: Listing, line: string): void {
  if (/^[\s>#*|;]*$/.test(line)) {
    if (listing.scope.heading) listing.scope.heading.gap = true
    if (listing.entry) listing.entry.complete = true
    return
  }
  if (listing.awaitingGroup !== undefined && joinGroup(listing, line)) return
  if (listing.entry && addHexLine(listing.images, listing.entry.device.address, line)) return
  if (readPaths(listing, line)) return
  const kernel = readKernelLine(listing.draft, line)
  if (kernel !== undefined) {
    if (kernel === 'group') listing.counts.log += 1
    else listing.counts.logFacts += 1
    return
  }
  const broken = line.includes('iommu group')
    ? /(\S{1,200}): Adding to iommu group\s*$/.exec(line.slice(-400))?.[1]
    : undefined
  if (broken !== undefined) {
    listing.awaitingGroup = broken
    return
  }
  if (readTags(listing, line)) return
  const placed = line.includes('/')
    ? resolvePlace(line, (bridge) => listing.draft.devices.get(bridge)?.secondaryBus)
    : undefined
  if (placed === null) {
    note(listing.draft, 'lspci -P names functions by their place, and not every bus is known: use lspci -PP')
    listing.entry = undefined
    return
  }
  const shown = placed ?? line
  const header = parseHeader(shown)
  if (header && readHeader(listing, header, shown)) return
  if (!header && isOwnGroupLine(listing, line) && listing.entry && readDetail(listing.entry, line)) return
  if (!header && readHeading(listing, line)) return
  if (listing.awaitingIds && continueIds(listing, line)) return
  if (listing.entry && readDetail(listing.entry, line)) return
  // A prompt or a code fence ends what a heading or a function's lines can reach.
  if (isPrompt(line)) {
    listing.scope.heading = undefined
    if (listing.entry) listing.entry.complete = true
    listing.entry = undefined
  }
}

/** A command being typed, `user@host:~$ ` without one, or the end of a code block. */
function isPrompt(line: string): boolean {
  const start = line.slice(0, 400)
  return (
    /^\s*```|[$#>%]\s+\S*(?:lspci|cat|dmesg|find|ls|for|sudo)\b/.test(start) ||
    /^[\s>]{0,40}(?:[\w.-]{1,64}@[\w.-]{1,64}[:\s][^$#%>]{0,200}[$#%>](?:\s|$)|[$%]\s+[a-z./])/i.test(start)
  )
}

function joinGroup(listing: Listing, line: string): boolean {
  const group = /^\W{0,20}(\d{1,6})\b/.exec(line)?.[1]
  const member = listing.awaitingGroup
  listing.awaitingGroup = undefined
  if (group === undefined || member === undefined) return false
  assign(listing.draft, member, Number(group))
  listing.counts.log += 1
  return true
}

/** `lspci -vmm` records: `Slot:` opens one, the tags after it belong to it. */
function readTags(listing: Listing, line: string): boolean {
  const { entry } = listing
  const device = readTagLine(listing.draft, line, entry?.tagged === true ? entry.device : undefined)
  if (!device) return false
  if (entry?.device === device && entry.tagged) return true
  startEntry(listing, device.address).tagged = true
  listing.counts.headers += 1
  return true
}

function readPaths(listing: Listing, line: string): boolean {
  if (line.includes('pci')) statePlace(listing.draft, line)
  if (!line.includes('iommu_group')) return false
  const members = parseGroupPaths(line)
  for (const { member, group } of members) {
    const address = parseAddress(member)
    if (address === undefined) assign(listing.draft, member, group)
    else stateGroup(listing.draft, deviceAt(listing.draft, address), group)
    listing.counts.find += 1
  }
  if (members.length > 0) return true
  const folder = parseGroupFolder(line, false)
  if (folder !== undefined) openHeading(listing.scope, folder)
  if (/iommu_groups\/?\s*$/.test(line)) listing.scope.insideTree = true
  return folder !== undefined
}

/** `IOMMU group: 12` inside a `-vv` entry is the function's own line; the same words above a function are a heading. */
function isOwnGroupLine({ entry }: Listing, line: string): boolean {
  return entry !== undefined && entry.verbose && !entry.complete && /^\W{0,40}IOMMU group: \d{1,6}\s*$/.test(line)
}

function readHeading(listing: Listing, line: string): boolean {
  const group = parseGroupHeading(line) ?? (listing.scope.insideTree ? parseGroupFolder(line, true) : undefined)
  if (group === undefined) return false
  openHeading(listing.scope, group)
  return true
}

function readHeader(listing: Listing, header: HeaderLine, line: string): boolean {
  const { before, after, shape, address } = header
  const { draft, counts, entry: previous } = listing
  const machine = after.startsWith('"') ? readMachineLine(draft, address, after) : undefined
  const isClean = isMarks(before) || parseGroupPrefix(before) !== undefined
  const isListed = machine !== undefined || shape === 'ids' || (shape === 'words' && (isClean || hasClassWords(header)))
  const already = draft.devices.get(address)?.iommuGroup ?? undefined
  const afterDetails = previous !== undefined && (previous.verbose || previous.driverStated)
  const group = groupFor(listing.scope, { header, line, isListed, already, afterDetails })
  if (isListed) {
    counts.headers += 1
    const entry = startEntry(listing, address)
    if (!machine) state(draft, entry, header)
    listing.awaitingIds = header.idsMissing === true ? entry : undefined
    linkPath(listing, header)
  }
  if (group === undefined) return isListed
  counts.script += 1
  if (isListed) stateGroup(draft, deviceAt(draft, address), group)
  else
    for (const member of addressesIn(line)) {
      const device = deviceAt(draft, member)
      stateGroup(draft, device, group)
      if (member === address) nameBare(device, header)
    }
  return true
}

/** Everything the header states, over what an earlier, shorter listing of the same function stated. */
function state(draft: Draft, entry: Entry, header: HeaderLine): void {
  const { device } = entry
  if (header.className !== undefined) device.className = header.className
  if (header.classCode !== undefined) stateClass(device, header.classCode)
  if (header.vendorId !== undefined && header.deviceId !== undefined)
    stateIds(draft, device, header.vendorId, header.deviceId)
  if (header.revision !== undefined) device.revision = header.revision
  if (header.name !== undefined) device.name = header.name
  if (header.driver !== undefined) device.driver = header.driver
  if (header.revision === 'ff') entry.revisionFf = true
}

/**
 * Opens a function's entry. One run of lspci lists functions in the order of the bus, so a step back outside a group's
 * heading is another run, which may have printed less (`-nn`) or more (`-nnk`).
 */
function startEntry(listing: Listing, address: PciAddress): Entry {
  const { entry: previous, scope } = listing
  if (previous) previous.complete = true
  const isNext =
    previous !== undefined && (scope.heading !== undefined || compareAddresses(previous.device.address, address) < 0)
  if (!isNext) listing.run += 1
  const entry = newEntry(deviceAt(listing.draft, address), listing.run)
  // Deleted first, so that the map ends with the function listed last.
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

/** A bare list of addresses: every one on the line, in any notation. */
function addressesIn(line: string): PciAddress[] {
  const found: PciAddress[] = []
  for (const part of line.split(/[\s,;|"'()]+/).slice(0, 512)) {
    const header = part.length < 20 ? parseHeader(part) : undefined
    if (header && !found.includes(header.address)) found.push(header.address)
  }
  return found
}

/** Words behind a bare address, unless they are a link's target. */
function nameBare(device: DeviceDraft, { name, driver }: HeaderLine): void {
  if (driver !== undefined) device.driver = driver
  else if (name !== undefined && /[a-z]{3}/i.test(name) && !name.startsWith('->')) device.name ??= name.slice(0, 200)
}

/** The ids of a header that wrapped: the next line holds the rest of the name and `[8086:1234] (rev 02)`. */
function continueIds(listing: Listing, line: string): boolean {
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

function kindOf({ counts }: Listing): SourceKind {
  if (counts.log + counts.logFacts > counts.headers + counts.find + counts.script) return 'kernel-log'
  if (counts.find > counts.headers && counts.find > counts.script) return 'find'
  return counts.script > 0 ? 'script' : counts.headers > 0 ? 'lspci' : 'find'
}

/** What a reader of the result might miss, said once for the whole listing. */
function noteGaps(listing: Listing, kind: SourceKind): void {
  const { draft } = listing
  const devices = [...draft.devices.values()]
  const withoutIds = devices.filter((d) => d.deviceId === undefined).length
  if (withoutIds === devices.length) note(draft, 'the input states no vendor and device ids', fullListing)
  else if (withoutIds > 0)
    note(draft, `${withoutIds} of ${devices.length} functions are stated without vendor and device ids`, fullListing)
  if (!devices.some((d) => typeof d.iommuGroup === 'number'))
    note(draft, 'the input states no IOMMU groups', fullListing)
  if (!devices.some((d) => d.driver !== undefined)) note(draft, 'the input states no drivers', fullListing)
  if (!devices.some((d) => d.facts?.depth === 'extended' || d.facts?.depth === 'standard'))
    note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  if (kind === 'find')
    note(draft, 'functions outside every IOMMU group are not in a listing of the groups', fullListing)
}
