import { describe, expect, it } from 'vitest'
import type { PciDevice } from '../../../src/pci/device.ts'
import type { FunctionFacts } from '../../../src/pci/facts.ts'
import { judgeReset } from '../../../src/pci/reset.ts'
import { findTopology } from '../../../src/pci/topology.ts'
import { vfioDeniedName } from '../../../src/pci/quirks/vfio-quirks.ts'
import { acs, at, endpoint, fn, intelHost, port } from './machines.ts'

const rootPort = port('00:1c.0', [1, 1], { acs })
const judge = (devices: readonly PciDevice[], address = '01:00.0', kernel = '6.12.117') =>
  judgeReset(findTopology([intelHost, ...devices]), at(address), kernel)

const soft = { power: { noSoftReset: false } } as const

describe('what really resets', () => {
  const cases: [string, readonly PciDevice[], string, readonly string[]][] = [
    ['FLR', [rootPort, endpoint('01:00.0', { flr: true })], 'function', ['flr', 'bus']],
    ['AF FLR on a root bus', [fn('01:00.0', { afFlr: true })], 'function', ['af_flr']],
    ['alone behind its port', [rootPort, endpoint('01:00.0')], 'bus', ['bus']],
    ['alone, with PM reset', [rootPort, endpoint('01:00.0', soft)], 'bus', ['pm', 'bus']],
    ['two functions', [rootPort, endpoint('01:00.0', soft), endpoint('01:00.1')], 'together', ['pm']],
    ['on a root bus with PM reset', [fn('00:1b.0', soft)], 'power', ['pm']],
    ['on a root bus without', [fn('00:1b.0')], 'none', []],
    ['NoSoftRst is no PM reset', [fn('00:1b.0', { power: { noSoftReset: true } })], 'none', []],
    ['the bridge was left out of the listing', [fn('05:00.0', soft)], 'unknown', ['pm']],
    [
      'an AMD GPU with its audio: no PM reset',
      [
        rootPort,
        endpoint('01:00.0', soft, { vendorId: '1002', deviceId: '73bf', classCode: '030000' }),
        endpoint('01:00.1'),
      ],
      'together',
      [],
    ],
    [
      'ASM1164: no bus reset, PM remains',
      [rootPort, endpoint('01:00.0', soft, { vendorId: '1b21', deviceId: '1164' })],
      'power',
      ['pm'],
    ],
    [
      'Matisse USB: FLR not used',
      [
        rootPort,
        endpoint('01:00.0', { flr: true }, { vendorId: '1022', deviceId: '149c' }),
        endpoint('01:00.1'),
      ],
      'together',
      [],
    ],
    [
      'SM961: the kernel’s own way',
      [rootPort, endpoint('01:00.0', { flr: true }, { vendorId: '144d', deviceId: 'a804' })],
      'function',
      ['device_specific', 'flr', 'bus'],
    ],
    [
      'a virtual function',
      [rootPort, endpoint('01:00.0'), endpoint('01:00.4', { flr: true }, { physFn: at('01:00.0') })],
      'together',
      [],
    ],
  ]
  it.each(cases)('%s', (_name, devices, kind, usable) => {
    const lone = devices.length === 1 ? devices[0] : undefined
    expect(judge(devices, lone?.address)).toMatchObject({ class: kind, usable, from: 'predicted' })
  })

  it.each<[string, Partial<FunctionFacts>]>([
    ['where FLR is not printed', { flr: undefined as never }],
    ['where the Advanced Features are not printed', { afFlr: undefined as never }],
    ['where the power state is not printed', { power: {} }],
    [
      'where nothing but the type is known',
      { depth: 'none', flr: undefined as never, power: undefined as never },
    ],
  ])('says nothing %s', (_, facts) => {
    expect(judge([fn('00:1b.0', facts)], '00:1b.0')?.class).toBe('unknown')
    expect(judge([fn('00:1b.0', { ...facts, flr: true })], '00:1b.0')?.class).toBe('function')
    const isPowerOnly = Object.hasOwn(facts, 'power') && !Object.hasOwn(facts, 'flr')
    const card = [rootPort, endpoint('01:00.0', facts), endpoint('01:00.1', facts)]
    expect(judge(card)?.class).toBe(isPowerOnly ? 'together' : 'unknown')
  })

  it('names who must come along', () => {
    const judged = judge([rootPort, endpoint('01:00.0'), endpoint('01:00.1'), endpoint('01:00.2')])
    expect(judged?.together).toEqual([at('01:00.1'), at('01:00.2')])
  })

  it('a virtual function resets by itself, even seen from 64 bytes', () => {
    const vf = { ...endpoint('01:10.0', {}, { physFn: at('01:00.0') }), facts: { depth: 'header' as const } }
    expect(judge([rootPort, endpoint('01:00.0'), vf], '01:10.0')?.class).toBe('function')
  })

  it('says unknown where nothing could be read', () => {
    const blind = { ...endpoint('01:00.0'), facts: { depth: 'header' as const } }
    expect(judge([rootPort, blind])?.class).toBe('unknown')
    const asleep = {
      ...endpoint('01:00.0'),
      facts: { depth: 'extended' as const, notAnswering: true as const },
    }
    expect(judge([rootPort, asleep])?.class).toBe('unknown')
  })

  it('says nothing of bridges and strangers', () => {
    expect(judge([rootPort], '00:1c.0')).toBeUndefined()
    expect(judge([rootPort], '09:00.0')).toBeUndefined()
  })
})

