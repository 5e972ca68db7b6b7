/** A tool that makes initramfs images. Each has a file here and a line in tools.ts. */
import type { HostFile } from '../../host/host.ts'
import type { BootPath } from '../boot-paths.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { scriptText } from '../script.ts'

/** A command, and what it writes. */
export type Making = { readonly argv: readonly string[]; readonly outputs: readonly string[] }

export type InitramfsTool = {
  readonly name: string
  readonly isInstalled: (has: (path: BootPath) => boolean) => boolean
  /**
   * What gets the early binding into an image: a hook that copies the script, the bindings and the udev rule,
   * and one that runs the script before udev is asked to go through the devices (the "trigger"), whether the
   * image has an init of its own or systemd.
   */
  readonly files: readonly OwnFile[]
  /** Makes one image. */
  readonly make: (path: string, release: string) => readonly string[]
  /** Makes every image again. The outputs are patterns, so that they cover kernels installed later. */
  readonly makeAll: (files: readonly HostFile[]) => Making
  /**
   * The paths of the images stand in its own configuration: they are made all at once, whatever entries name.
   */
  readonly namesImages?: true
}

export function script(path: string, asset: string, mode = 0o755): OwnFile {
  return { path, mode, text: scriptText(asset) }
}

export function setting(path: string, line: string): OwnFile {
  return { path, mode: 0o644, text: `${ownHeader}\n${line}\n` }
}
