/**
 * Reads pasted text line by line: lspci in any verbosity, scripts that print groups, `find` over the group
 * folders, kernel logs, and mixtures of them. This file keeps the state between lines; lspci-header,
 * lspci-detail, lspci-machine, group-lines and kernel-log read the lines.
 */
import { parseAddress } from '../../pci/address.ts'
import type { Host } from '../../host/host.ts'
import { stateGroup, stateTwoMachines } from './contradictions.ts'
import { deviceAt, note, type DeviceDraft } from './draft.ts'
import { concludeAttached, readAttachedLine } from './attached-lines.ts'
import { readDevbindLine } from './devbind.ts'
import { readHwinfoLine } from './hwinfo.ts'
import { finishDraft } from './finish-draft.ts'
import { openHeading, settleNumbers } from './group-scope.ts'
import { parseGroupFolder, parseGroupHeading, parseGroupPaths } from './group-lines.ts'
import { addHexLine, finishHexImages } from './hex-dump.ts'
import { assign, readKernelLine } from './kernel-log.ts'
import { continueIds, readHeader, startEntry } from './listing-functions.ts'
import { kindOf, noteGaps } from './listing-gaps.ts'
import { newListing, type LineForm, type Listing } from './listing-state.ts'
import { readDetail } from './lspci-detail.ts'
import { concludeEntries } from './lspci-entries.ts'
import { concludeDisks, readDiskLine } from './pasted-disks.ts'
import { concludeNetwork, readNetworkLine } from './pasted-network.ts'
import { readNodeHardwareLine } from './pvesh.ts'
import { parseHeader, resolvePlace } from './lspci-header.ts'
import { readTagLine } from './lspci-machine.ts'
import { statePlace } from './places.ts'
import { endListing, followShell, isPrompt, noteHost } from './shell-lines.ts'
import { cleanLines } from './text.ts'
import { idsFromWords } from './vendor-words.ts'

/** `undefined` if no line states anything about a PCI function. */
export function readListing(text: string, name: string): Host | undefined {
  const listing = newListing()
  for (const line of cleanLines(text)) readLineOf(listing, line)
  endListing(listing.shell, false)
  const { draft } = listing
  if (![...draft.devices.values()].some(isStated) && draft.otherMembers.size === 0) return undefined
  conclude(listing)
  const kind = kindOf(listing)
  noteGaps(listing, kind)
  return finishDraft(draft, kind, name)
}

function conclude(listing: Listing): void {
  const { draft, shell } = listing
  for (const { address, number } of settleNumbers(listing.scope)) {
    deviceAt(draft, address).iommuGroup ??= number
    listing.counts.script += 1
  }
  finishHexImages(draft, listing.images)
  concludeEntries(draft, [...listing.entries.values()])
  for (const device of draft.devices.values())
    if (device.vendorId === undefined && device.name !== undefined)
      Object.assign(device, idsFromWords(device.name))
  concludeGroups(listing)
  concludeResets(listing)
  concludeAttached(listing)
  concludeNetwork(listing)
  concludeDisks(listing)
  if (shell.hosts.size > 1) stateTwoMachines(draft, `its prompts name ${[...shell.hosts].join(' and ')}`)
}

/** A path of sysfs alone names a function but states no fact about it. */
function isStated({ address: _address, path: _path, parent: _parent, ...rest }: DeviceDraft): boolean {
  return Object.keys(rest).length > 0
}

/** If a complete list of the groups has no PCI function, the kernel made no group for any. */
function concludeGroups({ draft, shell }: Listing): void {
  const devices = [...draft.devices.values()]
  if (shell.groups === undefined || devices.some(({ iommuGroup }) => typeof iommuGroup === 'number')) return
  for (const device of devices) device.iommuGroup = null
  if (shell.groups === 'none' && draft.otherMembers.size === 0) draft.iommu.state = 'off'
}

/**
 * Scripts mark functions with a `reset` file in sysfs, so if some are marked, the others have none
 * (drivers/pci/pci-sysfs.c).
 */
function concludeResets({ draft, resets }: Listing): void {
  if (resets.marked.size === 0) return
  for (const address of resets.unmarked) {
    const device = draft.devices.get(address)
    if (device && !resets.marked.has(address)) device.resetMethods ??= []
  }
}

