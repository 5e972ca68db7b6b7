/**
 * Free slots of a host, and the IOMMU groups that a card would get there: the card is put into a copy of the
 * host, and the groups are predicted as the kernel forms them (pci/predict-groups.ts).
 */
import type { Host } from '../host/host.ts'
import { judgeHost } from '../judge/judge.ts'
import { addressParts, parseAddress, type PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { canPredictGroups } from '../pci/predict-groups.ts'
import type { Card } from './find-card.ts'

export type Slot = {
  /** The port above it. */
  readonly port: PciAddress
  /** The number of the socket on the board. */
  readonly physicalSlot?: string
  readonly width?: number
}

export type Placed = {
  readonly slot: Slot
  /** Groups that hold functions of the card, each without the card's own functions: who shares it. */
  readonly groups: readonly (readonly PciAddress[])[]
  readonly confidence: 'high' | 'low'
}

/** Ports for a card with nothing below them. A port whose bus is not known is left out. */
export function freeSlots({ devices }: Host): Slot[] {
  const buses = new Set(devices.map(({ address }) => busOf(address)))
  return devices
    .filter((device) => isBridge(device) && isCardPort(device))
    .filter((device) => {
      const bus = secondaryOf(device)
      return bus !== undefined && bus > 0 && !buses.has(`${domainOf(device.address)}:${bus}`)
    })
    .map((device) => {
      const slot = device.physicalSlot ?? device.facts?.slotNumber?.toString()
      const { maxWidth: width } = device.link ?? {}
      return {
        port: device.address,
        ...(slot === undefined ? {} : { physicalSlot: slot }),
        ...(width === undefined ? {} : { width }),
      }
    })
}

function isCardPort({ portType, facts }: PciDevice): boolean {
  const type = facts?.portType ?? portType
  return type === 'rootPort' || type === 'downstreamPort'
}

function secondaryOf({ secondaryBus, facts }: PciDevice): number | undefined {
  return secondaryBus ?? facts?.secondaryBus
}

const domainOf = (address: PciAddress) => addressParts(address).domain
const busOf = (address: PciAddress) => `${domainOf(address)}:${addressParts(address).bus}`

/** Undefined where the input does not carry what a prediction needs. */
export function placeCard(host: Host, card: Card, slot: Slot): Placed | undefined {
  const port = host.devices.find(({ address }) => address === slot.port)
  // The card itself would state enough; what decides is whether the host does.
  const functions = port === undefined || !canPredictGroups(host.devices) ? [] : functionsOf(card, port)
  const { predicted } = judgeHost({ ...host, devices: [...host.devices, ...functions] })
  if (functions.length === 0 || predicted === undefined) return undefined
  const own = new Set(functions.map(({ address }) => address))
  const holding = predicted.filter(({ devices }) => devices.some((address) => own.has(address)))
  return {
    slot,
    groups: holding.map(({ devices }) => devices.filter((address) => !own.has(address))),
    confidence: holding.every(({ confidence }) => confidence === 'high') ? 'high' : 'low',
  }
}

/** The ids decide what the kernel knows of it; without a quirk its functions count as not kept apart. */
function functionsOf({ vendorId, deviceId, family }: Card, port: PciDevice): PciDevice[] {
  const bus = secondaryOf(port)
  const count = family?.ports ?? 1
  if (bus === undefined) return []
  const { domain } = addressParts(port.address)
  const stem = `${domain.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}:00`
  return Array.from({ length: count }, (_, number) => parseAddress(`${stem}.${number}`)).flatMap((address) =>
    address === undefined
      ? []
      : [
          {
            ...{ address, vendorId, deviceId, headerType: 0 as const, parent: port.address },
            classCode: classCodes[family?.class ?? 'other'] ?? '020000',
            multifunction: count > 1,
            facts: {
              ...{ depth: 'extended' as const, headerType: 0 as const, multifunctionBit: count > 1 },
              ...{ portType: 'endpoint' as const, acs: null, ari: false, sriov: null },
            },
          },
        ],
  )
}

const classCodes: Readonly<Record<string, string>> = {
  nic: '020000',
  storage: '010700',
  nvme: '010802',
  gpu: '030000',
}
