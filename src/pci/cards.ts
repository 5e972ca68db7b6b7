/**
 * Which functions sit on one physical card: those of a slot, or of all slots below one switch when everything
 * there is of one maker and kind (a quad card with a switch on it). Functions of two makers in one slot are
 * no card: the graphics of an AMD processor (maker 1002) shares its slot with the processor's USB and sound
 * (maker 1022). On the board, and among the functions of an AMD processor, a slot says nothing: only
 * functions of one kind belong together there.
 */
import { slotOf, type PciAddress } from './address.ts'
import { deviceClass, isOnRootBus, type PciDevice } from './device.ts'

/** A word for the card of each function: equal for functions of one card, without meaning otherwise. */
export function findCards(
  endpoints: readonly PciDevice[],
  devices: ReadonlyMap<PciAddress, PciDevice>,
): Map<PciAddress, string> {
  const switchOf = new Map<PciAddress, PciAddress>()
  const kinds = new Map<PciAddress, Set<string>>()
  for (const device of endpoints) {
    const top = topSwitch(device, devices)
    if (top === undefined) continue
    switchOf.set(device.address, top)
    kinds.set(top, (kinds.get(top) ?? new Set()).add(`${device.vendorId ?? '?'} ${deviceClass(device)}`))
  }
  return new Map(
    endpoints.map((device) => {
      const top = switchOf.get(device.address)
      const isWhole = top !== undefined && kinds.get(top)?.size === 1
      return [device.address, isWhole ? `switch ${top}` : slotWord(device)]
    }),
  )
}

function slotWord(device: PciDevice): string {
  const { address, vendorId = '?' } = device
  const isOfTheBoard = vendorId === '1022' || vendorId === '1d94' || isOnRootBus(device)
  return `${slotOf(address)} ${vendorId} ${isOfTheBoard ? kindOnBoard(device) : ''}`
}

const graphicsMakers: ReadonlySet<string | undefined> = new Set(['1002', '10de'])

/** Graphics of the board keep their sound. */
function kindOnBoard(device: PciDevice): string {
  const kind = deviceClass(device)
  return kind === 'audio' && graphicsMakers.has(device.vendorId) ? 'gpu' : kind
}

function topSwitch(device: PciDevice, devices: ReadonlyMap<PciAddress, PciDevice>): PciAddress | undefined {
  let found: PciAddress | undefined
  let here = device.parent === undefined ? undefined : devices.get(device.parent)
  for (let depth = 0; here !== undefined && depth < 256; depth++) {
    if (here.portType === 'upstreamPort') found = here.address
    here = here.parent === undefined ? undefined : devices.get(here.parent)
  }
  return found
}
