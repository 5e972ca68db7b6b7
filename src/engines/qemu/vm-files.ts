/** Where a running VM keeps its sockets and logs: one folder for each under /run, gone after a reboot like the VM itself. */
import { runFolder } from '../../machine/work-folder.ts'

export function vmRunFolder(): string {
  return `${runFolder()}/vm`
}

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

export function vmFiles(name: string): VmFiles {
  const folder = `${vmRunFolder()}/${name}`
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
