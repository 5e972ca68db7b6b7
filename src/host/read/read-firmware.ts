/** The maker, version and date of the firmware (SMBIOS type 0, drivers/firmware/dmi-id.c). */
import { defined } from '../../base/defined.ts'
import type { Reader } from '../../machine/system.ts'

export type FirmwareFacts = { readonly vendor?: string; readonly version?: string; readonly date?: string }

/** Undefined where nothing of it can be read: many virtual and ARM machines have no SMBIOS. */
export function readFirmware(reader: Reader): FirmwareFacts | undefined {
  const facts = defined({
    vendor: textOf(reader, 'bios_vendor'),
    version: textOf(reader, 'bios_version'),
    date: textOf(reader, 'bios_date'),
  })
  return Object.keys(facts).length === 0 ? undefined : facts
}

function textOf(reader: Reader, name: string): string | undefined {
  const text = reader.readText(`/sys/class/dmi/id/${name}`, 256)
  return text.ok ? text.value.trim() || undefined : undefined
}
