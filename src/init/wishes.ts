/** What an owner can ask `init` for, and the devices that serve it, the best choice first. */
import type { Host } from '../host/host.ts'
import { deviceClass, isBridge, isOnRootBus } from '../pci/device.ts'

export const wishes = ['firewall', 'media', 'workstation'] as const
export type Wish = (typeof wishes)[number]

/** A device of a VM as the spec writes it: its role, its keys, and what a person is told beside it. */
export type DeviceDraft = {
  readonly role: string
  readonly keys: Readonly<Record<string, string | number>>
  readonly comment?: string
}

export type VmDraft = {
  readonly wish: Wish
  readonly memoryMiB: number
  readonly cpus: number
  readonly devices: readonly DeviceDraft[]
}

type Devices = readonly DeviceDraft[]

/** The sets of devices that would serve a wish, the best first. */
export function choicesFor(wish: Wish, host: Host): Devices[] {
  switch (wish) {
    case 'firewall':
      return [twoPorts({ pair: 'ports' }), twoPorts({ card: 'ports' }), twoPorts({})]
    case 'media':
      return [
        ...controllersWithDisks(host).map((address) => [{ role: 'disks', keys: { address } }]),
        [{ role: 'disks', keys: { class: 'storage' } }],
        [{ role: 'disks', keys: { class: 'nvme' } }],
      ]
    case 'workstation':
      return [
        ...ownCards(host).map((address) => [{ role: 'screen', keys: { address } }]),
        [{ role: 'screen', keys: { class: 'gpu' } }],
      ]
  }
}

/** One port to the provider, one to the house: of one chip, else of one card. */
function twoPorts(together: Readonly<Record<string, string>>): Devices {
  return ['wan', 'lan'].map((role) => ({ role, keys: { class: 'nic', ...together } }))
}

/** The controller with the most disks first: an empty one gives a media server nothing. */
function controllersWithDisks({ devices }: Host): string[] {
  return devices
    .filter((device) => !isBridge(device) && deviceClass(device) === 'storage')
    .filter(({ disks = [] }) => disks.length > 0)
    .toSorted((a, b) => (b.disks?.length ?? 0) - (a.disks?.length ?? 0))
    .map(({ address }) => address)
}

/** Graphics cards before the graphics of a processor, which usually are the screen of the host. */
function ownCards({ devices }: Host): string[] {
  return devices
    .filter((device) => !isBridge(device) && deviceClass(device) === 'gpu' && !isOnRootBus(device))
    .map(({ address }) => address)
}

const wanted: Readonly<Record<Wish, { readonly memoryMiB: number; readonly cpus: number }>> = {
  firewall: { memoryMiB: 2048, cpus: 2 },
  media: { memoryMiB: 4096, cpus: 2 },
  workstation: { memoryMiB: 8192, cpus: 4 },
}
const leastMiB = 512
/** What the host keeps for itself when the spec does not say (spec/from-written.ts). */
const hostMiB = 1024

/** Memory and CPUs that fit the machine: all VMs together leave the host its share. */
export function sizesFor(asked: readonly Wish[], { memory, cpu }: Host): ReadonlyMap<Wish, Sizes> {
  const sum = asked.reduce((total, wish) => total + wanted[wish].memoryMiB, 0)
  const free = memory.totalMiB === undefined ? sum : memory.totalMiB - hostMiB
  const share = Math.min(1, free / Math.max(1, sum))
  return new Map(
    asked.map((wish) => {
      const memoryMiB = Math.floor((wanted[wish].memoryMiB * share) / 256) * 256
      const cpus = Math.max(1, Math.min(wanted[wish].cpus, cpu.count ?? wanted[wish].cpus))
      return [wish, { memoryMiB: Math.max(leastMiB, memoryMiB), cpus }]
    }),
  )
}

type Sizes = { readonly memoryMiB: number; readonly cpus: number }
