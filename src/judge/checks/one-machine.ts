/** A paste of two machines: which fact belongs to which cannot be told, so nothing in it is decided. */
import { nothing, type Check } from '../check.ts'

export const checkOneMachine: Check = (device, { host }) => {
  if (host.twoMachines === undefined) return nothing
  return [
    {
      code: 'two-machines',
      severity: 'warning',
      undecided: true,
      message: `the input is of two machines (${host.twoMachines}), so nothing is known of ${device.address}`,
      help: 'give a listing of one machine only',
      about: [device.address],
    },
  ]
}
