/**
 * Hosts and specs far larger than anybody's, to measure the planner with. Used by scripts/bench-plan.mjs and
 * a test.
 */
import type { Host } from '../../src/host/host.ts'
import type { PciDevice } from '../../src/pci/device.ts'
import { device, host, rootPort, type DeviceKind } from './host-builder.ts'

export type BigHost = {
  /** Kinds of cards in turn; `functions` share a group, or have one each. */
  readonly cards: readonly {
    readonly kind: DeviceKind
    readonly functions: number
    readonly together: boolean
  }[]
  readonly functions: number
}
export type BigSpec = {
  readonly vms: number
  readonly devices: (vm: number) => Readonly<Record<string, string>>
}

/** Cards on root ports, 200 to a domain, until there are so many functions in all. */
export function bigHost({ cards, functions }: BigHost): Host {
  const devices: PciDevice[] = []
  let group = 0
  for (let card = 0; devices.length < functions; card++) {
    const shape = cards[card % cards.length]
    if (shape === undefined) break
    const domain = Math.floor(card / 200)
      .toString(16)
      .padStart(4, '0')
    const bus = (card % 200) + 1
    const slot = Math.floor((card % 200) / 8)
    devices.push(
      rootPort(`${domain}:00:${slot.toString(16).padStart(2, '0')}.${card % 8}`, bus, { group: group++ }),
    )
    for (let fn = 0; fn < shape.functions && devices.length < functions; fn++) {
      if (fn === 0 || !shape.together) group++
      const address = `${domain}:${bus.toString(16).padStart(2, '0')}:00.${fn}`
      const numaNode = Math.floor(card / 64) % 2
      const macs = { networkInterfaces: [{ name: `p${card}f${fn}`, permanentMac: mac(card, fn) }] }
      devices.push(
        device(address, {
          kind: shape.kind,
          group,
          numaNode,
          ...(shape.kind === 'nic' ? macs : { deviceSerialNumber: `${card}` }),
        }),
      )
    }
  }
  return { ...host([], { memory: { totalMiB: 4 * 1024 * 1024 } }), ...grouped(devices) }
}

export function mac(card: number, fn: number): string {
  return `52:54:00:${[card >> 8, card & 255, fn].map((n) => n.toString(16).padStart(2, '0')).join(':')}`
}

/** As `host()` does, without its quadratic look-ups. */
function grouped(devices: readonly PciDevice[]): Pick<Host, 'devices' | 'groups' | 'iommu'> {
  const ports = new Map(
    devices.flatMap((d) =>
      d.secondaryBus === undefined ? [] : [[`${d.address.split(':')[0]}:${d.secondaryBus}`, d.address]],
    ),
  )
  const groups = new Map<number, PciDevice['address'][]>()
  const placed = devices.map((d) => {
    const [domain, bus] = d.address.split(':')
    const parent = ports.get(`${domain}:${Number.parseInt(bus ?? '0', 16)}`)
    if (typeof d.iommuGroup === 'number')
      groups.set(d.iommuGroup, [...(groups.get(d.iommuGroup) ?? []), d.address])
    return parent === undefined ? d : { ...d, parent }
  })
  return {
    devices: placed,
    groups: [...groups].map(([id, members]) => ({ id, devices: members, reservedRegions: [] })),
    iommu: { state: 'on', kind: 'intel', interruptRemapping: true },
  }
}

export function bigSpec({ vms, devices }: BigSpec): string {
  const lines = ['version: 1', 'vms:']
  for (let vm = 0; vm < vms; vm++) {
    lines.push(`  vm${vm}:`, '    memory: 1 GiB', '    devices:')
    for (const [role, select] of Object.entries(devices(vm))) lines.push(`      ${role}: ${select}`)
  }
  return `${lines.join('\n')}\n`
}

