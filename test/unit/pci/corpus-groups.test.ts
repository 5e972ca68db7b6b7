/**
 * Predicted groups against the kernel's on recorded machines with configuration space; prints the table of
 * issue 3.
 */
import { describe, expect, it } from 'vitest'
import { withConfigFacts } from '../../../src/pci/config-space.ts'
import { judgeIsolation, predictGroups } from '../../support/groups.ts'
import { judgeReset } from '../../../src/pci/reset.ts'
import { findPaths, findTopology } from '../../../src/pci/topology.ts'
import { corpusItems, readItem } from '../../corpus/corpus.ts'
import { hasCorpus, readMachine, skipReason } from './corpus.ts'
import { at } from './machines.ts'
import { comparePairs, type PairCount, renderPairs } from './pairs.ts'

describe.skipIf(!hasCorpus)(`recorded machines${skipReason}`, () => {
  const counts: PairCount[] = []

  it('a full DL360 Gen9: every pair of 226 functions, virtual functions included', () => {
    const { devices, groups } = readMachine('hp-dl360g9-vgpu')
    const predicted = predictGroups(devices)
    const count = comparePairs('hp-dl360g9-vgpu', predicted, groups)
    counts.push(count)
    process.stdout.write(`${renderPairs(counts)}\n`)
    expect(count.functions).toBe(226)
    expect(count.right).toBe(count.pairs)
    expect(count.wrongHighGroups).toEqual([])
    expect(count.highFunctions).toBe(226)
  })

  it('the same machine as an ordinary user sees it: never wrong with high', () => {
    const { devices, groups } = readMachine('hp-dl360g9-vgpu')
    const header = devices.map((d) => ({ ...d, config: (d.config ?? '').slice(0, 128) }))
    const count = comparePairs('64 bytes', predictGroups(header), groups)
    expect(count.wrongHigh).toEqual([])
    const standard = devices.map((d) => ({ ...d, config: (d.config ?? '').slice(0, 512) }))
    const half = comparePairs('256 bytes', predictGroups(standard), groups)
    expect(half.wrongHigh).toEqual([])
    expect(half.wrongHighGroups).toEqual([])
    expect(half.highFunctions).toBeGreaterThan(100)
  })

  it('the same machine with any tenth function asleep: never wrong with high', () => {
    const { devices, groups } = readMachine('hp-dl360g9-vgpu')
    for (let n = 0; n < 10; n += 1) {
      const sleepy = devices.map((d, i) =>
        i % 10 === n ? { ...d, config: 'ff'.repeat((d.config ?? '').length / 2) } : d,
      )
      const count = comparePairs(`asleep ${n}`, predictGroups(sleepy), groups)
      expect(count.wrongHigh).toEqual([])
      expect(count.wrongHighGroups).toEqual([])
    }
  })

  it('the hardware keeps what its groups claim', () => {
    const machine = readMachine('hp-dl360g9-vgpu')
    const devices = machine.devices.map(withConfigFacts)
    const ids = [...new Set(machine.groups.values())]
    const groups = ids.map((id) => ({
      id: Number(id),
      devices: [...machine.groups].filter(([, g]) => g === id).map(([address]) => address),
    }))
    const judged = judgeIsolation(devices, groups, { control: 'as-read' })
    expect(judged.map((j) => j.isolated)).toEqual(groups.map(() => 'yes'))
  })

  it('resets: what the kernel lists less what would be refused, and the same predicted from configuration space', () => {
    const devices = readMachine('hp-dl360g9-vgpu').devices.map(withConfigFacts)
    const stated = findTopology(devices)
    const predicted = findTopology(devices.map(({ resetMethods: _stated, ...device }) => device))
    for (const { address, resetMethods } of devices) {
      if (!resetMethods) continue
      expect([address, judgeReset(predicted, address)?.usable]).toEqual([
        address,
        judgeReset(stated, address)?.usable,
      ])
    }
    expect(judgeReset(stated, at('04:00.0'))).toMatchObject({ class: 'function', usable: ['flr', 'pm'] })
    expect(judgeReset(stated, at('01:00.0'))).toMatchObject({
      class: 'together',
      usable: [],
      notes: [{ kind: 'misleadingBus' }],
    })
    expect(judgeReset(stated, at('03:00.0'))).toMatchObject({ class: 'bus', usable: ['bus'], notes: [] })
  })

  it('places: one for each function, virtual ones under their physical function', () => {
    const topology = findTopology(readMachine('hp-dl360g9-vgpu').devices.map(withConfigFacts))
    const paths = findPaths(topology)
    expect(new Set(paths.values()).size).toBe(226)
    expect(paths.get(at('08:00.5'))).toBe('0000:00/03.0/00.0/vf1')
    expect(paths.get(at('04:00.1'))).toBe('0000:00/02.2/00.1')
    // Reading the same tree as a Host gives the same places.
    const item = corpusItems().find((one) => one.id === 'hp-dl360g9-vgpu/sysfs.tar.gz')!
    const reading = readItem(item)
    const read = reading.ok ? reading.host.devices : []
    expect(new Map(read.map((d) => [d.address, d.path]))).toEqual(paths)
  })

  it.each([
    'pciutils-asus-p6t6',
    'pciutils-pcix-domains',
    'hwloc-dell-dcs8000z-mic',
    'hwloc-40intel64-pcilocality',
    'unmatched-riscv-hex',
    'ghw-arm64',
  ])('%s has no groups to compare with: each function is in exactly one predicted group or in none', (id) => {
    const { devices } = readMachine(id)
    const members = predictGroups(devices).flatMap((group) => group.devices)
    expect(new Set(members).size).toBe(members.length)
    expect(members.length).toBeGreaterThan(0)
  })
})
