/**
 * The exact search: VM by VM, role by role, best option first, with everything undone on the way back. It is complete:
 * what it skips is interchangeable with, or no better than, what it tried. Failed positions are remembered by their
 * pattern, so that the same hopeless rest is not searched twice.
 */
import { findHallSet } from './matching.ts'
import { sortedOptions } from './options.ts'
import type { Prepared } from './problem.ts'
import { add, canTake, costOf, emptyState, settleLeftovers, take, takeBack, type State } from './state.ts'

export type Outcome =
  /** `looked`: positions it took. */
  | { readonly kind: 'found'; readonly chosen: readonly number[]; readonly looked: number }
  | { readonly kind: 'impossible'; readonly looked: number }
  /** The budget ran out first: neither an answer nor a proof that there is none. */
  | { readonly kind: 'unknown'; readonly looked: number }

export type SearchOptions = {
  /** Demands already settled, as demand → supply. */
  readonly fixed?: ReadonlyMap<number, number>
  /** How many positions to look at for an answer, and then for a better one. */
  readonly budget: number
  readonly improve?: number
}

type Search = {
  readonly state: State
  readonly order: readonly number[]
  readonly failed: Set<string>
  /** Per position: counts of untouched blocks per type that were not enough. */
  readonly failedCounts: Map<number, Int32Array[]>
  readonly untouched: Int32Array
  readonly lastUseOfWord: Int32Array
  left: number
  looked: number
  best: { readonly cost: number; readonly chosen: readonly number[] } | undefined
  readonly improve: number
}

class BudgetSpent extends Error {}

/** Solves for `demands` (indexes, kept in their order, each VM's together). */
export function solve(prepared: Prepared, demands: readonly number[], options: SearchOptions): Outcome {
  const state = emptyState(prepared)
  for (const [demand, supply] of options.fixed ?? []) {
    if (!canTake(state, demand, supply)) return { kind: 'impossible', looked: 0 }
    take(state, demand, supply)
  }
  const search = startSearch(prepared, state, demands, options)
  try {
    visit(search, 0)
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error
    if (search.best === undefined) return { kind: 'unknown', looked: search.looked }
  }
  const { looked } = search
  return search.best === undefined
    ? { kind: 'impossible', looked }
    : { kind: 'found', chosen: search.best.chosen, looked }
}

function startSearch(prepared: Prepared, state: State, demands: readonly number[], options: SearchOptions): Search {
  const open = demands.filter((demand) => !options.fixed?.has(demand))
  const order = open.toSorted((a, b) => (prepared.vmOf[a] ?? 0) - (prepared.vmOf[b] ?? 0) || a - b)
  const untouched = Int32Array.from(prepared.blocksOfType, (blocks) => blocks.length)
  for (const block of state.touched) add(untouched, prepared.blockType[block] ?? -1, -1)
  const lastUseOfWord = new Int32Array(prepared.wordCount).fill(-1)
  order.forEach((demand, position) => {
    for (const word of [prepared.cardWordOf[demand] ?? -1, prepared.pairWordOf[demand] ?? -1])
      if (word !== -1) lastUseOfWord[word] = position
  })
  return {
    state,
    order,
    failed: new Set(),
    failedCounts: new Map(),
    untouched,
    lastUseOfWord,
    left: options.budget,
    looked: 0,
    best: undefined,
    improve: options.improve ?? 0,
  }
}

/** True when nothing better can come of going on (the first answer is enough); false when this position is exhausted. */
function visit(search: Search, position: number): boolean {
  const { state, order } = search
  const { prepared } = state
  search.looked++
  if (search.left-- <= 0) throw new BudgetSpent()
  const demand = order[position]
  const vm = demand === undefined ? prepared.vmCount : (prepared.vmOf[demand] ?? -1)
  if (demand === undefined) return reached(search)
  if (search.best !== undefined && costOf(state, vm) >= search.best.cost) return false
  const previous = position === 0 ? -1 : (prepared.vmOf[order[position - 1] ?? -1] ?? -1)
  const isBoundary = vm !== previous
  if (isBoundary && position > 0) settleLeftovers(state, previous, -1)
  const done = explore(search, position, isBoundary)
  if (isBoundary && position > 0) settleLeftovers(state, previous, 1)
  return done
}

