/** A host as it would be under another kernel, if every prediction comes true. */
import type { Host, IommuGroup } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import type { PredictedKernel } from './predict.ts'
import type { Prediction } from './prediction.ts'

export function hostUnder(host: Host, { release, predictions }: PredictedKernel): Host {
  const groups = groupsUnder(host.groups, predictions)
  const groupOf = new Map(groups.flatMap(({ id, devices }) => devices.map((address) => [address, id])))
  const devices = host.devices.map((device) => {
    const iommuGroup = groupOf.get(device.address)
    return { ...withResets(device, predictions), ...(iommuGroup === undefined ? {} : { iommuGroup }) }
  })
  return { ...host, kernel: { ...host.kernel, release }, groups, devices }
}

/** Two quirks may concern one function: each takes away or adds its own methods. */
function withResets(device: PciDevice, predictions: readonly Prediction[]): PciDevice {
  const { address, resetMethods } = device
  const own = predictions.flatMap((one) => (one.kind === 'reset' && one.about.includes(address) ? one : []))
  if (resetMethods === undefined || own.length === 0) return device
  const isGone = (method: string) =>
    own.some(({ before, after }) => before.includes(method) && !after.includes(method))
  const all = [...new Set([...own.flatMap(({ after }) => after), ...resetMethods])]
  return { ...device, resetMethods: all.filter((method) => !isGone(method)) }
}

function groupsUnder(groups: readonly IommuGroup[], predictions: readonly Prediction[]): IommuGroup[] {
  const highest = Math.max(0, ...groups.map(({ id }) => id))
  const fresh = new Map<string, readonly PciAddress[]>()
  for (const one of predictions) if (one.kind === 'group') fresh.set(one.after.join(), one.after)
  const moved = new Set([...fresh.values()].flat())
  const left = groups.map((group) => ({
    ...group,
    devices: group.devices.filter((address) => !moved.has(address)),
  }))
  const made = [...fresh.values()].map((devices, index) => ({ id: highest + 1 + index, devices }))
  return [
    ...left.filter(({ devices, otherMembers = [] }) => devices.length + otherMembers.length > 0),
    ...made,
  ]
}
