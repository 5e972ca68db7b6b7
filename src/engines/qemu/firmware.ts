/**
 * SeaBIOS is built into QEMU. UEFI is OVMF, which distributions install as two files: the code, and the
 * variables, which are copied for each VM.
 */
import type { System } from '../../machine/system.ts'
import { AppError } from '../../base/errors.ts'
import { stateFolder } from '../../base/own-folders.ts'
import { firmwareFiles } from '../../spec/firmware-files.ts'
import type { VmSpec } from '../../spec/spec.ts'
import type { Firmware } from './qemu-args.ts'

/** `images`: where the files of OVMF may be. `state`: where the variables of each VM are kept. */
export type FirmwarePlaces = { readonly images: typeof firmwareFiles; readonly state: string }

const ofThisMachine: FirmwarePlaces = { images: firmwareFiles, state: `${stateFolder}/vms` }

export function chooseFirmware(
  system: System,
  vm: VmSpec,
  { images, state }: FirmwarePlaces = ofThisMachine,
): Firmware {
  if (vm.firmware === 'bios') return { kind: 'bios' }
  const found = images.find(([code, vars]) => system.work.exists(code) && system.work.exists(vars))
  if (!found) {
    throw new AppError(`${vm.name} wants UEFI firmware, and OVMF is not installed`, {
      help: 'apt-get install ovmf (Fedora: edk2-ovmf)',
    })
  }
  const vars = `${state}/${vm.name}/uefi-vars.fd`
  if (!system.work.exists(vars)) system.work.copyFile(found[1], vars)
  return { kind: 'uefi', code: found[0], vars }
}
