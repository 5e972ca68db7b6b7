/**
 * Finds where the guest's firmware placed each function: query-pci lists bus, slot, function and the id from
 * QEMU's arguments.
 */
import { z } from 'zod'
import { hex } from '../../pci/hex.ts'
import type { AssignedFunction } from '../engine.ts'
import { qdevId } from './qemu-args.ts'

const number = z.int().min(0)
const device = z.object({
  bus: number.max(0xff),
  slot: number.max(0x1f),
  function: number.max(7),
  qdev_id: z.optional(z.string()),
  get pci_bridge() {
    return z.optional(z.object({ devices: z.optional(z.array(device)) }))
  },
})
const answer = z.array(z.object({ devices: z.array(device) }))

type Device = z.infer<typeof device>

/** Converts the answer of `query-pci` to role → `0000:01:00.0`. Empty when the answer is not understood. */
export function placesOf(said: unknown, functions: readonly AssignedFunction[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>()
  const names = new Map(functions.map((fn) => [qdevId(fn), fn.role]))
  const visit = (devices: readonly Device[]): void => {
    for (const { bus, slot, function: fn, qdev_id: id = '', pci_bridge: bridge } of devices) {
      const role = names.get(id)
      if (role !== undefined) places.set(role, `0000:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`)
      visit(bridge?.devices ?? [])
    }
  }
  const buses = answer.safeParse(said)
  for (const { devices } of buses.success ? buses.data : []) visit(devices)
  return places
}
