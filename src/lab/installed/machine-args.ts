/**
 * The outer QEMU's arguments for an installed host: firmware that starts its disk, the disk, and the tool's
 * own disk (pure but for one copy).
 */
import type { System } from '../../machine/system.ts'
import type { InstalledSystem } from './systems.ts'

const firmwareCode = '/usr/share/OVMF/OVMF_CODE_4M.fd'
const seaBios = '/usr/share/seabios/bios-256k.bin'
const firmwareVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd'

/**
 * UEFI firmware keeps its boot entries in the file `variables`, which is created if it is missing. SeaBIOS is
 * QEMU's default and needs no arguments.
 */
export function firmwareArgs(system: System, installed: InstalledSystem, variables: string): string[] {
  if (installed.firmware === 'bios') return []
  if (!system.work.exists(variables)) system.work.copyFile(firmwareVariables, variables)
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${firmwareCode}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${variables}`],
  ]
}

/** The part of the cache key for the firmware, since the image contains its first boot. */
export function firmwareKey(system: System, installed: InstalledSystem): string {
  const files = installed.firmware === 'bios' ? [seaBios] : [firmwareCode, firmwareVariables]
  return files.map((path) => (system.work.exists(path) ? system.work.sha256File(path) : path)).join(' ')
}
