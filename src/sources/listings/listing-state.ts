/** What is known between the lines of a pasted listing: which function, which group heading, whose prompt. */
import type { PciAddress } from '../../pci/address.ts'
import type { SourceKind } from '../../host/host.ts'
import type { AttachedLines } from './attached-lines.ts'
import { emptyDraft, type Draft } from './draft.ts'
import { newScope, type GroupScope } from './group-scope.ts'
import type { HexImages } from './hex-dump.ts'
import type { HwinfoBlock } from './hwinfo.ts'
import type { Entry } from './lspci-detail.ts'
import { noDisks, type PastedDisks } from './pasted-disks.ts'
import { noNetwork, type PastedNetwork } from './pasted-network.ts'
import { newShell, type Shell } from './shell-lines.ts'

export type Listing = {
  readonly draft: Draft
  readonly entries: Map<PciAddress, Entry>
  readonly images: HexImages
  entry: Entry | undefined
  /** Counts the runs of lspci in the text. */
  run: number
  readonly scope: GroupScope
  readonly shell: Shell
  /** A function whose ids may follow on the next line. */
  awaitingIds: Entry | undefined
  /** The name before a line break in `…: Adding to iommu group⏎14`. */
  awaitingGroup: string | undefined
  /** The listing marks functions that have a reset (`[R]`, `[RESET]`); the marked ones, and the others in the same form. */
  readonly resets: { readonly marked: Set<PciAddress>; readonly unmarked: Set<PciAddress> }
  /** The block of hwinfo, the columns of Proxmox's table, and what hangs on controllers, while lines go by. */
  hwinfo: HwinfoBlock | undefined
  table: readonly string[] | undefined
  readonly attached: AttachedLines
  readonly network: PastedNetwork
  readonly disks: PastedDisks
  /** Lines of each form that has a reader of its own. */
  readonly forms: Map<SourceKind, number>
  /** `others`: members of groups on other buses, counted in `find` as well. */
  readonly counts: {
    headers: number
    script: number
    find: number
    others: number
    log: number
    logFacts: number
    beside: number
  }
}

/** A form of which each line is read by itself: its name when the line is one of it, `beside` when it names no functions. */
export type LineForm = (listing: Listing, line: string) => SourceKind | 'beside' | undefined

export function newListing(): Listing {
  return {
    draft: emptyDraft(),
    entries: new Map(),
    images: new Map(),
    entry: undefined,
    run: 0,
    scope: newScope(),
    shell: newShell(),
    awaitingIds: undefined,
    awaitingGroup: undefined,
    resets: { marked: new Set(), unmarked: new Set() },
    hwinfo: undefined,
    table: undefined,
    attached: { usb: [], apart: [] },
    network: noNetwork(),
    disks: noDisks(),
    forms: new Map(),
    counts: { headers: 0, script: 0, find: 0, others: 0, log: 0, logFacts: 0, beside: 0 },
  }
}
