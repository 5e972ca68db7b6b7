/**
 * Whatever the machine: an answer, each function in one group at most, and `high` only where no missing fact
 * could turn it.
 */
import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { slotOf } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import type { FunctionFacts } from '../../../src/pci/facts.ts'
import { judgeIsolation, predictGroups } from '../../support/groups.ts'
import {
  isHardwareAsPredicted,
  predictFromHardware,
  predictFromTopology,
} from '../../../src/pci/predict-groups.ts'
import { judgeReset } from '../../../src/pci/reset.ts'
import { findTopology } from '../../../src/pci/topology.ts'

import { at, intelHost } from './machines.ts'
import { wildDevices } from './wild-machines.ts'

const numRuns = Math.max(1000, Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 0))

const options = fc.record(
  {
    kernelRelease: fc.constantFrom('6.1.0', '6.12.3', '6.18.1', '7.2.13', 'nonsense'),
    cmdline: fc.constantFrom(
      '',
      'pcie_acs_override=downstream,multifunction,id:8086:1521',
      'pci=config_acs=1@00:00.0',
    ),
    dmar: fc.constantFrom('', '444d4152', 'zz'),
    ivrs: fc.constantFrom('', '49565253'),
  },
  { requiredKeys: [] },
)

describe('any machine', () => {
  it('gets groups, isolation and resets without an exception', () => {
    fc.assert(
      fc.property(wildDevices, options, (devices, options) => {
        const members = predictGroups(devices, options).flatMap((group) => group.devices)
        expect(new Set(members).size).toBe(members.length)
        const groups = devices.map((d, id) => ({ id, devices: [d.address] }))
        expect(judgeIsolation(devices, groups, options)).toHaveLength(groups.length)
        const topology = findTopology(devices)
        for (const { address } of devices) judgeReset(topology, address, options.kernelRelease)
      }),
      { numRuns },
    )
  })

  it('says high only of what stays so when every unknown fact becomes known', () => {
    const forgetful = fc.array(
      fc.constantFrom('acs', 'portType', 'multifunctionBit', 'ids', 'nothing', 'nothing'),
      {
        minLength: 24,
        maxLength: 24,
      },
    )
    fc.assert(
      fc.property(wildDevices, forgetful, (wild, forgotten) => {
        const whole = withSeenSlots([intelHost, ...wild.map(complete)])
        const topology = findTopology(whole)
        const partial = whole.map((device, i) => {
          const what = forgotten[i % forgotten.length] ?? 'nothing'
          // Devices that alias others are cards: on a root bus a missing id is no doubt.
          const isOnRootBus = topology.byAddress.get(device.address)?.parent === undefined
          return forget(device, what === 'ids' && isOnRootBus ? 'nothing' : what)
        })
        const truth = new Set(predictGroups(whole).map((group) => group.devices.join(' ')))
        for (const group of predictGroups(partial)) {
          if (group.confidence === 'high') expect(truth.has(group.devices.join(' '))).toBe(true)
        }
      }),
      { numRuns },
    )
  })
})

describe('where all access controls are on', () => {
  const flags = fc.constantFrom(0, 0x1d, 0x1f, 0x0d)
  const controls = fc.option(
    fc.record(
      { capability: flags, control: flags, capabilityDword: flags, controlDword: flags },
      { requiredKeys: [] },
    ),
  )
  const ids = fc.constantFrom(
    ['8086', 'a110'],
    ['8086', '1521'],
    ['8086', '8c10'],
    ['111d', '80b5'],
    ['10b5', '8747'],
  )
  const variants = fc.array(fc.record({ acs: controls, ids }), { minLength: 24, maxLength: 24 })

  it('is the same what the hardware gives and what the kernel makes of it', () => {
    let compared = 0
    fc.assert(
      fc.property(wildDevices, variants, options, (wild, variants, options) => {
        const devices = wild.slice(0, 6).map((device, i): PciDevice => {
          const { acs = null, ids = ['8086', '1521'] } = variants[i] ?? {}
          const facts = { depth: 'extended' as const, ...device.facts, acs }
          return { ...device, vendorId: ids[0] ?? '', deviceId: ids[1] ?? '', facts }
        })
        const topology = findTopology(devices)
        if (!isHardwareAsPredicted(topology, options)) return
        compared++
        expect(predictFromHardware(topology, { ...options, control: 'as-read' })).toEqual(
          predictFromTopology(topology, options),
        )
      }),
      { numRuns },
    )
    expect(compared).toBeGreaterThan(numRuns / 20)
  })

  it.each([
    ['8086', '1521', 0x1d, 0, true],
    ['8086', '1521', 0x01, 0x1d, false],
    // An ACS capability with dwords where words belong: only the dword tells.
    ['8086', 'a110', 0x1d, 0, false],
    ['8086', 'a110', 0x1d, 0x1d, true],
    // Which flags count depends on the kernel.
    ['111d', '80b5', 0x1d, 0x1d, false],
  ])('%s:%s with control %i and %i: %s', (vendorId, deviceId, control, controlDword, expected) => {
    const acs = { capability: 0x1f, control, capabilityDword: 0x1f, controlDword }
    const facts = { depth: 'extended' as const, portType: 'rootPort' as const, acs }
    const topology = findTopology([{ address: at('00:1c.0'), vendorId, deviceId, facts }])
    expect(isHardwareAsPredicted(topology, {})).toBe(expected)
    expect(isHardwareAsPredicted(topology, { cmdline: 'pci=config_acs=1@00:1c.0' })).toBe(false)
  })
})

/** Fills in every unknown, so that the prediction from it is the truth to compare with. */
function complete(device: PciDevice): PciDevice {
  const { notAnswering: _asleep, ...facts } = device.facts ?? { depth: 'extended' }
  const known: FunctionFacts = { portType: null, acs: null, headerType: 0, multifunctionBit: false, ...facts }
  return { vendorId: 'abcd', deviceId: '0001', ...device, facts: known }
}

/**
 * Linux looks for functions beside function 0 only where its header says that there are some
 * (`pci_scan_slot`, drivers/pci/probe.c), so one that is listed with others has the bit; a header without it
 * is no truth to compare with.
 */
function withSeenSlots(devices: readonly PciDevice[]): PciDevice[] {
  const { byAddress } = findTopology(devices)
  return devices.map((device) => {
    const siblings = findSiblings(devices, device)
    if (!siblings.some(({ address }) => byAddress.get(address)?.physicalFunction === undefined)) return device
    return { ...device, facts: { depth: 'extended', ...device.facts, multifunctionBit: true } }
  })
}

function findSiblings(devices: readonly PciDevice[], device: PciDevice): PciDevice[] {
  return devices.filter(
    ({ address }) => address !== device.address && slotOf(address) === slotOf(device.address),
  )
}

function forget(device: PciDevice, what: string): PciDevice {
  if (what === 'nothing' || device === intelHost) return device
  if (what === 'ids') {
    const { vendorId: _v, deviceId: _d, ...rest } = device
    return rest
  }
  const facts = Object.fromEntries(Object.entries(device.facts ?? {}).filter(([key]) => key !== what))
  return { ...device, facts: { depth: 'header', ...facts } }
}
