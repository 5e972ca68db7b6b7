/**
 * Who gets what: all demands of all VMs against all units at once. Pure search, without words or hosts.
 * Exact: it finds an answer when there is one, always the same, the first in the order of preference.
 */

/** One role of one VM. `candidates` are indexes into the supplies, preferred first. */
export type Demand = {
  readonly vm: string
  readonly role: string
  readonly candidates: readonly number[]
  readonly card?: string
  readonly pair?: string
}

/** One function that could go. A unit goes to one VM only. */
export type Supply = { readonly unit: number; readonly card: string; readonly slot: string }

/** The index of the supply for each demand, or `undefined` when they cannot all be met. */
export function allocate(demands: readonly Demand[], supplies: readonly Supply[]): readonly number[] | undefined {
  const chosen: number[] = []
  const usedBy = new Map<number, string>()
  const used = new Set<number>()
  const cards = new Map<string, string>()
  const fits = (demand: Demand, supply: Supply): boolean => {
    const owner = usedBy.get(supply.unit)
    if (owner !== undefined && owner !== demand.vm) return false
    return agrees(cards, 'card', demand.card, supply.card) && agrees(cards, 'pair', demand.pair, supply.slot)
  }
  const search = (i: number): boolean => {
    const demand = demands[i]
    if (demand === undefined) return true
    for (const index of demand.candidates) {
      const supply = supplies[index]
      if (supply === undefined || used.has(index) || !fits(demand, supply)) continue
      const undo = [bind(usedBy, supply.unit, demand.vm)]
      if (demand.card !== undefined) undo.push(bindBoth(cards, 'card', demand.card, supply.card))
      if (demand.pair !== undefined) undo.push(bindBoth(cards, 'pair', demand.pair, supply.slot))
      used.add(index)
      chosen[i] = index
      if (search(i + 1)) return true
      used.delete(index)
      for (const back of undo.toReversed()) back()
    }
    return false
  }
  return search(0) ? chosen.slice(0, demands.length) : undefined
}

/** A word means one thing and a thing has one word of its kind. */
function agrees(bound: ReadonlyMap<string, string>, kind: string, word: string | undefined, thing: string): boolean {
  if (word === undefined) return true
  const thingOfWord = bound.get(`${kind} word ${word}`)
  const wordOfThing = bound.get(`${kind} thing ${thing}`)
  return (thingOfWord === undefined || thingOfWord === thing) && (wordOfThing === undefined || wordOfThing === word)
}

function bindBoth(bound: Map<string, string>, kind: string, word: string, thing: string): () => void {
  const undo = [bind(bound, `${kind} word ${word}`, thing), bind(bound, `${kind} thing ${thing}`, word)]
  return () => undo.forEach((back) => back())
}

function bind<K, V>(map: Map<K, V>, key: K, value: V): () => void {
  if (map.has(key)) return () => undefined
  map.set(key, value)
  return () => void map.delete(key)
}
