/**
 * A function whose configuration space reads all ones is not there: asleep in D3cold, fallen off the bus, or
 * unplugged.
 */
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'

export const checkAnswers: Check = (device) => {
  if (!device.facts?.notAnswering) return nothing
  return [
    {
      code: 'device-silent',
      severity: 'warning',
      undecided: true,
      ...says(
        device.address,
        'does not answer: its configuration space reads all ff (asleep in D3cold, or gone)',
      ),
      help: `wake it and inspect again: echo on > /sys/bus/pci/devices/${device.address}/power/control`,
      about: [device.address],
    },
  ]
}
