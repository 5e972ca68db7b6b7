/** What another kernel would change, for kernels that are known to have a quirk, to lack it, or neither. */
import { describe, expect, it } from 'vitest'
import type { PciDevice } from '../../../src/pci/device.ts'
import type { Host } from '../../../src/host/host.ts'
import { omit } from '../../../src/plan/omit.ts'
import { compareBoots } from '../../../src/watch/compare.ts'
import { predictKernel } from '../../../src/watch/predict.ts'
import { hostUnder } from '../../../src/watch/predicted-host.ts'
import { recordOf } from '../../../src/watch/record.ts'
import { differenceWords, predictionWords } from '../../../src/watch/words.ts'
import { acs, at, endpoint, intelHost, port } from '../pci/machines.ts'
import { host, need } from '../../support/host-builder.ts'

const ids = (text: string): Partial<PciDevice> => ({ vendorId: text.slice(0, 4), deviceId: text.slice(5) })
const above = port('00:1c.0', [1, 1], { acs })

/** Two functions of one card: a kernel that knows the card keeps them apart. */
function card(kind: string, release: string | undefined, groups: readonly (readonly number[])[]): Host {
  const groupOf = (number: number) => groups.findIndex((members) => members.includes(number)) + 1
  const facts = (number: number) => ({ ...ids(kind), iommuGroup: groupOf(number), driver: null })
  const both = [0, 1].map((number) =>
    endpoint(`01:00.${number}`, { multifunctionBit: true }, { ...facts(number), multifunction: true }),
  )
  return host([intelHost, above, ...both], { kernel: release === undefined ? {} : { release } })
}
const together = [[0, 1]]
const apart = [[0], [1]]

const controller = (methods: readonly string[] | undefined, more: Partial<PciDevice> = {}) =>
  endpoint(
    '01:00.0',
    { flr: methods?.includes('flr') ?? false },
    { ...ids('1b21:1164'), iommuGroup: 1, ...(methods ? { resetMethods: methods } : {}), ...more },
  )
const alone = (device: PciDevice, release: string) =>
  host([intelHost, above, device], { kernel: { release } })

function said(of: Host, release: string): string[] {
  const predicted = predictKernel(of, release) ?? expect.fail('no release')
  return predicted.predictions.map((one) => `${one.confidence}: ${predictionWords(one)}`)
}

describe('the resets of another kernel', () => {
  it.each<[string, string, readonly string[]]>([
    ['6.12.74', '6.12.75', ['high: the reset of 0000:01:00.0 changes: bus → none']],
    ['6.12.74', '7.3.1', ['high: the reset of 0000:01:00.0 changes: bus → none']],
    ['6.12.74', '6.12.70', []],
    // The list of the running kernel has bus, so it lacks the quirk, whatever its name says.
    ['6.8.0-45-generic', '7.1.5', ['high: the reset of 0000:01:00.0 changes: bus → none']],
    ['6.12.74', '6.12.0-9-amd64', ['low: the reset of 0000:01:00.0 may change: bus → none']],
    // Debian's name of 6.12.75 proves what it has; of 6.12.48 it proves nothing about later updates.
    ['6.12.74', '6.12.75+deb13-amd64', ['high: the reset of 0000:01:00.0 changes: bus → none']],
    ['6.12.74', '6.12.48+deb13-amd64', ['low: the reset of 0000:01:00.0 may change: bus → none']],
  ])('%s → %s, where a bus reset is refused since 6.12.75', (now, then, words) => {
    expect(said(alone(controller(['bus']), now), then)).toEqual(words)
  })

  it('come back with an older kernel', () => {
    expect(said(alone(controller([]), '6.12.75'), '6.12.74')).toEqual([
      'high: the reset of 0000:01:00.0 changes: none → bus',
    ])
  })

  it('name the quirk and the releases', () => {
    const of = alone(controller(['bus']), '6.12.74')
    expect(predictKernel(of, '6.12.75')?.predictions[0]).toEqual({
      ...{ kind: 'reset', about: ['0000:01:00.0'], before: ['bus'], after: [], confidence: 'high' },
      why: 'ASMedia ASM1164 SATA loses its link on a bus reset',
      source: 'drivers/pci/quirks.c, since Linux 6.1.165, 6.12.75 and 7.1',
    })
  })

  it.each<[string, readonly string[], string, string, string]>([
    ['14c3:0616', ['flr', 'bus'], '6.13.9', '6.14.1', 'flr, bus → bus'],
    ['025e:f1ac', ['flr'], '6.8.1', '6.9.1', 'flr → device_specific, flr'],
    ['025e:f1ac', ['device_specific', 'flr'], '6.9.1', '6.1.87', 'device_specific, flr → flr'],
  ])('of %s', (kind, methods, now, then, words) => {
    expect(said(alone(controller(methods, ids(kind)), now), then).join()).toMatch(`changes: ${words}`)
  })

  it('are those of the bus too: a port that must not reset it', () => {
    const root = { ...above, ...ids('10de:22ce') }
    const device = controller(['bus'], ids('abcd:0001'))
    expect(said(host([intelHost, root, device], { kernel: { release: '6.12.74' } }), '6.12.75')).toEqual([
      'high: the reset of 0000:01:00.0 changes: bus → none',
    ])
  })
})

