import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { allocate, type Demand, type Problem, type Supply } from '../../../src/plan/who/allocate.ts'

/** The rules once more, as plainly as they can be said. */
function isValid(
  { demands, supplies, oneNumaNode }: Problem,
  chosen: readonly number[],
  only?: readonly number[],
): boolean {
  const ownerOf = new Map<number, string>()
  const cards = new Map<string, string>()
  const nodes = new Map<string, number>()
  const used = new Set<number>()
  for (const i of only ?? demands.keys()) {
    const demand = demands[i]!
    const supply = supplies[chosen[i]!]
    if (!supply || !demand.candidates.includes(chosen[i]!) || used.has(chosen[i]!)) return false
    used.add(chosen[i]!)
    if ((ownerOf.get(supply.unit) ?? demand.vm) !== demand.vm) return false
    ownerOf.set(supply.unit, demand.vm)
    for (const [word, thing, kind] of [
      [demand.card, supply.card, 'card'],
      [demand.pair, supply.slot, 'pair'],
    ] as const) {
      if (word === undefined) continue
      if (
        (cards.get(`${kind} ${word}`) ?? thing) !== thing ||
        (cards.get(`of ${kind} ${thing}`) ?? word) !== word
      )
        return false
      cards.set(`${kind} ${word}`, thing).set(`of ${kind} ${thing}`, word)
    }
    if (oneNumaNode?.has(demand.vm) && supply.numaNode !== undefined && supply.numaNode >= 0) {
      if ((nodes.get(demand.vm) ?? supply.numaNode) !== supply.numaNode) return false
      nodes.set(demand.vm, supply.numaNode)
    }
  }
  return true
}

/** Tries everything. */
function isPossible(problem: Problem, only: readonly number[]): boolean {
  const chosen: number[] = []
  const go = (at: number): boolean => {
    const i = only[at]
    if (i === undefined) return true
    return problem.demands[i]!.candidates.some((candidate) => {
      chosen[i] = candidate
      return isValid(problem, chosen, only.slice(0, at + 1)) && go(at + 1)
    })
  }
  return go(0)
}

const hosts = fc
  .array(
    // A card: up to four functions on up to two slots, in units within the card, or one unit for the whole
    // card.
    fc.record({
      functions: fc.array(
        fc.record({
          slot: fc.nat(1),
          unit: fc.nat(2),
          numa: fc.option(fc.nat(1), { nil: undefined }),
          good: fc.nat(3),
          caution: fc.boolean(),
        }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      joined: fc.option(fc.nat(1), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((cards) => {
    const units = new Map<string, number>()
    const kinds: number[] = []
    const supplies: Supply[] = cards.flatMap(({ functions, joined }, c) =>
      functions.map(({ slot, unit, numa, good, caution }): Supply => {
        // Some cards share a group with another card, as behind a port without ACS.
        const key = joined === undefined ? `${c} ${unit}` : `joined ${joined}`
        if (!units.has(key)) units.set(key, units.size)
        kinds.push(good)
        return {
          unit: units.get(key)!,
          card: `card ${c}`,
          slot: `${c}.${slot}`,
          ...(numa === undefined ? {} : { numaNode: numa }),
          ...(caution ? { caution } : {}),
        }
      }),
    )
    return { supplies, kinds }
  })

const problems = hosts.chain(({ supplies, kinds }) =>
  fc
    .record({
      wishes: fc.array(
        fc.record({
          vm: fc.nat(2),
          // A kind (all its functions), or hand-picked functions.
          candidates: fc.oneof(fc.nat(3), fc.uniqueArray(fc.nat(supplies.length - 1), { maxLength: 3 })),
          card: fc.option(fc.nat(1), { nil: undefined, freq: 2 }),
          pair: fc.option(fc.nat(1), { nil: undefined, freq: 4 }),
          locked: fc.option(fc.nat(supplies.length - 1), { nil: undefined, freq: 3 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      oneNode: fc.uniqueArray(fc.nat(2), { maxLength: 1 }),
    })
    .map(({ wishes, oneNode }): Problem => {
      const demands = wishes
        .toSorted((a, b) => a.vm - b.vm)
        .map(({ vm, candidates, card, pair, locked }, i): Demand => {
          const list =
            typeof candidates === 'number'
              ? supplies.flatMap((_, s) => (kinds[s]! >= candidates ? [s] : []))
              : candidates.toSorted((a, b) => a - b)
          return {
            vm: `vm${vm}`,
            role: `r${i}`,
            candidates: list,
            ...(card === undefined ? {} : { card: `c${card}` }),
            ...(pair === undefined ? {} : { pair: `p${pair}` }),
            ...(locked === undefined ? {} : { locked }),
          }
        })
      return { demands, supplies, oneNumaNode: new Set(oneNode.map((vm) => `vm${vm}`)) }
    }),
)

describe('the allocator against trying everything', () => {
  it('finds a valid answer exactly when there is one, and else a conflict no smaller part of which conflicts', () => {
    let [possible, impossible] = [0, 0]
    fc.assert(
      fc.property(problems, (problem) => {
        const all = [...problem.demands.keys()]
        const result = allocate(problem)
        if (result.kind === 'found') {
          possible++
          expect(isValid(problem, result.chosen)).toBe(true)
          return
        }
        impossible++
        if (result.kind !== 'conflict') throw new Error(result.kind)
        expect(isPossible(problem, all)).toBe(false)
        expect(result.isMinimal).toBe(true)
        expect(isPossible(problem, result.demands)).toBe(false)
        for (const left of result.demands)
          expect(
            isPossible(
              problem,
              result.demands.filter((d) => d !== left),
            ),
          ).toBe(true)
      }),
      { numRuns: 2500 },
    )
    expect(Math.min(possible, impossible)).toBeGreaterThan(250)
  })

  it('says the same each time', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        expect(allocate(structuredClone(problem))).toEqual(allocate(problem))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps every locked place when they fit together', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const first = allocate(problem)
        if (first.kind !== 'found') return
        // Whatever was chosen, locking it chooses it again: nothing that works is reshuffled.
        const demands = problem.demands.map((demand, i) => ({ ...demand, locked: first.chosen[i]! }))
        expect(allocate({ ...problem, demands })).toEqual(first)
      }),
      { numRuns: 1000 },
    )
  })
})
