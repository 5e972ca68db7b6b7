/**
 * Machines no firmware would build: contradictory bridges, VFs of VFs, sleeping ports; for property tests.
 */
import * as fc from '../../support/random.ts'
import { formatAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { acs } from './machines.ts'

/** Few buses, so that bridges contradict each other all the time. */
export const wildDevices = fc
  .array(
    fc.record({
      domain: fc.constantFrom(0, 0, 0, 1, 0x10000),
      bus: fc.integer({ min: 0, max: 4 }),
      slot: fc.constantFrom(0, 0, 1, 31),
      function: fc.integer({ min: 0, max: 3 }),
      secondary: fc.option(fc.integer({ min: 0, max: 5 })),
      span: fc.integer({ min: 0, max: 255 }),
      parent: fc.option(fc.integer({ min: 0, max: 4 })),
      physFn: fc.option(fc.integer({ min: 0, max: 4 })),
      portType: fc.constantFrom(
        undefined,
        null,
        'endpoint',
        'rootPort',
        'downstreamPort',
        'upstreamPort',
        'pcieToPciBridge',
      ),
      acs: fc.constantFrom(undefined, null, {}, acs, { capability: 0xff, control: 0 }),
      bit: fc.option(fc.boolean(), { nil: undefined }),
      ids: fc.constantFrom(
        ['8086', '1521'],
        ['8086', '8c10'],
        ['1b4b', '9230'],
        ['10b5', '87b0'],
        ['11f8', '8531'],
        [undefined, undefined],
        ['1a03', '1150'],
      ),
      numVfs: fc.constantFrom(0, 0, 2, 65535),
      notAnswering: fc.constantFrom(false, false, false, true),
    }),
    { maxLength: 24 },
  )
  .map((entries): PciDevice[] =>
    entries.map((e) => {
      const there = (bus: number) => formatAddress({ domain: e.domain, bus, slot: 0, function: 0 })
      const known = Object.entries({
        headerType: e.secondary === null ? 0 : 1,
        secondaryBus: e.secondary ?? undefined,
        subordinateBus: e.secondary === null ? undefined : e.secondary + e.span,
        portType: e.portType,
        acs: e.acs,
        multifunctionBit: e.bit,
        sriov: { totalVfs: 4, numVfs: e.numVfs, firstVfOffset: 1, vfStride: 1 },
      })
      const facts = Object.fromEntries(known.filter(([, value]) => value !== undefined))
      return {
        address: formatAddress(e),
        ...(e.ids[0] && { vendorId: e.ids[0], deviceId: e.ids[1] }),
        classCode: e.secondary === null ? '060000' : '060400',
        ...(e.parent !== null && { parent: there(e.parent) }),
        ...(e.physFn !== null && { physFn: there(e.physFn) }),
        facts: e.notAnswering ? { depth: 'extended', notAnswering: true } : { depth: 'extended', ...facts },
      }
    }),
  )
