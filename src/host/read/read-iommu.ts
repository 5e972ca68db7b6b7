/**
 * Reads the state of the IOMMU from evidence: groups and units prove that it is on; firmware tables show that
 * the machine has one. The kernel log is not used: it prints "DMAR: IOMMU enabled" before it touches any
 * hardware.
 */
import { defined } from '../../base/defined.ts'
import { toHex } from '../../pci/hex.ts'
import type { ReadResult } from '../../machine/system.ts'
import type { IommuFacts, IommuGroup } from '../host.ts'
import { bytesOf, linkName, namesIn, textOf, type Reading } from './reading.ts'

const tablesFolder = '/sys/firmware/acpi/tables'

/** Names of the IOMMU units, if the kernel or the archive has the folder. */
export function listUnits(reading: Reading): ReadResult<readonly string[]> {
  return reading.system.list('/sys/class/iommu')
}

export function readIommu(
  reading: Reading,
  listed: ReadResult<readonly string[]>,
  groups: readonly IommuGroup[],
): IommuFacts {
  const units = listed.ok && listed.value.length > 0 ? listed.value : unitsOfDevices(reading, groups)
  const tables = new Set(namesIn(reading, tablesFolder))
  const dmar = tables.has('DMAR') ? tableHex(reading, 'DMAR') : undefined
  const ivrs = tables.has('IVRS') ? tableHex(reading, 'IVRS') : undefined
  const interruptRemapping = readInterruptRemapping(reading)
  return {
    state: stateOf(groups.length > 0 || units.length > 0, dmar ?? ivrs, tables.size > 0 || listed.ok),
    kind: kindOf(units, dmar, ivrs),
    ...defined({ interruptRemapping }),
    ...(listed.ok || units.length > 0 ? { units } : {}),
    ...defined({ dmar, ivrs }),
  }
}

function stateOf(on: boolean, table: string | undefined, looked: boolean): IommuFacts['state'] {
  if (on) return 'on'
  if (table !== undefined) return 'off'
  return looked ? 'absent' : 'unknown'
}

/** Groups alone show that there is an IOMMU, but not its kind. */
function kindOf(units: readonly string[], dmar?: string, ivrs?: string): IommuFacts['kind'] {
  if (units.some((name) => name.startsWith('dmar')) || dmar !== undefined) return 'intel'
  if (units.some((name) => name.startsWith('ivhd')) || ivrs !== undefined) return 'amd'
  return units.length > 0 ? 'other' : null
}

/** Only root can read the tables (mode 0400). The empty text means that the table is there but unreadable. */
function tableHex(reading: Reading, name: string): string {
  const bytes = bytesOf(reading, `${tablesFolder}/${name}`, 1 << 20)
  return bytes === undefined ? '' : toHex(bytes)
}

/**
 * /proc/interrupts names the interrupt chip of each line: `IR-PCI-MSI` with remapping, `PCI-MSI` without it
 * (x86 only). Every user may read it, unlike the kernel log.
 */
function readInterruptRemapping(reading: Reading): boolean | undefined {
  const text = textOf(reading, '/proc/interrupts', 16 << 20)
  if (text === undefined) return undefined
  if (/\sIR-(?:PCI-MSI|IO-APIC|HPET)/.test(text)) return true
  return /\s(?:PCI-MSI|IO-APIC)/.test(text) ? false : undefined
}

/**
 * Archives often lack /sys/class. The `iommu` link of a function also names its unit
 * (`../../virtual/iommu/dmar1`).
 */
function unitsOfDevices(reading: Reading, groups: readonly IommuGroup[]): string[] {
  for (const address of groups.slice(0, 8).flatMap((group) => group.devices.slice(0, 1))) {
    const unit = linkName(reading, `/sys/bus/pci/devices/${address}/iommu`)
    if (unit !== undefined) return [unit]
  }
  return []
}
