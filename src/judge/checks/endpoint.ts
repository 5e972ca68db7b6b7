/** vfio-pci refuses every header type but 0, so bridges stay with the host. */
import { isBridge } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'

export const checkEndpoint: Check = (device) => {
  if (!isBridge(device) && device.portType !== 'rootComplexEventCollector') return nothing
  const what =
    device.headerType === 2 ? 'a CardBus bridge' : isBridge(device) ? 'a bridge' : 'an event collector'
  return [
    {
      code: 'not-an-endpoint',
      severity: 'error',
      ...says(device.address, `is ${what}; only endpoints can be given to a VM`),
      help: 'choose a device below it',
      about: [device.address],
    },
  ]
}
