/** Reads from sysfs which virtual functions a card has, and the network interface that configures them. */
import { parseAddress, type PciAddress } from '../pci/address.ts'
import type { Reader } from '../machine/system.ts'

const devices = '/sys/bus/pci/devices'

export function functionsOf(
  reader: Reader,
  card: PciAddress,
): { readonly number: number; readonly address: PciAddress }[] {
  const names = reader.list(`${devices}/${card}`)
  return (names.ok ? names.value : []).flatMap((name) => {
    const number = /^virtfn(\d+)$/.exec(name)?.[1]
    const address = number === undefined ? undefined : addressBehind(reader, `${devices}/${card}/${name}`)
    return address === undefined ? [] : [{ number: Number(number), address }]
  })
}

/** The card of a virtual function; undefined when the function is not virtual. */
export function physicalOf(reader: Reader, address: PciAddress): PciAddress | undefined {
  return addressBehind(reader, `${devices}/${address}/physfn`)
}

/**
 * The first network interface of the function. One with two ports has two, and both list the same settings.
 */
export function findPort(reader: Reader, card: PciAddress): string | undefined {
  const names = reader.list(`${devices}/${card}/net`)
  return names.ok ? names.value[0] : undefined
}

function addressBehind(reader: Reader, path: string): PciAddress | undefined {
  const link = reader.readLink(path)
  return link.ok ? parseAddress(link.value.split('/').at(-1) ?? '') : undefined
}
