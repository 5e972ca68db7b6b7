/**
 * The interface of a boot loader: how it is recognised, how the command line is changed permanently, how one
 * trial boot is prepared, how initramfs images are rebuilt, and which files a trial leaves. Each loader has a
 * file here and a line in loaders.ts.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { BootPath } from '../boot-paths.ts'
import type { BootChange, Edits } from '../edits.ts'
import type { InitramfsTool } from '../initramfs/tool.ts'
import type { UkiMaker } from '../makers/maker.ts'
import type { TrialWay } from '../trial/trial-way.ts'

export type BootEvidence = {
  /** The existing paths of boot-paths.ts. */
  readonly present: readonly string[]
  /** /proc/cmdline, to which GRUB and syslinux add BOOT_IMAGE=, and systemd-boot `initrd=\…`. */
  readonly cmdline: string
  /** EFI variable LoaderInfo. */
  readonly loaderInfo?: string
  /** EFI variable StubInfo. If it is set, the stub of systemd ran, so a unified kernel image was booted. */
  readonly stubInfo?: string
  /**
   * A folder that has entries. Others may be empty, such as that of an ESP when the entries are on XBOOTLDR.
   */
  readonly entries?: string
}

export type Signs = BootEvidence & {
  readonly has: (path: BootPath) => boolean
  /** The name of the loader that started this machine, if it left a trace. */
  readonly ran: string | undefined
}

/** What is known also of a pasted listing: files and distribution. */
export type HostSigns = {
  readonly hasFile: (path: string) => boolean
  readonly isDistribution: (...names: readonly string[]) => boolean
  /** The distribution is unknown. */
  readonly isNameless: boolean
}

export type LoaderKind = {
  /** The name in messages. */
  readonly name: string
  /** Matches the EFI variable LoaderInfo that this loader writes. */
  readonly loaderInfo?: RegExp
  /** Matches what this loader adds to the kernel command line. */
  readonly trace?: RegExp
  /** Undefined when this loader did not start the machine. `isCertain` is false when it possibly did. */
  readonly detect: (signs: Signs) => { readonly loader: Loader; readonly isCertain: boolean } | undefined
  /**
   * The place of the change, for a sentence that begins with `add ARGUMENT to` or `remove ARGUMENT from`.
   * Undefined when the files of the host do not show it.
   */
  readonly place?: (signs: HostSigns, change: BootChange) => string | undefined
}

/** A boot loader as it was found on one host. */
export type Loader = {
  readonly name: string
  /** Changes the command line permanently. */
  readonly edit: (boot: BootSituation, change: BootChange) => Edits
  /** Prepares one trial boot. A loader that may not delete the choice offers none, and gives the reason. */
  readonly trial: (boot: BootSituation, change: BootChange) => TrialWay
  /** Rebuilds the initramfs images that this loader starts. */
  readonly remake: (boot: BootSituation, tool: InitramfsTool) => readonly Step[]
  /** False when `remake` does not rebuild the image of the running kernel. */
  readonly remakesRunning: (boot: BootSituation) => boolean
  readonly leftovers: (boot: BootSituation) => TrialLeftovers
}

/** The files that a trial leaves: its entry and its image. */
export type TrialLeftovers = { readonly entries: readonly HostFile[]; readonly image: string }

/** How a host boots (situation.ts). */
export type BootSituation = {
  readonly host: Host
  readonly loader: Loader
  /** The tool that makes initramfs images; undefined when it is not known. */
  readonly tool: InitramfsTool | undefined
  /** The tool that makes unified kernel images; undefined when it is not known. */
  readonly maker: UkiMaker | undefined
}
