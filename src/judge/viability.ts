/**
 * Whether VFIO takes a group as it stands: `iommu_group_claim_dma_owner` (drivers/iommu/iommu.c) fails while
 * a driver of the host uses the DMA interface through a member. It asks for drivers, never for what class of
 * function a member is.
 */
import type { IommuGroup } from '../host/host.ts'
import { leavesDmaAlone } from '../pci/vfio-driver.ts'
import type { HostView } from './host-view.ts'

/** `undefined`: a member's driver is not stated, and no other member decides. */
export function viabilityOf(group: IommuGroup, view: HostView): boolean | undefined {
  let viable: boolean | undefined = true
  for (const address of group.devices) {
    const driver = view.byAddress.get(address)?.driver
    if (driver === undefined) viable = undefined
    else if (driver !== null && !leavesDmaAlone(driver)) return false
  }
  return viable
}
