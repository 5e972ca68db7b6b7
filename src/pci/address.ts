/**
 * PCI addresses: the four numbers `domain:bus:slot.function`, canonical and branded.
 * What a device *is* (its identity) does not live here: an address is only where it answers today.
 */
import { hex } from './hex.ts'

/** Canonical `DDDD:bb:ss.f`, lower-case hex; the domain is four digits or more (VMD uses `10000:`). */
export type PciAddress = string & { readonly __brand: 'PciAddress' }

export type AddressParts = {
  readonly domain: number
  readonly bus: number
  readonly slot: number
  readonly function: number
}

const pattern = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i

/** How the kernel writes it: then the text is the address already. Thousands of names in sysfs are parsed. */
const canonical = /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/

/**
 * Reads `0000:01:00.0` or the short `01:00.0` (domain 0). Anything else, slot numbers above 1f included, is
 * `undefined`.
 */
export function parseAddress(text: string): PciAddress | undefined {
  if (canonical.test(text)) return text as PciAddress
  const match = pattern.exec(text)
  if (!match) return undefined
  const [, domain = '0000', bus = '', slot = '', fn = ''] = match
  if (Number.parseInt(slot, 16) > 0x1f) return undefined
  return formatAddress({
    domain: Number.parseInt(domain, 16),
    bus: Number.parseInt(bus, 16),
    slot: Number.parseInt(slot, 16),
    function: Number.parseInt(fn, 16),
  })
}

export function formatAddress(parts: AddressParts): PciAddress {
  return `${hex(parts.domain, 4)}:${hex(parts.bus, 2)}:${hex(parts.slot, 2)}.${parts.function}` as PciAddress
}

export function addressParts(address: PciAddress): AddressParts {
  // Counted from the end, because only the domain's width varies: `DDDD:bb:ss.f`.
  const end = address.length
  return {
    domain: Number.parseInt(address.slice(0, end - 8), 16) || 0,
    bus: Number.parseInt(address.slice(end - 7, end - 5), 16) || 0,
    slot: Number.parseInt(address.slice(end - 4, end - 2), 16) || 0,
    function: Number.parseInt(address.slice(end - 1), 16) || 0,
  }
}

/**
 * The order of the kernel's bus list: domain, bus, slot, function, as numbers (a 5-digit domain comes last).
 */
export function compareAddresses(a: PciAddress, b: PciAddress): number {
  // Only the domain's width varies, so of one length they are in the order of their digits.
  if (a.length === b.length) return a < b ? -1 : a === b ? 0 : 1
  const x = addressParts(a)
  const y = addressParts(b)
  return x.domain - y.domain || x.bus - y.bus || x.slot - y.slot || x.function - y.function
}

/** `0000:01:00` — all functions of one slot share it. */
export function slotOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf('.'))
}
