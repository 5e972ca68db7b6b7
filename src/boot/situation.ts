/** Finds how a host boots: its loader, and the tools that make its initramfs and its unified images. */
import type { Host } from '../host/host.ts'
import type { Step } from '../steps/step.ts'
import { refuseMangled, type BootChange, type Edits } from './edits.ts'
import { findInitramfsTool } from './initramfs/tools.ts'
import type { BootSituation } from './loaders/loader.ts'
import { evidenceOf, findLoader } from './loaders/loaders.ts'
import { findUkiMaker } from './makers/makers.ts'

export function bootSituation(host: Host): BootSituation {
  return {
    host,
    loader: findLoader(evidenceOf(host)).loader,
    tool: host.boot && findInitramfsTool(host.boot.present),
    maker: findUkiMaker(host),
  }
}

/**
 * Changes the command line permanently. Files of the user are edited in place; when a file is not understood,
 * nothing is written, and the user gets the exact change as an instruction.
 */
export function editCmdline(boot: BootSituation, change: BootChange): Edits {
  return refuseMangled(boot.loader.edit(boot, change), change)
}

/** Rebuilds every initramfs. Empty when the tool is not known. */
export function remakeImages(boot: BootSituation): readonly Step[] {
  return boot.tool === undefined ? [] : boot.loader.remake(boot, boot.tool)
}
