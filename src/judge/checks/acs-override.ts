/**
 * With `pcie_acs_override=` a group proves nothing: what the hardware keeps apart has to be known from its
 * ports.
 */
import { isBridge } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import { notes } from '../reasons.ts'

export const checkAcsOverride: Check = (device, view) => {
  const override = view.acsOverride()
  const group = override === undefined || override.inForce === false ? undefined : view.groupOf(device)
  if (override === undefined || group === undefined || isBridge(device)) return nothing
  // Where it is known, either nothing leaks or the check of isolation says what does.
  if ((view.isolation().get(group.id)?.isolated ?? 'unknown') !== 'unknown') return nothing
  return [
    {
      code: 'acs-override',
      severity: 'warning',
      ...notes(
        device.address,
        `group ${group.id} may be what ${override.word} makes the kernel claim; what the hardware keeps ` +
          'apart from it is not known',
      ),
      help:
        'start the kernel without it and look at the groups again, or add the output of: sudo ' +
        'lspci -nnvvv',
      about: [device.address],
    },
  ]
}
