/** Others in the group leave the host together with the device: fine when they are its own functions, else worth a look. */
import { isSameSlot } from '../../pci/address.ts'
import { nothing, type Check } from '../check.ts'
import { companions } from '../view.ts'
import { addressesText } from '../words.ts'

export const checkGroupMembers: Check = (device, view) => {
  const group = view.groupOf(device)
  if (!group || group.devices.length < 2) return nothing
  const others = companions(device, view)
  if (others.length === 0) return nothing
  const sameCard = others.every((address) => isSameSlot(address, device.address))
  return [
    {
      code: 'group-shared',
      severity: 'warning',
      message: `${device.address} leaves the host together with ${addressesText(others)}: they share IOMMU group ${group.id}`,
      help: sameCard
        ? 'give all functions of the card to the same VM'
        : 'give them to the same VM, or put the card into a slot with a group of its own',
      about: [device.address, ...others],
    },
  ]
}
