import { describe, expect, it } from 'vitest'
import { advise } from '../../../src/advise/advise.ts'
import { families } from '../../../src/advise/families.ts'
import { findCards, type Card } from '../../../src/advise/find-card.ts'
import { freeSlots } from '../../../src/advise/slots.ts'
import type { Host } from '../../../src/host/host.ts'
import type { FunctionFacts } from '../../../src/pci/facts.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { at, device, host, need } from '../../support/host-builder.ts'

const facts = (more: Partial<FunctionFacts>): FunctionFacts => ({
  depth: 'extended',
  headerType: 0,
  multifunctionBit: false,
  portType: 'rootComplexEndpoint',
  acs: null,
  ...more,
})
/** Source validation, request and completion redirect, upstream forwarding: what isolates. */
const acs = { capability: 0x1d, control: 0x1d }
const port = (address: string, bus: number, more: Partial<FunctionFacts> = {}): PciDevice =>
  device(address, {
    kind: 'bridge',
    secondaryBus: bus,
    subordinateBus: bus,
    vendorId: '1022',
    deviceId: '1483',
    facts: facts({ headerType: 1, portType: 'rootPort', secondaryBus: bus, subordinateBus: bus, ...more }),
  })
const bridge = device('00:00.0', {
  kind: 'bridge',
  classCode: '060000',
  headerType: 0,
  vendorId: '8086',
  deviceId: '1237',
  facts: facts({}),
})
const i350: Card[] = [{ vendorId: '8086', deviceId: '1521', family: familyOf('Intel I350') }]
const unknown: Card[] = [{ vendorId: '1234', deviceId: '5678' }]

function familyOf(name: string) {
  const family = families.find((one) => one.name === name)
  if (family === undefined) throw new Error(name)
  return family
}
const slotsOf = (machine: Host, cards = unknown) => advise(machine, cards).cards[0]?.slots

describe('free slots', () => {
  it('are ports with nothing below them', () => {
    const used = device('02:00.0', { kind: 'nic', parent: at('00:01.1'), facts: facts({}) })
    const machine = host([bridge, port('00:01.0', 1), port('00:01.1', 2), used])
    expect(freeSlots(machine).map((slot) => slot.port)).toEqual([at('00:01.0')])
  })

  it('are none where no port is stated', () => {
    expect(advise(host([device('00:02.0', { kind: 'nic' })]), unknown)).toMatchObject({
      freeSlots: [],
      cards: [{ slots: [] }],
    })
  })
})

describe('a card in a slot', () => {
  it('has a group of its own below a port with ACS', () => {
    expect(slotsOf(host([bridge, port('00:01.0', 1, { acs })]))).toMatchObject([{ fit: 'good', with: [] }])
  })

  it('shares its group below a port of a device whose functions are not kept apart', () => {
    const disks = device('02:00.0', {
      kind: 'storage',
      parent: at('00:01.1'),
      facts: facts({ portType: 'endpoint' }),
    })
    const ports = [
      port('00:01.0', 1, { multifunctionBit: true }),
      port('00:01.1', 2, { multifunctionBit: true }),
    ]
    const machine = host([bridge, ...ports, disks])
    expect(slotsOf(machine)).toMatchObject([{ fit: 'shared', with: [{ address: at('02:00.0') }] }])
    const needed = host([bridge, ...ports, disks], { needs: [need('02:00.0', '/', ['sda'])] })
    expect(slotsOf(needed)).toMatchObject([
      { fit: 'bad', with: [{ address: at('02:00.0'), need: '/ → sda' }] },
    ])
  })

  it('has ports in groups of their own only where the kernel knows that they are isolated', () => {
    const machine = host([bridge, port('00:01.0', 1, { acs })])
    expect(slotsOf(machine, i350)).toMatchObject([{ fit: 'good', portsApart: true }])
    const broadcom = [{ vendorId: '14e4', deviceId: '1657', family: familyOf('Broadcom BCM5719') }]
    expect(slotsOf(machine, broadcom)).toMatchObject([{ fit: 'good', portsApart: false }])
  })

  it('is unknown where the input carries no configuration space', () => {
    const bare = { ...port('00:01.0', 1), facts: facts({ depth: 'none', portType: 'rootPort' }) }
    expect(slotsOf(host([{ ...bare, portType: 'rootPort', secondaryBus: 1 }]))).toMatchObject([
      { fit: 'unknown' },
    ])
  })
})

describe('the table of cards', () => {
  it('names each id once, in lower-case hex', () => {
    const ids = families.flatMap(({ vendor, devices }) => devices.map((id) => `${vendor}:${id}`))
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
  })

  it('gives every fact a source and a date', () => {
    const machine = host([bridge, port('00:01.0', 1)])
    for (const family of families) {
      const card = { vendorId: family.vendor, deviceId: family.devices[0] ?? '', family }
      const [advice] = advise(machine, [card]).cards
      expect(advice?.facts.length).toBeGreaterThan(0)
      for (const fact of advice?.facts ?? []) {
        expect(fact.source).not.toBe('')
        expect(fact.date).toMatch(/^20\d\d-\d\d$/)
      }
    }
  })
})

describe('words for a card', () => {
  const names = (asked: string) => {
    const found = findCards(asked)
    return found.kind === 'found' ? found.cards.map(({ family }) => family?.name) : found
  }

  it('are its ids, whether the table knows them or not', () => {
    expect(names('8086:1521')).toEqual(['Intel I350'])
    expect(findCards('8086:FFFF')).toEqual({
      kind: 'found',
      cards: [{ vendorId: '8086', deviceId: 'ffff' }],
    })
  })

  it('are its name, its kind and the number of its ports', () => {
    expect(names('I350')).toEqual(['Intel I350'])
    expect(names('quad port nic')).toContain('Intel I350')
    expect(names('quad port nic')).not.toContain('Intel X540')
    expect(names('HBA 9211')).toEqual(['LSI SAS2008'])
  })

  it('are answered with the nearest known word', () => {
    expect(names('i530')).toEqual({ kind: 'unknown', near: 'i350' })
    expect(names('')).toEqual({ kind: 'unknown' })
    expect(names('port card')).toEqual({ kind: 'unknown' })
    expect(names('\u0007'.repeat(5000))).toMatchObject({ kind: 'unknown' })
  })
})
