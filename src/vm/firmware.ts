/** SeaBIOS is built into QEMU; UEFI is OVMF, two files found where distributions put them, the second copied for each VM. */
import { AppError } from '../errors.ts'
import type { VmSpec } from '../spec/spec.ts'
import { copyFile, exists } from '../system/work-folder.ts'
import type { Firmware } from './qemu-args.ts'

/** Code and variable store, in the order tried: Debian and Ubuntu, Fedora, Arch, openSUSE. */
const ovmf: readonly (readonly [string, string])[] = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
  ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'],
  ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'],
  ['/usr/share/qemu/ovmf-x86_64-4m-code.bin', '/usr/share/qemu/ovmf-x86_64-4m-vars.bin'],
]

export function chooseFirmware(vm: VmSpec): Firmware {
  if (vm.firmware === 'bios') return { kind: 'bios' }
  const found = ovmf.find(([code, vars]) => exists(code) && exists(vars))
  if (!found) {
    throw new AppError(`${vm.name} wants UEFI firmware, and OVMF is not installed`, {
      help: 'apt-get install ovmf (Fedora: edk2-ovmf)',
    })
  }
  const vars = `/var/lib/handover/vms/${vm.name}/uefi-vars.fd`
  if (!exists(vars)) copyFile(found[1], vars)
  return { kind: 'uefi', code: found[0], vars }
}
