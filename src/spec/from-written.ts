/** Turns the spec as written into the Spec value: units become numbers, and defaults are filled in. */
import { hostNetwork } from './check-spec.ts'
import { parseAddress, type PciAddress } from '../pci/address.ts'
import type {
  DeviceSelector,
  DiskSpec,
  NetworkSpec,
  ReadySpec,
  SavingsSpec,
  Spec,
  VirtualFunctionsSpec,
  VmSpec,
} from './spec.ts'
import { parseDuration, parseSize } from './units.ts'
import { plainMac } from './schema-parts.ts'
import { virtualMac } from './virtual-mac.ts'
import type { WrittenDevice, WrittenSpec, WrittenVm } from './schema.ts'

const defaultReserveMiB = 1024
const defaultReadySeconds = 120

const hugepageSizes: Readonly<Record<string, 2048 | 1048576>> = { '2 MiB': 2048, '1 GiB': 1048576 }

export function specFromWritten(written: WrittenSpec): Spec {
  return {
    version: 1,
    host: {
      keep: written.host?.keep ?? [],
      giveUp: written.host?.['give-up'] ?? [],
      ...(written.host?.['not-in-use'] === undefined ? {} : { notInUse: written.host['not-in-use'] }),
      reserveMiB: sizeOf(written.host?.reserve) ?? defaultReserveMiB,
      ...given({
        hugepageKiB: hugepageSizes[written.host?.hugepages ?? ''],
        virtualFunctions: functionsFrom(written.host?.['virtual-functions']),
        kernelArguments: written.host?.['kernel-arguments'],
        foreignIds: written.host?.['foreign-ids'] === 'remove' ? ('remove' as const) : undefined,
      }),
    },
    vms: vmsFrom(written.vms),
    ...(written.savings ? { savings: savingsFrom(written.savings) } : {}),
  }
}

type WrittenHost = NonNullable<WrittenSpec['host']>

function functionsFrom(
  written: WrittenHost['virtual-functions'],
): readonly VirtualFunctionsSpec[] | undefined {
  if (written === undefined) return undefined
  return Object.entries(written).map(([name, { 'physical-function': of, count, functions = [] }]) => ({
    name,
    of: selectorFrom(of),
    count,
    functions: functions.map((one) =>
      given({
        mac: one.mac && plainMac(one.mac),
        vlan: one.vlan,
        trust: one.trust,
        spoofCheck: one['spoof-check'],
      }),
    ),
  }))
}

function savingsFrom(savings: NonNullable<WrittenSpec['savings']>): SavingsSpec {
  return {
    ...given({
      pricePerKWh: savings.price,
      currency: savings.currency,
      hoursPerDay: savings['hours-per-day'],
      years: savings.years,
    }),
    ...(savings.host ? { host: given({ watts: savings.host.watts, purchase: savings.host.purchase }) } : {}),
    replaced: (savings.replaced ?? []).map((box) => ({
      name: box.name,
      ...given({ watts: box.watts, hoursPerDay: box['hours-per-day'], purchase: box.purchase }),
    })),
  }
}

/**
 * Collects the written MAC addresses first, so that no port without one gets an address that is already used.
 */
function vmsFrom(written: WrittenSpec['vms']): VmSpec[] {
  const vms = Object.entries(written)
  const taken = new Set(
    vms.flatMap(([, vm]) => vm.networks ?? []).flatMap(({ mac }) => (mac ? plainMac(mac) : [])),
  )
  return vms.map(([name, vm]) => vmFrom(name, vm, networksFrom(name, vm, taken)))
}

function networksFrom(name: string, { networks = [] }: WrittenVm, taken: Set<string>): NetworkSpec[] {
  return networks.map((network, port) => {
    const mac = network.mac ? plainMac(network.mac) : virtualMac(name, port, taken)
    taken.add(mac)
    return { bridge: network.bridge, mac }
  })
}

function vmFrom(name: string, vm: WrittenVm, networks: readonly NetworkSpec[]): VmSpec {
  const ready = vm.ready && readyFrom(vm.ready)
  return {
    name,
    engine: vm.engine ?? 'qemu',
    cpus: vm.cpus ?? 1,
    memoryMiB: sizeOf(vm.memory) ?? 0,
    firmware: vm.firmware ?? 'bios',
    ...(vm.kernel
      ? {
          kernel: {
            ...given({ initrd: vm.kernel.initrd }),
            image: vm.kernel.image,
            cmdline: vm.kernel.cmdline ?? '',
          },
        }
      : {}),
    disks: (vm.disks ?? []).map((disk) => diskFrom(disk)),
    networks,
    devices: Object.entries(vm.devices ?? {}).map(([role, device]) => ({
      role,
      select: selectorFrom(device),
      ...(device.optional === true ? { optional: true } : {}),
    })),
    needs: (vm.needs ?? []).filter((name) => name !== hostNetwork),
    ...(vm.needs?.includes(hostNetwork) ? { needsHostNetwork: true } : {}),
    ...given({
      iso: vm.iso,
      ready,
      serves: vm.serves,
      hugepages: vm.hugepages,
      oneNumaNode: vm['one-numa-node'],
    }),
    autostart: vm.autostart ?? true,
    guest: vm.guest ?? 'other',
    vnc: vm.vnc ?? vm.kernel === undefined,
  }
}

function diskFrom(disk: NonNullable<WrittenVm['disks']>[number]): DiskSpec {
  return {
    path: disk.path,
    ...given({ sizeMiB: sizeOf(disk.size), serial: disk.serial }),
    format: disk.format ?? 'qcow2',
    readOnly: disk['read-only'] ?? false,
  }
}

function selectorFrom(device: WrittenDevice): DeviceSelector {
  return given({
    class: device.class,
    card: device.card,
    pair: device.pair,
    port: device.port,
    physicalSlot: device.slot === undefined ? undefined : String(device.slot),
    name: device.name === undefined ? undefined : String(device.name),
    ids: device.ids?.toLowerCase(),
    mac: device.mac && plainMac(device.mac),
    serial: device.serial,
    disk: device.disk,
    path: device.path,
    address: device.address === undefined ? undefined : addressFrom(device.address),
    numaNode: device['numa-node'],
    virtualFunction: device['virtual-function'],
    number: device.number,
  })
}

/**
 * The schema accepts only addresses that the parser reads. A selector that lost its address would match more
 * devices than the owner meant, so this case throws.
 */
function addressFrom(written: string): PciAddress {
  const address = parseAddress(written)
  if (address === undefined) throw new TypeError(`${written} is no PCI address`)
  return address
}

function readyFrom(ready: NonNullable<WrittenVm['ready']>): ReadySpec | undefined {
  const withinSeconds =
    (ready.within === undefined ? undefined : parseDuration(ready.within)) ?? defaultReadySeconds
  if (ready.report) return { check: { kind: 'report' }, withinSeconds }
  if (ready.ping !== undefined) return { check: { kind: 'ping', host: ready.ping }, withinSeconds }
  if (ready.http !== undefined) return { check: { kind: 'http', url: ready.http }, withinSeconds }
  if (ready.tcp === undefined) return undefined
  const colon = ready.tcp.lastIndexOf(':')
  return {
    check: { kind: 'tcp', host: ready.tcp.slice(0, colon), port: Number(ready.tcp.slice(colon + 1)) },
    withinSeconds,
  }
}

function sizeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(text)
}

/** Leaves out members that are `undefined`. */
function given<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
