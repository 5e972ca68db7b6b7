import { describe, expect, it } from 'vitest'
import {
  isSameSetting,
  parseVirtualFunctions,
  pickSettings,
  settingWords,
} from '../../../src/pci/virtual-functions.ts'

const link = (list: unknown) => JSON.stringify([{ ifname: 'eth0', vfinfo_list: list }])

describe('what ip says of virtual functions', () => {
  it.each<[string, object, object]>([
    [
      'of today',
      {
        vf: 0,
        link_type: 'ether',
        address: '52:54:00:AA:00:01',
        vlan_list: [{ vlan: 20, qos: 3 }],
        spoofchk: true,
        link_state: 'auto',
        trust: false,
      },
      { mac: '52:54:00:aa:00:01', vlan: 20, spoofCheck: true, trust: false },
    ],
    [
      'of 2018',
      { vf: 0, mac: '00:00:00:00:00:00', vlan: 7, spoofchk: false },
      { mac: '00:00:00:00:00:00', vlan: 7, spoofCheck: false },
    ],
    [
      'without a VLAN',
      { vf: 0, address: '00:00:00:00:00:00', vlan_list: [{}] },
      { mac: '00:00:00:00:00:00', vlan: 0 },
    ],
  ])('%s', (_, info, expected) => expect(parseVirtualFunctions(link([info]))?.get(0)).toEqual(expected))

  it('is by number, whatever the order', () => {
    const found = parseVirtualFunctions(
      link([{ vf: 2, vlan: 3 }, 'odd', { vf: 'x' }, null, { vf: 0, vlan: 1 }]),
    )
    expect([...(found ?? [])].map(([number, { vlan }]) => [number, vlan])).toEqual([
      [2, 3],
      [0, 1],
    ])
  })

  it.each(['', 'Device "eth0" does not exist.', '[]', '{}', 'null', '[null]', '[3]'])(
    '%j is no answer',
    (text) => expect(parseVirtualFunctions(text)).toBeUndefined(),
  )

  it('a port without any has an empty list', () =>
    expect(parseVirtualFunctions('[{"ifname":"eth0"}]')?.size).toBe(0))
})

describe('settings', () => {
  it('become words of ip-link(8), only those given', () => {
    expect(settingWords({ mac: '52:54:00:aa:00:01', vlan: 0, trust: true, spoofCheck: false })).toEqual(
      'mac 52:54:00:aa:00:01 vlan 0 spoofchk off trust on'.split(' '),
    )
    expect(settingWords({})).toEqual([])
  })

  it('are compared only where something is wanted', () => {
    const is = { mac: '52:54:00:aa:00:01', vlan: 20, trust: false }
    expect(isSameSetting(pickSettings(is, { vlan: 20 }), { vlan: 20 })).toBe(true)
    expect(
      isSameSetting(pickSettings(is, { vlan: 20, spoofCheck: true }), { vlan: 20, spoofCheck: true }),
    ).toBe(false)
  })
})
