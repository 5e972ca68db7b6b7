/**
 * What vfio-pci and QEMU refuse or hide per device. Facts from drivers/vfio/pci of kernel 7.2.13
 * (`vfio_pci_dev_in_denylist`, `vfio_pci_nointx`) and QEMU 10.0.13 hw/vfio/pci-quirks.c (`rom_denylist`).
 */
import { type IdList, idList, rememberByIds } from './id-list.ts'
import type { Identified } from './reset-quirks.ts'

const denied: readonly { readonly devices: IdList; readonly name: string }[] = [
  { devices: idList('19e2 19e3'), name: 'QAT C3xxx' },
  { devices: idList('37c8 37c9'), name: 'QAT C62x' },
  { devices: idList('0435 0443'), name: 'QAT DH895xCC' },
  { devices: idList('0b25'), name: 'Data Streaming Accelerator' },
  { devices: idList('0cfe'), name: 'In-Memory Analytics Accelerator' },
]

/**
 * Name of a device vfio-pci refuses (its isolation is known broken) unless loaded with `disable_denylist=1`.
 */
export function vfioDeniedName(device: Identified): string | undefined {
  if (device.vendorId !== '8086' || device.deviceId === undefined) return undefined
  return nameOfDenied(device.vendorId, device.deviceId)
}

const nameOfDenied = rememberByIds((_vendorId, deviceId) => {
  const id = Number.parseInt(deviceId, 16)
  return denied.find((row) => row.devices(id))?.name
})
