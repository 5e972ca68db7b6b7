/**
 * Where the kernel claims an isolation that nothing on the path gives, a guest may reach other devices past
 * the IOMMU.
 */
import { nothing, type Check } from '../check.ts'
import { isBridge } from '../../pci/device.ts'
import { says } from '../reasons.ts'
import { addressesText } from '../words.ts'

export const checkIsolation: Check = (device, view) => {
  const group = view.groupOf(device)
  const isolation = group && view.isolation().get(group.id)
  if (!group || isBridge(device) || isolation?.isolated !== 'no') return nothing
  const { port, why, reaches = [], restsOnOverride } = isolation
  const where =
    why === 'shares-requester-id'
      ? `it shares its requester id${port ? ` through ${port}` : ''}`
      : `${port ?? 'a port above it'} ` +
        (why === 'acs-off' ? 'has its access controls (ACS) switched off' : 'has no access controls (ACS)')
  return [
    {
      code: restsOnOverride ? 'acs-override' : 'isolation-unproven',
      severity: 'warning',
      ...says(
        device.address,
        `is not kept apart from ${addressesText(reaches)}, although the kernel gives it group ` +
          `${group.id}: ${where}`,
      ),
      help: 'give these devices to the same VM, or put the card into a slot whose port has ACS',
      about: [device.address, ...reaches.slice(0, 8)],
    },
  ]
}
