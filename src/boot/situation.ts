/**
 * How a host boots, found once and passed on: which loader starts it, what makes its initramfs and its
 * unified images.
 */
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
 * A change of the command line for good. Files of others are edited in place; where the way is not understood
 * nothing is written, and the exact change is said instead.
 */
export function editCmdline(boot: BootSituation, change: BootChange): Edits {
  return refuseMangled(boot.loader.edit(boot, change), change)
}

/** Makes every initramfs again; nothing where the tool is not known. */
export function remakeImages(boot: BootSituation): readonly Step[] {
  return boot.tool === undefined ? [] : boot.loader.remake(boot, boot.tool)
}
