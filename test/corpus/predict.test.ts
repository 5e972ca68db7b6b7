/**
 * Groups foretold from configuration space (or `lspci -vvv` as root) beside the kernel's own, for every machine of the corpus
 * that has both. A pair of functions is right when both sides agree on whether they share a group. A wrong pair inside groups
 * of high confidence fails.
 */
import { expect, test } from 'vitest'
import type { PciAddress } from '../../src/pci/address.ts'
import { predictGroups, type PredictedGroup } from '../../src/pci/predict-groups.ts'
import type { Host } from '../../src/host/host.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

type Row = {
  readonly id: string
  readonly functions: number
  readonly pairs: number
  readonly right: number
  readonly high: number
  readonly wrongHigh: readonly string[]
}

/** Full configuration space, or every capability in words, for all but a few functions. */
function isFull(host: Host): boolean {
  const seen = host.devices.filter((d) => d.facts?.depth === 'extended').length
  return host.groups.length > 0 && seen >= host.devices.length * 0.3
}

function compare(id: string, host: Host): Row {
  const predicted = predictGroups(host.devices, {
    ...(host.kernel.release === undefined ? {} : { kernelRelease: host.kernel.release }),
    ...(host.kernel.cmdline === undefined ? {} : { cmdline: host.kernel.cmdline }),
    ...(host.iommu.dmar === undefined ? {} : { dmar: host.iommu.dmar }),
    ...(host.iommu.ivrs === undefined ? {} : { ivrs: host.iommu.ivrs }),
  })
  const groupOf = new Map<PciAddress, PredictedGroup>()
  for (const group of predicted) for (const address of group.devices) groupOf.set(address, group)
  const members = host.devices.filter((d) => typeof d.iommuGroup === 'number' && groupOf.has(d.address))
  let [pairs, right, high] = [0, 0, 0]
  const wrongHigh: string[] = []
  for (const [index, a] of members.entries()) {
    for (const b of members.slice(index + 1)) {
      const [x, y] = [groupOf.get(a.address), groupOf.get(b.address)]
      const isRight = (x === y) === (a.iommuGroup === b.iommuGroup)
      const isHigh = x?.confidence === 'high' && y?.confidence === 'high'
      pairs += 1
      if (isRight) right += 1
      if (isHigh) high += 1
      if (isHigh && !isRight) wrongHigh.push(`${a.address}+${b.address}`)
    }
  }
  return { id, functions: members.length, pairs, right, high, wrongHigh }
}

test.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'foretold groups equal the kernel’s wherever they are certain (needs ../shared/corpus)',
  () => {
    const rows: Row[] = []
    for (const item of corpusItems()) {
      const reading = readItem(item)
      if (reading.ok && isFull(reading.host)) rows.push(compare(item.id, reading.host))
    }
    const line = (...cells: readonly (string | number)[]) =>
      cells.map((cell, i) => (i === 0 ? String(cell).padEnd(36) : String(cell).padStart(10))).join('')
    console.log(
      [
        line('machine', 'functions', 'pairs', 'right', 'wrong', 'high', 'wrong high'),
        ...rows.map((r) => line(r.id, r.functions, r.pairs, r.right, r.pairs - r.right, r.high, r.wrongHigh.length)),
      ].join('\n'),
    )
    expect(rows.flatMap((r) => r.wrongHigh.map((pair) => `${r.id} ${pair}`))).toEqual([])
    expect(rows.length).toBeGreaterThan(8)
    const [pairs, right] = [rows.reduce((n, r) => n + r.pairs, 0), rows.reduce((n, r) => n + r.right, 0)]
    expect(right / pairs).toBeGreaterThan(0.95)
  },
)
