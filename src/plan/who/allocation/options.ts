/**
 * What a demand may take at this point of the search, the preferred first, without repeating interchangeable
 * ones.
 */
import type { Prepared } from './problem.ts'
import { canTake, nodeOf, unitOf, type State } from './state.ts'

/**
 * Preference: nothing that is taken last, what the VM already holds, little to take along, few cards broken
 * into, one NUMA node, no drawback, the lowest address.
 */
export function sortedOptions(
  state: State,
  demand: number,
  order: readonly number[],
  position: number,
): number[] {
  const found = distinctOptions(state, demand)
  const kept = dropDominated(state, demand, found, order, position)
  if (kept.length < 2) return kept
  const later = laterOfVm(state.prepared, demand, order, position)
  const ranked = kept.map((supply) => ({ supply, rank: rankOf(state, demand, supply, later) }))
  ranked.sort((a, b) => compareRanks(a.rank, b.rank) || a.supply - b.supply)
  return ranked.map(({ supply }) => supply)
}

function distinctOptions(state: State, demand: number): number[] {
  const { prepared } = state
  const cls = prepared.classOf[demand] ?? -1
  const inBlock = prepared.classBlocks[cls]
  const found: number[] = []
  const seen = new Set<string>()
  const look = (block: number) => {
    for (const supply of inBlock?.get(block) ?? []) {
      if (!canTake(state, demand, supply)) continue
      const unit = unitOf(prepared, supply)
      const nobodys = state.owner[unit] === -1
      const key =
        `${block} ${nobodys ? `shape ${prepared.unitShape[unit] ?? 0}` : unit} ` +
        `${prepared.cardOf[supply] ?? 0} ${prepared.slotOf[supply] ?? 0} ` +
        (prepared.signatureOf[supply] ?? 0)
      if (seen.has(key)) continue
      seen.add(key)
      found.push(supply)
    }
  }
  for (const block of state.touched) look(block)
  for (const type of prepared.classTypes[cls] ?? []) {
    const first = prepared.blocksOfType[type]?.find((block) => !state.touched.has(block))
    if (first !== undefined) look(first)
  }
  return found
}

/**
 * A unit of nobody's is no better than an equal function the VM already holds, unless a card or pair word
 * still has a say.
 */
function dropDominated(
  state: State,
  demand: number,
  found: readonly number[],
  order: readonly number[],
  position: number,
): number[] {
  const { prepared } = state
  const owned = new Set(
    found.filter((s) => state.owner[unitOf(prepared, s)] !== -1).map((s) => prepared.signatureOf[s]),
  )
  if (owned.size === 0) return [...found]
  if (
    laterOfVm(prepared, demand, order, position - 1).some(
      (d) => prepared.cardWordOf[d] !== -1 || prepared.pairWordOf[d] !== -1,
    )
  )
    return [...found]
  return found.filter((s) => state.owner[unitOf(prepared, s)] !== -1 || !owned.has(prepared.signatureOf[s]))
}

/** The demands of the same VM that come after `position`. */
function laterOfVm(prepared: Prepared, demand: number, order: readonly number[], position: number): number[] {
  const vm = prepared.vmOf[demand]
  const later: number[] = []
  for (let i = position + 1; i < order.length && prepared.vmOf[order[i] ?? -1] === vm; i++)
    later.push(order[i] ?? -1)
  return later
}

function rankOf(state: State, demand: number, supply: number, later: readonly number[]): readonly number[] {
  const { prepared } = state
  const unit = unitOf(prepared, supply)
  const block = prepared.unitBlock[unit] ?? -1
  const members = prepared.unitMembers[unit] ?? []
  const held = state.owner[unit] !== -1
  const serves =
    1 +
    Math.min(
      members.length - 1,
      later.filter(
        (d) =>
          prepared.classBlocks[prepared.classOf[d] ?? -1]
            ?.get(block)
            ?.some((s) => s !== supply && members.includes(s)) ?? false,
      ).length,
    )
  const card = prepared.cardOf[supply]
  const ownCard = (prepared.blockUnits[block] ?? []).some(
    (other) =>
      state.owner[other] === prepared.vmOf[demand] &&
      (prepared.unitMembers[other] ?? []).some((s) => prepared.cardOf[s] === card),
  )
  return [
    prepared.problem.supplies[supply]?.last ? 1 : 0,
    held ? 0 : 1,
    held ? 0 : members.length - serves,
    held ? 0 : -serves,
    held ? 0 : wantedBy(prepared, members),
    ownCard ? 0 : state.touched.has(block) ? 1 : 2,
    prepared.blockUnits[block]?.length ?? 0,
    isFarNode(state, demand, supply) ? 1 : 0,
    prepared.problem.supplies[supply]?.caution ? 1 : 0,
  ]
}

/** How many kinds of demand could use something of the unit: what others ask for by name is taken last. */
function wantedBy(prepared: Prepared, members: readonly number[]): number {
  let most = 0
  for (const supply of members) most = Math.max(most, prepared.popularityOf[supply] ?? 0)
  return most
}

/** True when the VM holds something on another node already. */
function isFarNode(state: State, demand: number, supply: number): boolean {
  const { prepared } = state
  const node = nodeOf(prepared, supply)
  if (node === -1) return false
  for (const block of state.touched)
    for (const unit of prepared.blockUnits[block] ?? []) {
      if (state.owner[unit] !== prepared.vmOf[demand]) continue
      for (const other of prepared.unitMembers[unit] ?? [])
        if (state.used[other] === 1 && nodeOf(prepared, other) !== -1) return nodeOf(prepared, other) !== node
    }
  return false
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
