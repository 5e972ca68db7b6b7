/**
 * A tool that makes unified kernel images (kernel, initramfs and arguments in one file). Each has a file here
 * and a line in makers.ts. Text and commands only. The trial's image has a name that no tool and no boot
 * loader takes for a good one.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { BootChange, Edits } from '../edits.ts'
import type { InitramfsTool, Making } from '../initramfs/tool.ts'
import type { OwnFile } from '../own-file.ts'

export type Kernel = {
  readonly release: string
  /** Path of the bootable kernel file. */
  readonly kernel: string
}

/** Needed only while the trial's image is made: what lies here is gone with the next boot. */
export const trialFolder = '/run/handover-trial'
export const trialCmdlinePath = `${trialFolder}/cmdline`

export type UkiMaker = {
  readonly name: string
  /** Its own configuration says that it makes this host's images. */
  readonly isUsed: (host: Host) => boolean
  /** Changes the arguments where it takes them from. */
  readonly edit: (files: readonly HostFile[], change: BootChange) => Edits
  /** How a person does it: where the arguments stand, and what to run. */
  readonly byHand: ByHand
  /** Whether the image of the running kernel is among those it can make again. */
  readonly makesRunning: (host: Host) => boolean
  /** Under Secure Boot: whether a good image that is made again is signed, and whether a trial's image is. */
  readonly signs: (host: Host, image: 'good' | 'trial') => boolean
  /**
   * Makes every known image again, from what its configuration says then. `tool`: where it takes a ready
   * initramfs.
   */
  readonly remake: (host: Host, tool: InitramfsTool | undefined) => readonly Step[]
  /** The files that give the trial's image its arguments. */
  readonly trialFiles: (cmdline: string) => readonly OwnFile[]
  /**
   * `makeInitramfs`: the command for an initramfs of its own, where the maker does not call for one by
   * itself.
   */
  readonly makeTrial: (host: Host, image: string, given: TrialKernel) => readonly Making[]
}

export type TrialKernel = Kernel & { readonly makeInitramfs: (path: string) => readonly string[] }

export type ByHand = { readonly path: string; readonly run: string }

export const remakeReason = 'put the early binding and the kernel arguments into every image'

export const inNoFile = 'unified kernel images whose arguments stand in no file'

/** With the arguments in one file for all. */
export function trialCmdlineFile(cmdline: string): OwnFile[] {
  return [{ path: trialCmdlinePath, text: `${cmdline}\n`, mode: 0o644 }]
}

/** With Secure Boot an image that nobody signs does not start: true when that is so, or cannot be known. */
export function lacksSignature(host: Host, maker: UkiMaker, image: 'good' | 'trial'): boolean {
  return host.boot?.secureBoot === true && !maker.signs(host, image)
}
