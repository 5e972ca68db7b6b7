/**
 * Hosts that contradict themselves, locks of other machines: plan answers, never throws, and keeps its
 * promises.
 */
import * as fc from '../../support/random.ts'
import { expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { plan } from '../../../src/plan/plan.ts'
import { recallSerials } from '../../../src/plan/who/recall.ts'
import { refreshLock } from '../../../src/plan/who/refresh-lock.ts'
import { formatLock, parseLock } from '../../../src/spec/lock.ts'
import type { DeviceSelector, Spec } from '../../../src/spec/spec.ts'
import { at, host } from '../../support/host-builder.ts'

const address = fc
  .record({ bus: fc.nat(3), slot: fc.nat(2), fn: fc.nat(2) })
  .map(({ bus, slot, fn }) => at(`0${bus}:0${slot}.${fn}`))
const serial = fc.constantFrom('A', 'B', '')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 })
const defined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T

const pciDevice = fc
  .record({
    address,
    classCode: fc.constantFrom(
      '020000',
      '020000',
      '010601',
      '030000',
      '040300',
      '060400',
      '0c0330',
      'zz',
      undefined,
    ),
    vendorId: maybe(fc.constantFrom('8086', '10de')),
    deviceId: maybe(fc.constantFrom('0001', '0002')),
    driver: maybe(fc.constantFrom('e1000e', 'vfio-pci', null)),
    iommuGroup: fc.oneof(
      { weight: 12, arbitrary: fc.nat(12) },
      { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
    ),
    parent: maybe(address),
    path: maybe(fc.constantFrom('0000:00/01.0', '0000:00/01.0/00.0', '')),
    headerType: maybe(fc.constantFrom(0 as const, 1 as const)),
    portType: maybe(fc.constantFrom('endpoint' as const, 'upstreamPort' as const, 'downstreamPort' as const)),
    deviceSerialNumber: maybe(serial),
    nvmeSerial: maybe(serial),
    disks: maybe(fc.array(fc.record({ name: fc.constant('sda'), serial }), { maxLength: 2 })),
    numaNode: maybe(fc.integer({ min: -1, max: 1 })),
    physicalSlot: maybe(fc.constantFrom('1', '2')),
    name: maybe(fc.string()),
  })
  .map((facts) => defined(facts) as PciDevice)

const anyHost: fc.Arbitrary<Host> = fc
  .record({
    devices: fc.oneof(
      fc.array(pciDevice, { maxLength: 12 }),
      fc.uniqueArray(pciDevice, { minLength: 6, maxLength: 14, selector: (d) => d.address }),
    ),
    groups: fc.array(fc.record({ id: fc.nat(4), devices: fc.array(address, { maxLength: 3 }) }), {
      maxLength: 3,
    }),
    useGroups: fc.nat(5).map((n) => n === 0),
    need: fc.option(address, { nil: undefined, freq: 1 }),
    state: fc.oneof(
      { weight: 9, arbitrary: fc.constant('on' as const) },
      { weight: 1, arbitrary: fc.constantFrom('off' as const, 'absent' as const, 'unknown' as const) },
    ),
    odd: fc.nat(3),
    memory: maybe(fc.integer({ min: 1000, max: 9000 })),
  })
  .map(({ devices, groups, useGroups, need, state, memory, odd }) =>
    host(devices, {
      ...(useGroups ? { groups } : {}),
      needs:
        need === undefined ? [] : [{ kind: 'disk', what: '/', chain: [], device: need, weight: 'vital' }],
      iommu: { state, kind: 'intel', ...(odd === 0 ? {} : { interruptRemapping: true }) },
      memory: memory === undefined ? {} : { totalMiB: memory },
    }),
  )

const anySelector = fc
  .record({
    class: maybe(fc.constantFrom('nic' as const, 'storage' as const, 'gpu' as const, 'usb' as const)),
    address: maybe(address),
    card: maybe(fc.constantFrom('left', 'right')),
    pair: maybe(fc.constantFrom('p', 'q')),
    port: maybe(fc.integer({ min: 1, max: 3 })),
    serial: maybe(serial),
    physicalSlot: maybe(fc.constantFrom('1', '2')),
  })
  .map((keys) => defined(keys) as DeviceSelector)

const selector = fc.oneof(
  anySelector,
  fc.constantFrom<DeviceSelector>(
    { class: 'nic' },
    { class: 'storage' },
    { class: 'gpu' },
    { class: 'nic', card: 'left' },
  ),
)

const anySpec: fc.Arbitrary<Spec> = fc
  .record({
    vms: fc.array(fc.array(selector, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    oneNode: fc.boolean(),
    keep: fc.oneof(
      { weight: 5, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.oneof(address, fc.string({ maxLength: 3 })), { maxLength: 1 }) },
    ),
  })
  .map(({ vms, oneNode, keep }) => ({
    version: 1,
    host: { keep, giveUp: [], reserveMiB: 512 },
    vms: vms.map((devices, i) => ({
      name: `vm${i}`,
      engine: 'qemu',
      cpus: 1,
      memoryMiB: 256,
      firmware: 'bios',
      disks: [],
      networks: [],
      devices: devices.map((select, r) => ({ role: `r${r}`, select })),
      needs: i > 0 ? ['vm0'] : [],
      autostart: true,
      guest: 'other',
      vnc: false,
      oneNumaNode: oneNode,
    })),
  }))

it('plan keeps its promises on any host, spec and lock', () => {
  let planned = 0
  fc.assert(
    fc.property(anyHost, anyHost, anySpec, (before, after, spec) => {
      const old = plan(before, spec)
      const { lock } = parseLock(formatLock(refreshLock(before, spec, old.assignments)), 'home.lock')
      for (const [on, result] of [
        [before, old],
        [
          after,
          plan(
            recallSerials(after, lock?.devices.map(({ identity }) => identity) ?? []),
            spec,
            lock ? { lock } : {},
          ),
        ],
      ] as const) {
        const refused = new Set(
          judgeHost(on)
            .devices.filter((d) => d.verdict === 'refused')
            .map((d) => d.address),
        )
        const given = result.assignments.map((a) => a.address)
        expect(new Set(given).size).toBe(given.length)
        for (const one of [...given, ...result.takenAlong.map((t) => t.address)])
          expect(refused.has(one)).toBe(false)
        if (result.findings.some((f) => f.severity === 'error')) expect(result.steps).toEqual([])
        else {
          expect(given.length).toBe(spec.vms.flatMap((vm) => vm.devices).length)
          planned += given.length
        }
      }
    }),
    { numRuns: 400 },
  )
  expect(planned).toBeGreaterThan(10)
})
