/** The table of initramfs tools. */
import { hasPath } from '../boot-paths.ts'
import { dracut } from './dracut.ts'
import { initramfsTools } from './initramfs-tools.ts'
import { mkinitcpio } from './mkinitcpio.ts'
import type { InitramfsTool } from './tool.ts'

export const allInitramfsTools: readonly InitramfsTool[] = [initramfsTools, dracut, mkinitcpio]

/** Undefined also when two are installed, since it is unknown whose image is booted. */
export function findInitramfsTool(present: readonly string[]): InitramfsTool | undefined {
  const installed = allInitramfsTools.filter((tool) => tool.isInstalled((path) => hasPath(present, path)))
  return installed.length === 1 ? installed[0] : undefined
}
