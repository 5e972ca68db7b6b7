import { describe, expect, it } from 'vitest'
import type { PciDevice } from '../../../src/pci/device.ts'
import { judgeIsolation } from '../../support/groups.ts'
import { acs, at, endpoint, fn, intelHost, port } from './machines.ts'

const groups = (...members: string[][]) => members.map((list, id) => ({ id, devices: list.map(at) }))

describe('judgeIsolation', () => {
  const devices = (facts: Parameters<typeof port>[2]): PciDevice[] => [
    intelHost,
    port('00:1c.0', [1, 1], facts),
    endpoint('01:00.0'),
    endpoint('01:00.1', { multifunctionBit: true }),
  ]

  it('yes where the ports keep what the groups claim', () => {
    const judged = judgeIsolation(
      devices({ acs }),
      groups(['00:00.0'], ['00:1c.0'], ['01:00.0', '01:00.1']),
      {
        control: 'as-read',
      },
    )
    expect(judged.map((j) => j.isolated)).toEqual(['yes', 'yes', 'yes'])
  })

  it('yes for a group bigger than the hardware asks for', () => {
    const judged = judgeIsolation(devices({ acs }), groups(['00:00.0'], ['00:1c.0', '01:00.0', '01:00.1']))
    expect(judged.map((j) => j.isolated)).toEqual(['yes', 'yes'])
  })

  it('no, with the port, where an override split what hangs together', () => {
    const judged = judgeIsolation(
      devices({ acs: null }),
      groups(['00:00.0'], ['00:1c.0'], ['01:00.0'], ['01:00.1']),
      {
        cmdline: 'quiet pcie_acs_override=downstream,multifunction',
        control: 'as-read',
      },
    )
    expect(judged[2]).toEqual({
      id: 2,
      isolated: 'no',
      port: at('00:1c.0'),
      why: 'no-acs',
      reaches: [at('00:1c.0'), at('01:00.1')],
      restsOnOverride: true,
    })
    expect(judged.map((j) => j.isolated)).toEqual(['yes', 'no', 'no', 'no'])
  })

  it('no, where a control was switched off after the groups were made', () => {
    const off = { acs: { capability: 0x1f, control: 0 } }
    const judged = judgeIsolation(devices(off), groups(['00:00.0'], ['00:1c.0'], ['01:00.0', '01:00.1']), {
      control: 'as-read',
    })
    expect(judged[2]).toMatchObject({
      isolated: 'no',
      port: at('00:1c.0'),
      why: 'acs-off',
      reaches: [at('00:1c.0')],
    })
    // With the IOMMU off the words say nothing: Linux will switch them on.
    expect(judgeIsolation(devices(off), groups(['00:1c.0'], ['01:00.0', '01:00.1']))[1]?.isolated).toBe('yes')
  })

  it('unknown where the port could not be read', () => {
    const shallow = devices({ acs }).map((d) => ({
      ...d,
      facts: { ...d.facts!, depth: 'standard' as const },
    }))
    const unread = shallow.map((d) => {
      const { acs: _acs, ...facts } = d.facts
      return { ...d, facts }
    })
    const judged = judgeIsolation(unread, groups(['00:1c.0'], ['01:00.0', '01:00.1']), { control: 'as-read' })
    expect(judged[1]).toMatchObject({ isolated: 'unknown', why: 'not-readable', port: at('00:1c.0') })
    expect(judgeIsolation([], groups(['05:00.0']))[0]).toEqual({
      id: 0,
      isolated: 'unknown',
      why: 'not-readable',
    })
  })

  it('no for conventional functions behind one bridge in two groups', () => {
    const machine = [intelHost, port('00:1e.0', [1, 1], { portType: null }), fn('01:00.0'), fn('01:01.0')]
    const judged = judgeIsolation(machine, groups(['00:1e.0'], ['01:00.0'], ['01:01.0']))
    expect(judged[1]).toMatchObject({ isolated: 'no', why: 'shares-requester-id' })
  })

  it('the same in whatever order the members of a group are stated', () => {
    const off = { acs: { capability: 0x1f, control: 0 } }
    const together = groups(['00:00.0'], ['00:1c.0'], ['01:00.0', '01:00.1'])
    const turned = together.map(({ id, devices: members }) => ({ id, devices: members.toReversed() }))
    // Which port is named first depends on the order; what is kept apart does not.
    const told = (facts: Parameters<typeof devices>[0], stated: typeof together) =>
      judgeIsolation(devices(facts), stated, { control: 'as-read' }).map(({ isolated, reaches }) => [
        isolated,
        reaches,
      ])
    const answers = [{ acs }, { acs: null }, off, {}].map((facts) => {
      expect(told(facts, turned)).toEqual(told(facts, together))
      return told(facts, together)
        .map(([isolated]) => isolated)
        .join(' ')
    })
    expect(answers.slice(0, 3)).toEqual(['yes yes yes', 'yes no no', 'yes no no'])
  })
})