const mixed: BigHost = {
  functions: 4096,
  cards: [
    { kind: 'nic', functions: 2, together: true },
    { kind: 'nic', functions: 4, together: false },
    { kind: 'gpu', functions: 1, together: true },
    { kind: 'storage', functions: 1, together: true },
    { kind: 'nvme', functions: 1, together: true },
    { kind: 'nic', functions: 4, together: true },
  ],
}
const usual = (vm: number) => ({
  wan: `{ class: nic, card: c${vm} }`,
  lan: `{ class: nic, card: c${vm} }`,
  disks: '{ class: storage }',
  screen: '{ class: gpu }',
})
const pairs: BigHost = { functions: 64 * 3 * 8, cards: [{ kind: 'nic', functions: 2, together: true }] }

export type BigCase = {
  readonly name: string
  readonly host: BigHost
  readonly spec: BigSpec
  readonly possible: boolean
}

/** 64 VMs with 256 roles each time. */
export const cases: readonly BigCase[] = [
  { name: 'a card, disks and a screen each', host: mixed, spec: { vms: 64, devices: usual }, possible: true },
  {
    name: 'any four ports each',
    host: mixed,
    spec: {
      vms: 64,
      devices: () => ({ a: '{ class: nic }', b: '{ class: nic }', c: '{ class: nic }', d: '{ class: nic }' }),
    },
    possible: true,
  },
  {
    name: 'ports by MAC for the last half, any for the first',
    host: mixed,
    spec: {
      vms: 64,
      devices: (vm) =>
        vm < 32
          ? {
              a: '{ class: nic }',
              b: '{ class: nic }',
              c: '{ class: nic, pair: p }'.replace('p }', `p${vm} }`),
              d: '{ class: gpu }',
            }
          : {
              a: `{ mac: "${mac((vm - 32) * 6, 0)}" }`,
              b: `{ mac: "${mac((vm - 32) * 6, 1)}" }`,
              c: '{ class: nvme }',
              d: '{ class: gpu }',
            },
    },
    possible: true,
  },
  {
    name: 'one screen too few',
    host: { ...mixed, functions: 630 },
    spec: { vms: 64, devices: usual },
    possible: false,
  },
  {
    name: 'three ports each and one pair too few',
    host: {
      functions: 127 * 3 + 64,
      cards: [
        ...Array.from({ length: 127 }, () => ({ kind: 'nic' as const, functions: 2, together: true })),
        ...Array.from({ length: 64 }, () => ({ kind: 'gpu' as const, functions: 1, together: true })),
      ],
    },
    spec: {
      vms: 64,
      devices: () => ({ a: '{ class: nic }', b: '{ class: nic }', c: '{ class: nic }', d: '{ class: gpu }' }),
    },
    possible: false,
  },
  {
    name: 'the same port by MAC for two of 64 VMs',
    host: mixed,
    spec: {
      vms: 64,
      devices: (vm) => ({
        a: vm === 3 || vm === 61 ? `{ mac: "${mac(6, 0)}" }` : '{ class: nic }',
        b: '{ class: nic }',
        c: '{ class: nic }',
        d: '{ class: gpu }',
      }),
    },
    possible: false,
  },
  {
    name: 'two VMs want ports of one group, among 64',
    host: mixed,
    spec: {
      vms: 64,
      devices: (vm) => ({
        a: vm === 3 ? `{ mac: "${mac(6, 0)}" }` : vm === 61 ? `{ mac: "${mac(6, 1)}" }` : '{ class: nic }',
        b: '{ class: nic }',
        c: '{ class: nic }',
        d: '{ class: gpu }',
      }),
    },
    possible: false,
  },
  {
    name: 'cards of four shared by VMs in one group',
    host: mixed,
    spec: {
      vms: 64,
      devices: (vm) => ({
        a: `{ class: nic, card: c${vm % 32}, port: 3 }`,
        b: `{ class: nic, card: c${vm % 32} }`,
        c: '{ class: nvme }',
        d: '{ class: gpu }',
      }),
    },
    possible: false,
  },
  {
    name: 'any four ports each on a host of pairs',
    host: pairs,
    spec: {
      vms: 64,
      devices: () => ({ a: '{ class: nic }', b: '{ class: nic }', c: '{ class: nic }', d: '{ class: nic }' }),
    },
    possible: true,
  },
]
