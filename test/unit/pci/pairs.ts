/**
 * Compares a predicted partition with the kernel's, pair by pair: two functions are in one group or they are
 * not. Only functions that have a group in the kernel's list count.
 */
import type { PciAddress } from '../../../src/pci/address.ts'
import type { PredictedGroup } from '../../../src/pci/predict-groups.ts'

export type PairCount = {
  readonly machine: string
  readonly functions: number
  readonly pairs: number
  readonly right: number
  /** Pairs of which both functions are in a `high` group, and how many of those are wrong. */
  readonly highPairs: number
  readonly wrongHigh: readonly string[]
  readonly wrongLow: number
  /** Functions in `high` groups. */
  readonly highFunctions: number
  /** `high` groups that are not, member for member, a group of the kernel's. */
  readonly wrongHighGroups: readonly string[]
}

export function comparePairs(
  machine: string,
  predicted: readonly PredictedGroup[],
  actual: ReadonlyMap<PciAddress, string>,
): PairCount {
  const groupOf = new Map<PciAddress, number>()
  const isHigh = new Map<PciAddress, boolean>()
  predicted.forEach((group, id) => {
    for (const address of group.devices) {
      groupOf.set(address, id)
      isHigh.set(address, group.confidence === 'high')
    }
  })
  const addresses = [...actual.keys()].filter((a) => groupOf.has(a))
  let [pairs, right, highPairs, wrongLow] = [0, 0, 0, 0]
  const wrongHigh: string[] = []
  for (const [i, a] of addresses.entries()) {
    for (const b of addresses.slice(i + 1)) {
      pairs += 1
      const matches = (groupOf.get(a) === groupOf.get(b)) === (actual.get(a) === actual.get(b))
      // A pair is claimed for certain as soon as one of its two groups is.
      const high = isHigh.get(a) === true || isHigh.get(b) === true
      if (high) highPairs += 1
      if (matches) right += 1
      else if (high) wrongHigh.push(`${a} ${b}`)
      else wrongLow += 1
    }
  }
  const wrongHighGroups = predicted
    .filter((group) => group.confidence === 'high')
    .filter((group) => {
      const ids = new Set(group.devices.map((d) => actual.get(d)))
      const id = actual.get(group.devices[0]!)
      const size = [...actual.values()].filter((v) => v === id).length
      return ids.size !== 1 || id === undefined || size !== group.devices.length
    })
    .map((group) => group.devices.join(' '))
  return {
    machine,
    functions: addresses.length,
    pairs,
    right,
    highPairs,
    wrongHigh,
    wrongLow,
    highFunctions: addresses.filter((a) => isHigh.get(a)).length,
    wrongHighGroups,
  }
}

export function renderPairs(counts: readonly PairCount[]): string {
  const rows = counts.map((c) => [
    c.machine,
    String(c.functions),
    String(c.pairs),
    String(c.right),
    String(c.wrongLow),
    String(c.highFunctions),
    String(c.wrongHigh.length),
  ])
  const head = ['machine', 'functions', 'pairs', 'right', 'wrong (low)', 'functions high', 'wrong (high)']
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => r[i]?.length ?? 0)))
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')).join('\n')
}
