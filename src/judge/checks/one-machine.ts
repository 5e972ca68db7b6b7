/** A paste of two machines: no fact in it belongs to one of them for sure, so nothing in it is decided. */
import { nothing, type Check } from '../check.ts'
import { mentions } from '../reasons.ts'

export const checkOneMachine: Check = (device, { host }) => {
  if (host.twoMachines === undefined) return nothing
  return [
    {
      code: 'two-machines',
      severity: 'warning',
      undecided: true,
      ...mentions(
        device.address,
        (it) => `the input is of two machines (${host.twoMachines ?? ''}), so nothing is known of ${it}`,
      ),
      help: 'give a listing of one machine only',
      about: [device.address],
    },
  ]
}
