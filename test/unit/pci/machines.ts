/** Small machines in code: functions with stated facts, on an Intel or AMD root complex. */
import { parseAddress, type PciAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import type { FunctionFacts } from '../../../src/pci/facts.ts'

export const at = (text: string): PciAddress => parseAddress(text)!

const full: FunctionFacts = {
  depth: 'extended',
  headerType: 0,
  multifunctionBit: false,
  portType: null,
  acs: null,
  flr: false,
  afFlr: false,
  power: null,
}

/** Every control an ordinary ACS port has. */
export const acs = { capability: 0x1f, control: 0x1d }

export function fn(
  address: string,
  facts: Partial<FunctionFacts> = {},
  more: Partial<PciDevice> = {},
): PciDevice {
  return {
    address: at(address),
    vendorId: 'abcd',
    deviceId: '0001',
    classCode: '020000',
    ...more,
    facts: { ...full, ...facts },
  }
}

export function port(
  address: string,
  buses: readonly [number, number],
  facts: Partial<FunctionFacts> = {},
): PciDevice {
  const [secondaryBus, subordinateBus] = buses
  const known = { headerType: 1, portType: 'rootPort', secondaryBus, subordinateBus, ...facts } as const
  return fn(address, known, { classCode: '060400' })
}

export const endpoint = (
  address: string,
  facts: Partial<FunctionFacts> = {},
  more: Partial<PciDevice> = {},
): PciDevice => fn(address, { portType: 'endpoint', ...facts }, more)

export const intelHost = fn('00:00.0', {}, { vendorId: '8086', deviceId: '29c0', classCode: '060000' })
export const amdHost = fn('00:00.0', {}, { vendorId: '1022', deviceId: '1480', classCode: '060000' })
