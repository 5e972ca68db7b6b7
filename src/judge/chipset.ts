/**
 * Functions that are part of the board: host bridges, ISA/LPC, SMBus, memory and performance-counter functions. They are
 * listed like any other, and giving one away takes the board's own organs out. Told by class, so this needs no reading.
 */
import { addressParts } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import type { HostNeed } from '../host/host.ts'

/** By base class and subclass, or by base class alone. */
type RolesByClass = ReadonlyMap<string, string>

/** Never a card, wherever they sit (classes the TrueNAS and oVirt block lists agree on). */
const always: RolesByClass = new Map([
  ['0600', 'host bridge'],
  ['0601', 'ISA bridge'],
  ['0c05', 'SMBus'],
  ['0500', 'memory controller'],
  ['0806', 'IOMMU'],
])

/** Only on a root bus: the same classes occur on cards (a DMA engine, an NTB). */
const onRootBus: RolesByClass = new Map([
  ['0580', 'memory controller'],
  ['08', 'system peripheral'],
  ['0c80', 'serial bus of the board (SPI, I2C)'],
  ['1101', 'performance counters'],
  ['1180', 'signal processing of the chipset'],
])

export function chipsetNeeds(devices: readonly PciDevice[]): HostNeed[] {
  const needs: HostNeed[] = []
  for (const device of devices) {
    const what = chipsetRole(device)
    if (what === undefined) continue
    needs.push({
      kind: 'chipset',
      what,
      chain: [],
      device: device.address,
      weight: isIdle(device) ? 'spoken-for' : 'vital',
    })
  }
  return needs
}

/**
 * Shared SRAM, thermal and counter functions that no driver holds (Intel 00:14.2 beside the USB controller): VFIO takes
 * their group, and nothing on the host misses them. Bridges and buses of the board are another matter.
 */
function isIdle(device: PciDevice): boolean {
  return typeof device.driver !== 'string' && /^(?:0500|0580|08(?!06)|1101|1180)/.test(device.classCode ?? '')
}

export function chipsetRole(device: PciDevice): string | undefined {
  const found = roleIn(always, device)
  if (found !== undefined) return found
  const onlyThere = roleIn(onRootBus, device)
  return onlyThere !== undefined && isOnRootBus(device) ? onlyThere : undefined
}

function roleIn(roles: RolesByClass, { classCode = '' }: PciDevice): string | undefined {
  return roles.get(classCode.slice(0, 4)) ?? roles.get(classCode.slice(0, 2))
}

/** By its path where that is known; a plain listing only tells bus 0 for sure. */
function isOnRootBus(device: PciDevice): boolean {
  if (device.path !== undefined) return device.path.split('/').length === 2
  return device.parent === undefined && addressParts(device.address).bus === 0
}
