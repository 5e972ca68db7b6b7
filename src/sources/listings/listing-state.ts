/** What is known between the lines of a pasted listing: which function, which group heading, whose prompt. */
import type { PciAddress } from '../../pci/address.ts'
import type { SourceKind } from '../../host/host.ts'
import type { Disk } from '../../pci/device.ts'
import { emptyDraft, type DeviceDraft, type HostDraft } from './draft.ts'
import { newScope, type GroupScope } from './group-scope.ts'
import type { HexImages } from './hex-dump.ts'
import type { Entry } from './lspci-detail.ts'
import type { PastedNeed, Stack } from './pasted-ends.ts'
import { newShell, type Shell } from './shell-lines.ts'

export type AttachedUsb = { readonly device: PciAddress; readonly where: string; readonly name: string }

/** Also of disks in a section of their own, which hang on no listed controller by what the text says. */
export type AttachedLines = { readonly usb: AttachedUsb[]; readonly apart: Disk[] }

export type HwinfoBlock = { classCode: string; className: string; device: DeviceDraft | undefined }

export type PastedDisks = {
  readonly stack: Stack
  readonly ties: Map<string, PciAddress>
  readonly needs: Map<string, PastedNeed>
  /** The way down lsblk's tree to the last line. */
  readonly branch: { readonly depth: number; readonly name: string }[]
  pool: string | undefined
}

export type PastedNetwork = {
  readonly stack: Stack
  /** Interfaces whose function a line names. */
  readonly ties: Map<string, PciAddress>
  /** Other names of an interface, which may say where it is. */
  readonly altNames: Map<string, string[]>
  readonly needs: Map<string, PastedNeed>
  /** The interface of the block that goes by. */
  current: string | undefined
  /** The last line was a default route over several. */
  inRoute: boolean
}

export type Listing = {
  readonly draft: HostDraft
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
  /**
   * The listing marks functions that have a reset (`[R]`, `[RESET]`); the marked ones, and the others in the
   * same form.
   */
  readonly resets: { readonly marked: Set<PciAddress>; readonly unmarked: Set<PciAddress> }
  /**
   * The block of hwinfo, the columns of Proxmox's table, and what hangs on controllers, while lines go by.
   */
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

/**
 * A form of which each line is read by itself: its name when the line is one of it, `beside` when it names no
 * functions.
 */
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

function noDisks(): PastedDisks {
  return { stack: new Map(), ties: new Map(), needs: new Map(), branch: [], pool: undefined }
}

function noNetwork(): PastedNetwork {
  return {
    stack: new Map(),
    ties: new Map(),
    altNames: new Map(),
    needs: new Map(),
    current: undefined,
    inRoute: false,
  }
}