/** Reads a line, and follows the shell session around it. */
function readLineOf(listing: Listing, line: string): void {
  const { counts, shell } = listing
  const total = () =>
    counts.headers +
    counts.script +
    counts.find +
    counts.log +
    counts.logFacts +
    counts.beside +
    listing.forms.size
  const [before, find, others] = [total(), counts.find, counts.others]
  readLine(listing, line)
  followShell(shell, line, {
    pci: counts.find - find - (counts.others - others),
    others: counts.others - others,
  })
  if (total() > before) noteHost(shell)
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
  if (readKernel(listing, line) || awaitGroup(listing, line)) return
  if (readForms(listing, line) || readTags(listing, line)) return
  const placed = line.includes('/')
    ? resolvePlace(line, (bridge) => listing.draft.devices.get(bridge)?.secondaryBus)
    : undefined
  if (placed === null) {
    note(listing.draft, 'lspci -P names functions by their path, but not every bus is known: use lspci -PP')
    listing.entry = undefined
    return
  }
  readFunctionLine(listing, line, placed ?? line)
}

function readKernel(listing: Listing, line: string): boolean {
  const kernel = readKernelLine(listing.draft, line)
  if (kernel === 'group') listing.counts.log += 1
  else if (kernel === 'fact') listing.counts.logFacts += 1
  return kernel !== undefined
}

/** Recognises a log line that was broken before the number of the group. */
function awaitGroup(listing: Listing, line: string): boolean {
  if (!line.includes('iommu group')) return false
  const broken = /(\S{1,200}): Adding to iommu group\s*$/.exec(line.slice(-400))?.[1]
  if (broken !== undefined) listing.awaitingGroup = broken
  return broken !== undefined
}

/** `shown`: the line with the address instead of the path to it (lspci -P). */
function readFunctionLine(listing: Listing, line: string, shown: string): void {
  const header = parseHeader(shown)
  if (header && readHeader(listing, header, shown)) return
  if (!header && isOwnGroupLine(listing, line) && listing.entry && readDetail(listing.entry, line)) return
  if (!header && readHeading(listing, line)) return
  if (listing.awaitingIds && continueIds(listing, line)) return
  if (listing.entry && readDetail(listing.entry, line)) return
  // A prompt or a code fence ends the reach of a heading and the lines of a function.
  if (isPrompt(line)) {
    listing.scope.heading = undefined
    if (listing.entry) listing.entry.complete = true
    listing.entry = undefined
  }
}

/** Forms with a reader of their own. */
const lineForms: readonly LineForm[] = [
  readDevbindLine,
  readHwinfoLine,
  readNodeHardwareLine,
  readAttachedLine,
  readNetworkLine,
  readDiskLine,
]

function readForms(listing: Listing, line: string): boolean {
  for (const read of lineForms) {
    const form = read(listing, line)
    if (form === undefined) continue
    if (form === 'beside') listing.counts.beside += 1
    else listing.forms.set(form, (listing.forms.get(form) ?? 0) + 1)
    return true
  }
  return false
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

/** Reads records of `lspci -vmm`: `Slot:` opens a record, and the following tags belong to it. */
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
    if (address === undefined) {
      assign(listing.draft, member, group)
      listing.counts.others += 1
    } else stateGroup(listing.draft, deviceAt(listing.draft, address), group)
    listing.counts.find += 1
  }
  if (members.length > 0) return true
  const folder = parseGroupFolder(line, false)
  if (folder !== undefined) openHeading(listing.scope, folder)
  if (/iommu_groups\/?\s*$/.test(line)) listing.scope.insideTree = true
  return folder !== undefined
}

/**
 * Inside an entry of `-vv`, `IOMMU group: 12` is a line of that function; above a function the same words are
 * a heading. lspci indents the line by one tab. It also prints the line for sleeping functions, which have
 * neither a Control nor a Flags line.
 */
function isOwnGroupLine({ entry }: Listing, line: string): boolean {
  if (entry === undefined || entry.complete || !/^\W{0,40}IOMMU group: \d{1,6}\s*$/.test(line)) return false
  return entry.verbose || entry.device.facts?.notAnswering === true || line.startsWith('\tI')
}

function readHeading(listing: Listing, line: string): boolean {
  const group =
    parseGroupHeading(line) ?? (listing.scope.insideTree ? parseGroupFolder(line, true) : undefined)
  if (group === undefined) return false
  openHeading(listing.scope, group)
  return true
}
