/**
 * Small hosts in code: `hostWith(device('01:00.0', { kind: 'nic', group: 13 }))`. Groups follow from the
 * devices, parents from the bus numbers of bridges. Everything else of a Host can be given with `facts`.
 */
import type { Host, HostNeed } from '../../src/host/host.ts'
import { addressParts, parseAddress, type PciAddress } from '../../src/pci/address.ts'
import type { PciDevice } from '../../src/pci/device.ts'

const kinds = {
  nic: {
    classCode: '020000',
    vendorId: '8086',
    deviceId: '10d3',
    driver: 'e1000e',
    name: '82574L Gigabit Network Connection',
  },
  storage: {
    classCode: '010601',
    vendorId: '8086',
    deviceId: '2922',
    driver: 'ahci',
    name: '82801IR/IO/IH SATA Controller',
  },
  nvme: {
    classCode: '010802',
    vendorId: '144d',
    deviceId: 'a808',
    driver: 'nvme',
    name: 'NVMe SSD Controller SM981',
  },
  gpu: {
    classCode: '030000',
    vendorId: '10de',
    deviceId: '1b80',
    driver: 'nouveau',
    name: 'GP104 [GeForce GTX 1080]',
  },
  audio: {
    classCode: '040300',
    vendorId: '10de',
    deviceId: '10f0',
    driver: 'snd_hda_intel',
    name: 'GP104 High Definition Audio Controller',
  },
  usb: {
    classCode: '0c0330',
    vendorId: '1b73',
    deviceId: '1100',
    driver: 'xhci_hcd',
    name: 'FL1100 USB 3.0 Host Controller',
  },
  usbc: {
    classCode: '0c8000',
    vendorId: '10de',
    deviceId: '1ad9',
    driver: 'nvidia-gpu',
    name: 'TU104 USB Type-C UCSI Controller',
  },
  isa: {
    classCode: '060100',
    vendorId: '8086',
    deviceId: '2918',
    driver: 'lpc_ich',
    name: '82801IB (ICH9) LPC Interface Controller',
  },
  smbus: {
    classCode: '0c0500',
    vendorId: '8086',
    deviceId: '2930',
    driver: 'i801_smbus',
    name: '82801I (ICH9 Family) SMBus Controller',
  },
  bridge: {
    classCode: '060400',
    vendorId: '1b36',
    deviceId: '000c',
    driver: 'pcieport',
    name: 'QEMU PCIe Root port',
  },
} as const

export type DeviceKind = keyof typeof kinds
export type DeviceFacts = Partial<PciDevice> & { readonly kind?: DeviceKind; readonly group?: number }

export function at(address: string): PciAddress {
  const parsed = parseAddress(address)
  if (parsed === undefined) throw new TypeError(`${address} is no address`)
  return parsed
}

/** One function; `kind` fills in class, ids, driver and name, everything given wins. */
export function device(address: string, { kind = 'nic', group, ...facts }: DeviceFacts = {}): PciDevice {
  const canonical = at(address)
  return {
    address: canonical,
    headerType: kind === 'bridge' ? 1 : 0,
    resetMethods: kind === 'bridge' ? [] : ['flr', 'bus'],
    ...(kind === 'bridge' ? { portType: 'rootPort' as const } : {}),
    ...kinds[kind],
    ...(group === undefined ? {} : { iommuGroup: group }),
    ...facts,
  }
}

/** A root port with the buses below it. */
export function rootPort(address: string, secondaryBus: number, facts: DeviceFacts = {}): PciDevice {
  return device(address, { kind: 'bridge', secondaryBus, subordinateBus: secondaryBus, ...facts })
}

export function need(
  device: string,
  what: string,
  chain: readonly string[] = [],
  facts: Partial<HostNeed> = {},
): HostNeed {
  const mountPoint = what.startsWith('/') && !what.includes(' ') ? { mountPoint: what } : {}
  const isDefaultRoute = what === 'default route' ? { isDefaultRoute: true } : {}
  return {
    kind: 'disk',
    what,
    ...mountPoint,
    ...isDefaultRoute,
    chain,
    device: at(device),
    weight: 'vital',
    ...facts,
  }
}

export function hostWith(...devices: readonly PciDevice[]): Host {
  return host(devices)
}

export function host(devices: readonly PciDevice[], facts: Partial<Host> = {}): Host {
  const placed = devices.map((one) => withParent(one, devices))
  const groups = new Map<number, PciAddress[]>()
  for (const { address, iommuGroup } of placed)
    if (typeof iommuGroup === 'number') groups.set(iommuGroup, [...(groups.get(iommuGroup) ?? []), address])
  return {
    schema: 1,
    source: { kind: 'capture' },
    kernel: { release: '6.1.0', cmdline: 'intel_iommu=on' },
    cpu: { vendor: 'GenuineIntel', virtualisation: 'vmx', count: 8 },
    memory: { totalMiB: 32_768, availableMiB: 30_000 },
    iommu: { state: groups.size > 0 ? 'on' : 'off', kind: 'intel', interruptRemapping: true },
    devices: placed,
    groups: [...groups]
      .map(([id, members]) => ({ id, devices: members, reservedRegions: [] }))
      .toSorted((a, b) => a.id - b.id),
    needs: [],
    findings: [],
    ...facts,
  }
}

function withParent(one: PciDevice, all: readonly PciDevice[]): PciDevice {
  const { domain, bus } = addressParts(one.address)
  const above = all.find(
    (b) => b.secondaryBus === bus && addressParts(b.address).domain === domain && b !== one,
  )
  return above === undefined || one.parent !== undefined ? one : { ...one, parent: above.address }
}
