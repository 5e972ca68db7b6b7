/**
 * A boot loader: how this program recognises it, changes the command line for good, gets one trial boot,
 * makes the initramfs images again, finds what a trial left, and says the change in words. Each has a file
 * here and a line in loaders.ts.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { BootPath } from '../boot-paths.ts'
import type { BootChange, Edits } from '../edits.ts'
import type { InitramfsTool } from '../initramfs/tool.ts'
import type { UkiMaker } from '../makers/maker.ts'
import type { TrialWay } from '../trial/trial-way.ts'

export type BootEvidence = {
  /** Of boot-paths.ts, those that exist. */
  readonly present: readonly string[]
  /** /proc/cmdline: GRUB and syslinux put BOOT_IMAGE= there, systemd-boot `initrd=\…`. */
  readonly cmdline: string
  /** EFI variable LoaderInfo. */
  readonly loaderInfo?: string
  /** EFI variable StubInfo: systemd's stub ran, so what was booted is a unified kernel image. */
  readonly stubInfo?: string
  /**
   * A folder of entries in which there are some; the others may be empty (an ESP whose entries lie on
   * XBOOTLDR).
   */
  readonly entries?: string
}

/** The evidence as a loader is asked about it. */
export type Signs = BootEvidence & {
  readonly has: (path: BootPath) => boolean
  /** The name of the loader that started this machine, where one left its word. */
  readonly ran: string | undefined
}

/** How a host looks where it may be a pasted listing: its files and its distribution. */
export type HostSigns = {
  readonly hasFile: (path: string) => boolean
  readonly isDistribution: (...names: readonly string[]) => boolean
  /** Nothing says of which distribution the files are. */
  readonly isNameless: boolean
}

export type LoaderKind = {
  /** As messages call it. */
  readonly name: string
  /** What it writes into the EFI variable LoaderInfo. */
  readonly loaderInfo?: RegExp
  /** What it leaves on the kernel command line. */
  readonly trace?: RegExp
  /** Undefined where it did not start this machine. What only might have started it is not `isCertain`. */
  readonly detect: (signs: Signs) => { readonly loader: Loader; readonly isCertain: boolean } | undefined
  /**
   * Where a person makes the change, behind `add ARGUMENT to` or `remove ARGUMENT from`, by the files of the
   * host alone. Undefined where they do not tell.
   */
  readonly place?: (signs: HostSigns, change: BootChange) => string | undefined
}

/** A boot loader with what was found about it on one host. */
export type Loader = {
  readonly name: string
  /** Changes the command line for good. */
  readonly edit: (boot: BootSituation, change: BootChange) => Edits
  /** An entry for one boot. A loader that cannot be trusted to forget the choice has no way, and a reason. */
  readonly trial: (boot: BootSituation, change: BootChange) => TrialWay
  /** Makes the initramfs images again that it starts. */
  readonly remake: (boot: BootSituation, tool: InitramfsTool) => readonly Step[]
  /** False where `remake` leaves out the image of the running kernel. */
  readonly remakesRunning: (boot: BootSituation) => boolean
  readonly leftovers: (boot: BootSituation) => TrialLeftovers
}

/** What a trial left where the loader reads: the entry, and its image. */
export type TrialLeftovers = { readonly entries: readonly HostFile[]; readonly image: string }

/** How a host boots: found once (situation.ts), and passed on. */
export type BootSituation = {
  readonly host: Host
  readonly loader: Loader
  /** What makes initramfs images; undefined where that is not known. */
  readonly tool: InitramfsTool | undefined
  /** What makes unified kernel images; undefined where nothing is known to. */
  readonly maker: UkiMaker | undefined
}
