/**
 * Physical and virtual functions as the links of sysfs say now, and the port through which a card's virtual
 * ones are set up.
 */
import { parseAddress, type PciAddress } from '../pci/address.ts'
import type { Reader } from '../machine/system.ts'

const devices = '/sys/bus/pci/devices'

/** The virtual functions a card has, by their numbers. */
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

/** The card that made this virtual function; undefined when it is none. */
export function physicalOf(reader: Reader, address: PciAddress): PciAddress | undefined {
  return addressBehind(reader, `${devices}/${address}/physfn`)
}

/**
 * The first of the card's own interfaces: a second one belongs to a second port of the same function, and
 * lists the same.
 */
export function findPort(reader: Reader, card: PciAddress): string | undefined {
  const names = reader.list(`${devices}/${card}/net`)
  return names.ok ? names.value[0] : undefined
}

function addressBehind(reader: Reader, path: string): PciAddress | undefined {
  const link = reader.readLink(path)
  return link.ok ? parseAddress(link.value.split('/').at(-1) ?? '') : undefined
}