function explore(search: Search, position: number, isBoundary: boolean): boolean {
  const { state, order } = search
  const memory = remember(search, position)
  if (memory.isHopeless) return false
  const before = search.best
  if (isBoundary && findHallSet(state.prepared, order.slice(position), state) !== undefined) {
    memory.fail()
    return false
  }
  const demand = order[position] ?? -1
  for (const supply of sortedOptions(state, demand, order, position)) {
    const move = take(state, demand, supply)
    const type =
      state.prepared.blockType[state.prepared.unitBlock[state.prepared.problem.supplies[supply]?.unit ?? -1] ?? -1] ??
      -1
    if (move.touchedBlock) add(search.untouched, type, -1)
    const done = visit(search, position + 1)
    if (move.touchedBlock) add(search.untouched, type, 1)
    takeBack(state, move)
    if (done) return true
  }
  // Once an answer is known, "nothing here" may only mean "nothing cheaper here".
  if (before === undefined && search.best === undefined) memory.fail()
  return false
}

function reached(search: Search): boolean {
  const cost = costOf(search.state, search.state.prepared.vmCount)
  if (search.best === undefined || cost < search.best.cost) {
    if (search.best === undefined) search.left = search.improve
    search.best = { cost, chosen: [...search.state.chosen] }
  }
  return search.improve === 0
}

/** Whether this pattern of the board has failed at this position before, and how to note that it has now. */
function remember(search: Search, position: number): { isHopeless: boolean; fail: () => void } {
  const live = liveBlocks(search, position)
  if (live.length === 0) {
    const known = search.failedCounts.get(position) ?? []
    const isHopeless = known.some((counts) => counts.every((count, type) => count >= (search.untouched[type] ?? 0)))
    const fail = () =>
      void (known.length < 1000 && search.failedCounts.set(position, [...known, search.untouched.slice()]))
    return { isHopeless, fail }
  }
  const key = `${position}|${search.untouched.join(',')}|${live.join(';')}`
  return {
    isHopeless: search.failed.has(key),
    fail: () => void (search.failed.size < 500_000 && search.failed.add(key)),
  }
}

/** The touched blocks that can still matter, each as a text of its type and what is left in it. */
function liveBlocks(search: Search, position: number): string[] {
  const { state, order } = search
  const { prepared } = state
  const vm = prepared.vmOf[order[position] ?? -1] ?? -1
  const live: string[] = []
  const node = state.nodeOfVm[vm] ?? -1
  if (node !== -1) live.push(`node ${node}`)
  for (const block of state.touched) {
    let text = ''
    let matters = false
    for (const unit of prepared.blockUnits[block] ?? []) {
      const owner = state.owner[unit] ?? -1
      if (owner !== -1 && owner < vm) {
        text += 'x'
        continue
      }
      const members = prepared.unitMembers[unit] ?? []
      matters ||= owner === -1 || (state.usedInUnit[unit] ?? 0) < members.length
      text += owner === -1 ? '.' : `${owner - vm}:${members.map((s) => state.used[s]).join('')}`
    }
    const words = boundWords(search, block, position)
    if (matters || words.areNeeded) live.push(`${prepared.blockType[block] ?? 0} ${text} ${words.text}`)
  }
  return live.toSorted()
}

/** Words bound to cards and slots of a block; one that no later demand uses only keeps other words away. */
function boundWords(search: Search, block: number, position: number): { text: string; areNeeded: boolean } {
  const { state } = search
  const { prepared } = state
  if (prepared.wordCount === 0) return { text: '', areNeeded: false }
  const words: string[] = []
  let areNeeded = false
  prepared.blockUnits[block]?.forEach((unit, u) =>
    prepared.unitMembers[unit]?.forEach((supply, s) => {
      for (const word of [
        state.wordOfCard[prepared.cardOf[supply] ?? -1] ?? -1,
        state.wordOfSlot[prepared.slotOf[supply] ?? -1] ?? -1,
      ]) {
        if (word === -1) continue
        const isNeeded = (search.lastUseOfWord[word] ?? -1) >= position
        areNeeded ||= isNeeded
        words.push(`${isNeeded ? word : '-'}@${u}.${s}`)
      }
    }),
  )
  return { text: words.join(','), areNeeded }
}