describe('what the kernel states', () => {
  const stated = (methods: string[], more: Partial<PciDevice> = {}) =>
    endpoint('01:00.0', {}, { resetMethods: methods, ...more })

  it('takes away the bus reset that function 0 lists and siblings will refuse', () => {
    const judged = judge([rootPort, stated(['pm', 'bus']), endpoint('01:00.1')])
    expect(judged).toMatchObject({ class: 'together', usable: ['pm'], from: 'stated' })
    expect(judged?.notes).toEqual([
      {
        kind: 'misleadingBus',
        about: 'reset_method lists bus, but 1 other function on its bus will make the kernel refuse it',
      },
    ])
  })

  it('keeps a true bus reset, and words it does not know are dropped', () => {
    expect(judge([rootPort, stated(['bus', 'levitate'])])).toMatchObject({
      class: 'bus',
      usable: ['bus'],
      notes: [],
    })
  })

  it('believes an empty list, wherever the device sits', () => {
    expect(judge([stated([])])?.class).toBe('none')
  })

  it('names the kernel that has the quirk this one lacks', () => {
    const wifi = stated(['flr', 'bus'], { vendorId: '14c3', deviceId: '7925' })
    const notes = judge([rootPort, wifi], '01:00.0', '6.1.0-13-amd64')?.notes
    expect(notes).toEqual([
      {
        kind: 'quirkMissing',
        about: 'MediaTek MT7925 does not survive FLR',
        sinceKernel: '6.12.111 and 7.2.13',
      },
    ])
    const newer = judge(
      [rootPort, stated(['bus'], { vendorId: '14c3', deviceId: '7925' })],
      '01:00.0',
      '6.12.111',
    )
    expect(newer?.notes.map((n) => n.kind)).toEqual(['noFlr'])
  })

  it.each<[string, string[], Partial<PciDevice>, string[] | undefined]>([
    [
      'an FLR that hangs, and two that work',
      ['flr', 'pm', 'bus'],
      { vendorId: '1022', deviceId: '149c' },
      ['pm', 'bus'],
    ],
    ['an FLR that hangs, and nothing else', ['flr'], { vendorId: '1022', deviceId: '149c' }, undefined],
    ['a list without it already', ['pm', 'bus'], { vendorId: '1022', deviceId: '149c' }, undefined],
    [
      "the kernel's own way first",
      ['device_specific', 'flr'],
      { vendorId: '144d', deviceId: 'a804' },
      undefined,
    ],
    [
      'a PM reset that is ignored',
      ['pm', 'bus'],
      { vendorId: '1002', deviceId: '731f', classCode: '030000' },
      ['bus'],
    ],
    ['a device without a quirk', ['flr', 'bus'], {}, undefined],
  ])('says what reset_method should hold instead: %s', (_, methods, more, instead) =>
    expect(judge([rootPort, stated(methods, more)])?.instead).toEqual(instead),
  )

  it('puts nothing in place of a bad reset that the siblings of a card will refuse', () => {
    const usb = stated(['flr', 'bus'], { vendorId: '1022', deviceId: '149c' })
    expect(judge([rootPort, usb, endpoint('01:00.1')])?.instead).toBeUndefined()
  })

  it('names the GPU family that needs vendor-reset', () => {
    const polaris = judge([
      rootPort,
      stated(['bus'], { vendorId: '1002', deviceId: '67df', classCode: '030000' }),
    ])
    expect(polaris?.notes.map((n) => n.kind)).toEqual(['noPmReset', 'vendorReset'])
    expect(polaris?.notes.at(-1)?.about).toMatch(/^Polaris 10/)
  })
})

describe('what vfio-pci refuses or hides', () => {
  it.each([
    ['37c8', 'QAT C62x'],
    ['0b25', 'Data Streaming Accelerator'],
    ['1521', undefined],
  ])('8086:%s is %s', (deviceId, name) => {
    expect(vfioDeniedName({ vendorId: '8086', deviceId })).toBe(name)
    expect(vfioDeniedName({ vendorId: '10de', deviceId })).toBeUndefined()
  })
})
