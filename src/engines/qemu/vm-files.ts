/** The sockets and logs of a running VM. Each VM has a folder under /run, which a reboot empties. */
import { runFolder } from '../../base/own-folders.ts'
import type { System } from '../../machine/system.ts'

/** The path as the System reads it, without its root. */
export const vmRunFolder = `${runFolder}/vm`

export type VmFiles = {
  readonly folder: string
  /** VmRecord as JSON. */
  readonly record: string
  readonly qmp: string
  readonly serial: string
  readonly serialLog: string
  readonly report: string
  readonly vnc: string
  readonly log: string
}

/** The paths as other programs open them, with the root of the System: QEMU does not know that root. */
export function vmFiles({ root = '' }: Pick<System, 'root'>, name: string): VmFiles {
  const folder = `${root}${vmRunFolder}/${name}`
  return {
    folder,
    record: `${folder}/vm.json`,
    qmp: `${folder}/qmp.sock`,
    serial: `${folder}/serial.sock`,
    serialLog: `${folder}/serial.log`,
    report: `${folder}/report.sock`,
    vnc: `${folder}/vnc.sock`,
    log: `${folder}/qemu.log`,
  }
}