describe('the groups of another kernel', () => {
  const split = [
    'high: the IOMMU group of 0000:01:00.0 changes: 0000:01:00.0, 0000:01:00.1 → 0000:01:00.0',
    'high: the IOMMU group of 0000:01:00.1 changes: 0000:01:00.0, 0000:01:00.1 → 0000:01:00.1',
  ]
  it('split where it knows how a card isolates', () => {
    const of = card('8088:5140', '6.12.4', together)
    expect(said(of, '6.12.5')).toEqual(split)
    expect(predictKernel(of, '6.12.5')?.predictions[0]).toMatchObject({
      why: 'that kernel would know how 8088:5140 isolates',
      source: 'drivers/pci/quirks.c (pci_dev_acs_enabled), since Linux 6.1.120, 6.12.5 and 6.13',
    })
  })

  it('join where it does not', () => {
    expect(said(card('8088:5140', '6.12.5', apart), '6.12.4')).toEqual([
      'high: the IOMMU group of 0000:01:00.0 changes: 0000:01:00.0 → 0000:01:00.0, 0000:01:00.1',
      'high: the IOMMU group of 0000:01:00.1 changes: 0000:01:00.1 → 0000:01:00.0, 0000:01:00.1',
    ])
  })

  it('stay where both know it, or neither', () => {
    expect(said(card('8088:5140', '6.12.5', apart), '6.13.1')).toEqual([])
    expect(said(card('8088:5140', '6.12.3', together), '6.12.4')).toEqual([])
    expect(said(card('8088:0101', '6.1.1', apart), '7.3.1')).toEqual([])
    expect(said(card('abcd:0001', '6.1.1', together), '7.3.1')).toEqual([])
  })

  it('prove which updates a distribution has', () => {
    // 6.12.0-9-amd64 may have 6.12.5 or not: its groups show that it has.
    expect(said(card('8088:5140', '6.12.0-9-amd64', apart), '6.13.1')).toEqual([])
    expect(said(card('8088:5140', '6.12.0-9-amd64', together), '6.13.1')).toEqual(split)
  })

  it('are not sure where it may have the quirk', () => {
    const words = said(card('8088:5140', '6.12.4', together), '6.12.0-9-amd64')
    expect(words).toEqual(split.map((line) => line.replace('high', 'low').replace('changes', 'may change')))
  })

  it('are not sure where the running kernel does not form what is predicted of it', () => {
    const words = said(card('8088:5140', '6.12.4', apart), '6.12.3')
    expect(words).toEqual([])
    expect(said(card('8088:5140', '6.12.5', together), '6.12.4')).toEqual([])
  })

  it('are not predicted from a listing without configuration space, or for kernels with rules of their own', () => {
    const of = card('8088:5140', '6.12.4', together)
    const bare = { ...of, devices: of.devices.map((one) => omit(one, 'facts')) }
    expect(predictKernel(bare, '6.12.5')).toMatchObject({
      ...{ predictions: [], limits: ['groups are not predicted: configuration space could not be read'] },
    })
    expect(predictKernel(of, '6.8.0-1010-nvidia')).toMatchObject({
      ...{
        predictions: [],
        limits: ['groups are not predicted: one of the kernels forms groups by rules of its own'],
      },
    })
  })
})

it.each([
  ['6.1.1', 0],
  ['7.2.99', 0],
  ['7.3.1', 1],
  ['5.15.0', 1],
])('of %s says where the tables end', (release, limits) => {
  expect(predictKernel(card('8088:5140', '6.12.4', together), release)?.limits).toHaveLength(limits)
})

describe('what that means for VMs', () => {
  const boot = { bootId: 'a', at: '' }
  function unsafe(of: Host, release: string, given: readonly { vm: string; address: string }[]): string[] {
    const predicted = predictKernel(of, release) ?? expect.fail()
    const what = { ...boot, given: given.map(({ vm, address }) => ({ vm, address: at(address) })) }
    return compareBoots(recordOf(of, what), recordOf(hostUnder(of, predicted), what))
      .filter(({ unsafeFor }) => unsafeFor.length > 0)
      .map((one) => `${one.unsafeFor.join()}: ${differenceWords(one)}`)
  }

  it('a group that joins what the host uses keeps its VM down', () => {
    const of = { ...card('8088:5140', '6.12.5', apart), needs: [need('01:00.1', 'default route')] }
    expect(unsafe(of, '6.12.4', [{ vm: 'box', address: '01:00.0' }])).toEqual([
      'box: the IOMMU group of 0000:01:00.0 gained 0000:01:00.1, which the host uses (default route)',
    ])
    const all = [0, 1].map((number) => ({ vm: 'box', address: `01:00.${number}` }))
    expect(unsafe(of, '6.12.4', all)).toEqual([])
  })

  it('a reset that is gone keeps its VM down', () => {
    const of = alone(controller(['bus']), '6.12.74')
    expect(unsafe(of, '6.12.75', [{ vm: 'box', address: '01:00.0' }])).toEqual([
      'box: 0000:01:00.0: reset: bus → none',
    ])
    const radio = alone(controller(['flr'], ids('14c3:0616')), '6.13.9')
    expect(unsafe(radio, '6.14.1', [{ vm: 'box', address: '01:00.0' }])).toEqual([
      'box: 0000:01:00.0: reset: flr → none',
    ])
  })
})

it.each(['', 'new', '6', '6.12.75\nx', '9'.repeat(50), '6.12.75.1'])('%j is no release', (text) => {
  expect(predictKernel(card('8088:5140', '6.12.4', together), text)).toBeUndefined()
})
