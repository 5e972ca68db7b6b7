/** The state between the lines of a pasted listing: the current function, group heading and host. */
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

/** `apart`: disks in a section of their own, whose controller the text does not show. */
export type AttachedLines = { readonly usb: AttachedUsb[]; readonly apart: Disk[] }

export type HwinfoBlock = { classCode: string; className: string; device: DeviceDraft | undefined }

export type PastedDisks = {
  readonly stack: Stack
  readonly ties: Map<string, PciAddress>
  readonly needs: Map<string, PastedNeed>
  /** The path through lsblk's tree to the last line. */
  readonly branch: { readonly depth: number; readonly name: string }[]
  pool: string | undefined
}

export type PastedNetwork = {
  readonly stack: Stack
  /** Interface → the function that a line names. */
  readonly ties: Map<string, PciAddress>
  /** Other names of an interface, which may contain its place. */
  readonly altNames: Map<string, string[]>
  readonly needs: Map<string, PastedNeed>
  /** The interface of the current block. */
  current: string | undefined
  /** The last line belongs to a default route with several next hops. */
  inRoute: boolean
}

export type Listing = {
  readonly draft: HostDraft
  readonly entries: Map<PciAddress, Entry>
  readonly images: HexImages
  entry: Entry | undefined
  /** The number of runs of lspci so far. */
  run: number
  readonly scope: GroupScope
  readonly shell: Shell
  /** A function whose ids may follow on the next line. */
  awaitingIds: Entry | undefined
  /** The name before a line break in `…: Adding to iommu group⏎14`. */
  awaitingGroup: string | undefined
  /** Functions with a mark for a reset (`[R]`, `[RESET]`), and functions of the same form without it. */
  readonly resets: { readonly marked: Set<PciAddress>; readonly unmarked: Set<PciAddress> }
  /** The current block of hwinfo, the columns of Proxmox's table, and the things attached to controllers. */
  hwinfo: HwinfoBlock | undefined
  table: readonly string[] | undefined
  readonly attached: AttachedLines
  readonly network: PastedNetwork
  readonly disks: PastedDisks
  /** The number of lines of each form with its own reader. */
  readonly forms: Map<SourceKind, number>
  /** `others`: group members on other buses; `find` counts them too. */
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
 * The reader of a form whose lines can be read one by one. It returns the name of the form, `beside` if the
 * line names no function, or `undefined` if the line is of another form.
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
