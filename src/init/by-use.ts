/** What a host has, by what it is used for: the page with which `init` begins. */
import type { Host } from '../host/host.ts'
import { briefWords } from '../judge/reasons.ts'
import type { DeviceJudgement, Judgement, Verdict } from '../judge/types.ts'
import { needSteps } from '../judge/words.ts'
import { compareAddresses, type PciAddress } from '../pci/address.ts'
import { deviceClass, isBridge, isVirtualFunction, type DeviceClass, type PciDevice } from '../pci/device.ts'
import { layoutOf } from '../plan/who/cards.ts'
import { nameOf, portWords } from '../plan/words.ts'

export const uses = ['network', 'disks', 'graphics', 'USB'] as const
export type Use = (typeof uses)[number]

export type UsedDevice = {
  readonly address: PciAddress
  readonly name: string
  readonly verdict: Verdict
  /** `default route → br0 → eth0`, the first reason against it, or `free`. */
  readonly now: string
}

export type ByUse = { readonly use: Use; readonly devices: readonly UsedDevice[] }

const useOfClass: Partial<Record<DeviceClass, Use>> = {
  nic: 'network',
  storage: 'disks',
  nvme: 'disks',
  gpu: 'graphics',
  usb: 'USB',
}

/** Uses without a device are left out; virtual functions are their card's. */
export function byUse(host: Host, judgement: Judgement): ByUse[] {
  const layout = layoutOf(host)
  const judged = new Map(judgement.devices.map((one) => [one.address, one]))
  const shown = host.devices
    .filter((device) => !isBridge(device) && !isVirtualFunction(device))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
  return uses.flatMap((use) => {
    const devices = shown
      .filter((device) => useOfClass[deviceClass(device)] === use)
      .map((device): UsedDevice => {
        const ports = portWords(device.address, layout)
        const name = `${nameOf(device)}${ports === '' ? '' : `, ${ports}`}${partsOf(device)}`
        const one = judged.get(device.address)
        return { address: device.address, name, verdict: one?.verdict ?? 'unknown', now: nowOf(device, one) }
      })
    return devices.length === 0 ? [] : [{ use, devices }]
  })
}

/** Its interfaces with their link, or its disks. */
function partsOf({ networkInterfaces = [], disks = [] }: PciDevice): string {
  const ports = networkInterfaces.map(({ name, carrier }) => `${name}${carrier === true ? ', link up' : ''}`)
  const drives = disks.map(({ name, serial }) => (serial === undefined ? name : `${name} ${serial}`))
  const parts = [...ports, ...drives].slice(0, 4)
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}

function nowOf({ address }: PciDevice, judged: DeviceJudgement | undefined): string {
  if (judged === undefined) return 'not judged'
  const need = judged.neededBy.find(({ weight }) => weight === 'vital') ?? judged.neededBy[0]
  if (need !== undefined) return needSteps(need).join(' → ')
  const reason = judged.reasons.find(({ severity, undecided }) => severity === 'error' || undecided === true)
  if (reason?.unread !== undefined) return 'this input does not say what it is used for'
  if (reason !== undefined) return briefWords(reason, address)
  return 'free'
}
