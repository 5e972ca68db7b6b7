/**
 * Draws conclusions from a whole lspci listing: how deep it could read, and which missing lines mean "no
 * driver" or "no ACS", because the same run prints the line for other functions.
 */
import { warnOfDrivers } from './contradictions.ts'
import { factsOf, fullListing, note, type HostDraft } from './draft.ts'
import type { Entry } from './lspci-detail.ts'

export function concludeEntries(draft: HostDraft, entries: readonly Entry[]): void {
  const last = entries.at(-1)
  for (const group of byRun(entries)) {
    const run = {
      drivers: group.some((e) => e.driverStated),
      groups: group.some((e) => e.groupStated),
      extended: group.some((e) => e.highestCapability >= 0x100),
      capabilities: group.some((e) => e.highestCapability >= 0),
    }
    for (const entry of group) {
      const isWhole = entry.complete || entry !== last
      concludeHeader(entry)
      concludeDriver(draft, entry, isWhole && run.drivers)
      if (isWhole && entry.verbose && run.groups) entry.device.iommuGroup ??= null
      if (entry.verbose) concludeDepth(entry, isWhole, run)
    }
  }
  const denied = entries.filter((e) => e.accessDenied).length
  if (denied > 0)
    note(draft, `lspci was not run as root: the capabilities of ${denied} functions are missing`, fullListing)
  if (last && !last.complete && entries.some((e) => e.verbose))
    note(draft, `the listing breaks off at ${last.device.address}; what may follow is not known`)
}

/**
 * In a run that prints drivers, a function without the line has no driver. This replaces the driver of an
 * earlier run.
 */
function concludeDriver(draft: HostDraft, entry: Entry, silenceIsNone: boolean): void {
  const { device, driverBefore } = entry
  if (silenceIsNone && !entry.driverStated && !entry.driverInHeader) device.driver = null
  if (driverBefore !== undefined && device.driver !== undefined && driverBefore !== device.driver)
    warnOfDrivers(draft, device, driverBefore)
}

function byRun(entries: readonly Entry[]): Entry[][] {
  const runs = new Map<number, Entry[]>()
  for (const entry of entries) {
    const list = runs.get(entry.run)
    if (list) list.push(entry)
    else runs.set(entry.run, [entry])
  }
  return [...runs.values()]
}

function concludeHeader(entry: Entry): void {
  const { device } = entry
  if (entry.revisionFf) factsOf(device).notAnswering = true
  const isBridge =
    /^060[47]/.test(device.classCode ?? '') || /^(?:PCI|CardBus) bridge$/.test(device.className ?? '')
  // `-v` leaves `(prog-if 00)` out where 00 has no name (pciutils lspci.c, show_terse).
  if (entry.verbose && device.classCode?.length === 4 && device.facts?.notAnswering !== true)
    device.classCode += '00'
  if (entry.verbose && device.headerType === undefined && !isBridge && device.facts?.notAnswering !== true)
    device.headerType = factsOf(device).headerType = 0
}

type Run = { readonly extended: boolean; readonly capabilities: boolean }

function concludeDepth(entry: Entry, isWhole: boolean, run: Run): void {
  const facts = factsOf(entry.device)
  if (facts.notAnswering) return
  const isRead = entry.highestCapability >= 0 || run.capabilities
  facts.depth = entry.accessDenied || !isRead ? 'header' : run.extended ? 'extended' : 'standard'
  if (!isWhole || facts.depth === 'header') return
  facts.portType ??= null
  facts.power ??= null
  facts.msiVectors ??= null
  facts.msixVectors ??= null
  facts.vpd ??= false
  // Only `-vv` prints the content of this capability.
  if (!entry.featuresSeen) facts.afFlr ??= false
  if (facts.portType === null) facts.flr ??= false
  if (facts.depth !== 'extended' && facts.portType !== null) return
  facts.acs ??= null
  if (!entry.sriovSeen) facts.sriov ??= null
  else if (facts.sriov === undefined) facts.sriovUncounted = true
  facts.ari ??= false
  facts.resizableBar ??= false
}
