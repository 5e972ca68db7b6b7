/**
 * The group rule: a group leaves the host as a whole, so a device whose group holds something the host needs is refused,
 * with the whole chain shown.
 */
import { nothing, type Check } from '../check.ts'
import { companions } from '../view.ts'
import { chainText } from '../words.ts'
import { isVital } from './needs.ts'

export const checkGroupNeeds: Check = (device, view) => {
  const group = view.groupOf(device)
  if (!group || group.devices.length < 2) return nothing
  const beside = companions(device, view)
  if (beside.length === 0) return nothing
  const vital = beside.flatMap((address) =>
    view.needsOf(address).flatMap((need) => (isVital(need, view) ? [{ address, need }] : [])),
  )
  // A disk or a route with its chain says more than the board's own buses that often share its group.
  const first = vital.find(({ need }) => need.kind !== 'chipset') ?? vital[0]
  if (first === undefined) return nothing
  const { address, need } = first
  const what =
    need.kind === 'chipset'
      ? `${address}, the ${need.what} of this board`
      : `${address}, which the host needs: ${chainText(need, group.id)}`
  return [
    {
      code: 'group-not-viable',
      severity: 'error',
      message: `${device.address} shares IOMMU group ${group.id} with ${what}`,
      help: 'put the card into a slot with a group of its own, or choose another device',
      about: [device.address, address],
    },
  ]
}
