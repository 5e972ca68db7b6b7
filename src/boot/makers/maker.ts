/**
 * The interface of a tool that makes unified kernel images (kernel, initramfs and arguments in one file).
 * Each tool has a file here and a line in makers.ts. No tool and no boot loader takes the name of the trial's
 * image for that of a good one.
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

/** For files that are needed only while the trial's image is built. A reboot removes them. */
export const trialFolder = '/run/handover-trial'
export const trialCmdlinePath = `${trialFolder}/cmdline`

export type UkiMaker = {
  readonly name: string
  /** Whether the tool's configuration says that it makes the images of this host. */
  readonly isUsed: (host: Host) => boolean
  /** Changes the arguments in the tool's configuration. */
  readonly edit: (files: readonly HostFile[], change: BootChange) => Edits
  /** What the user can do: where the arguments are, and what to run. */
  readonly byHand: ByHand
  /** Whether the tool can rebuild the image of the running kernel. */
  readonly makesRunning: (host: Host) => boolean
  /** Whether the tool signs a rebuilt image, or that of a trial, for Secure Boot. */
  readonly signs: (host: Host, image: 'good' | 'trial') => boolean
  /** Rebuilds every known image. `tool` makes the initramfs, for a maker that needs a finished one. */
  readonly remake: (host: Host, tool: InitramfsTool | undefined) => readonly Step[]
  /** The files that give the trial's image its arguments. */
  readonly trialFiles: (cmdline: string) => readonly OwnFile[]
  /** `makeInitramfs` is the command that makes an initramfs, for a maker that does not run one itself. */
  readonly makeTrial: (host: Host, image: string, given: TrialKernel) => readonly Making[]
}

export type TrialKernel = Kernel & { readonly makeInitramfs: (path: string) => readonly string[] }

export type ByHand = { readonly path: string; readonly run: string }

export const remakeReason = 'put the early binding and the kernel arguments into every image'

export const inNoFile = 'unified kernel images whose arguments are in no file'

/** For makers that read the arguments from a file. */
export function trialCmdlineFile(cmdline: string): OwnFile[] {
  return [{ path: trialCmdlinePath, text: `${cmdline}\n`, mode: 0o644 }]
}

/**
 * Under Secure Boot an unsigned image does not start. True when the image is not signed, or this is not
 * known.
 */
export function lacksSignature(host: Host, maker: UkiMaker, image: 'good' | 'trial'): boolean {
  return host.boot?.secureBoot === true && !maker.signs(host, image)
}
