/**
 * What tells a device from every other: its place (without bus numbers) and every serial it has.
 * Group numbers, bus numbers and interface names are never part of an identity: they change when a card is added.
 */

export type Identity = {
  /** `0000:00/1c.0/00.0`: root bus, then slot.function at each step down. */
  readonly path: string
  readonly vendorId: string
  readonly deviceId: string
  readonly subsystemVendorId?: string
  readonly subsystemId?: string
  readonly classCode?: string
  readonly revision?: string
  readonly deviceSerialNumber?: string
  /** Permanent MACs of the function's interfaces, sorted. */
  readonly macs?: readonly string[]
  readonly nvmeSerial?: string
  readonly sasAddress?: string
  readonly vpdSerial?: string
  /** Serials of the disks behind a controller, sorted. They can be swapped by hand, so they support but never decide alone. */
  readonly diskSerials?: readonly string[]
  readonly physicalSlot?: string
}
