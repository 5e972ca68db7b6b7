/**
 * Where a running VM keeps its sockets and logs: one folder for each under /run, gone after a reboot like the
 * VM itself.
 */
import { runFolder } from '../../base/own-folders.ts'
import type { System } from '../../machine/system.ts'

/** On the machine that the System reads. */
export const vmRunFolder = `${runFolder}/vm`

export type VmFiles = {
  readonly folder: string
  /** What was started: VmRecord as JSON. */
  readonly record: string
  readonly qmp: string
  readonly serial: string
  readonly serialLog: string
  readonly report: string
  readonly vnc: string
  readonly log: string
}

/** The paths as programs open them: QEMU knows nothing of the tree that a System may read. */
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
