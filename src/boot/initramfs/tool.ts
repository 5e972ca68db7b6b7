/** The interface of a tool that makes initramfs images. Each tool has a file here and a line in tools.ts. */
import type { HostFile } from '../../host/host.ts'
import type { BootPath } from '../boot-paths.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { scriptText } from '../script.ts'

/** A command, and the files that it writes. */
export type Making = { readonly argv: readonly string[]; readonly outputs: readonly string[] }

export type InitramfsTool = {
  readonly name: string
  readonly isInstalled: (has: (path: BootPath) => boolean) => boolean
  /**
   * Files that put the early binding into an image: a hook that copies the script, the bindings and the udev
   * rule, and a hook that runs the script before the udev trigger, both with the tool's own init and with
   * systemd.
   */
  readonly files: readonly OwnFile[]
  /** Makes one image. */
  readonly make: (path: string, release: string) => readonly string[]
  /**
   * Rebuilds every image. The outputs are patterns, so that they also match kernels that are installed later.
   */
  readonly makeAll: (files: readonly HostFile[]) => Making
  /**
   * The tool's configuration names the images, so all of them are rebuilt together, whatever the entries
   * name.
   */
  readonly namesImages?: true
}

export function script(path: string, asset: string, mode = 0o755): OwnFile {
  return { path, mode, text: scriptText(asset) }
}

export function setting(path: string, line: string): OwnFile {
  return { path, mode: 0o644, text: `${ownHeader}\n${line}\n` }
}
