/**
 * Functions of a server's management controller (BMC): its display is the screen of the remote console, and
 * gives a guest nothing but that. Ids decide, so this needs no reading; in a listing without ids, names do.
 */
import type { HostNeed } from '../host/host.ts'
import type { PciDevice } from '../pci/device.ts'
import { idList, type IdList } from '../pci/quirks/id-list.ts'

type Row = { readonly vendor: string; readonly devices: IdList; readonly what: string }

/**
 * Displays: the id tables of the kernel's drivers for them, `ast`, `mgag200` (without the two cards one could
 * buy, 0520 and 0521) and `hibmc` (drivers/gpu/drm). The rest of HPE's iLO: pci.ids, and `hpilo`
 * (drivers/misc/hpilo.c) for 3307.
 */
const rows: readonly Row[] = [
  {
    vendor: '1a03',
    devices: idList('2000 2010'),
    what: 'remote console of the management controller (ASPEED)',
  },
  {
    vendor: '102b',
    devices: idList('0522 0524 0530 0532-0534 0536 0538 053a'),
    what: 'remote console of the management controller (Matrox G200e)',
  },
  {
    vendor: '19e5',
    devices: idList('1711'),
    what: 'remote console of the management controller (Huawei iBMC)',
  },
  { vendor: '103c', devices: idList('3300-3308'), what: 'management controller (HPE iLO)' },
]

const names = /^(?:ASPEED .*\bGraphics|Matrox .*\bG200\s?e)|Integrated Lights-Out/i

export function managementNeeds(devices: readonly PciDevice[]): HostNeed[] {
  const needs: HostNeed[] = []
  for (const device of devices) {
    const what = managementRole(device)
    if (what !== undefined)
      needs.push({ kind: 'console', what, chain: [], device: device.address, weight: 'vital' })
  }
  return needs
}

const rowOf = (vendorId: string) => rows.find((one) => one.vendor === vendorId)

function managementRole({ vendorId, deviceId, name }: PciDevice): string | undefined {
  if (vendorId === undefined || deviceId === undefined)
    return name !== undefined && names.test(name) ? 'remote console of the management controller' : undefined
  const row = rowOf(vendorId)
  return row?.devices(Number.parseInt(deviceId, 16)) ? row.what : undefined
}
