/**
 * The exact search: VM by VM, role by role, best option first, with everything undone on the way back. It is
 * complete: what it skips is interchangeable with, or no better than, what it tried. Failed positions are
 * remembered by their pattern, so that the same hopeless rest is not searched twice.
 */
import { findHallSet } from './matching.ts'
import { sortedOptions } from './options.ts'
import type { Prepared } from './problem.ts'
import {
  add,
  canTake,
  costOf,
  emptyState,
  settleLeftovers,
  take,
  takeBack,
  unitOf,
  type State,
} from './state.ts'

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
  /** The open demands of the VMs after each VM. */
  readonly restAfterVm: ReadonlyMap<number, readonly number[]>
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
    if (findHallSet(prepared, search.order, state) !== undefined) return { kind: 'impossible', looked: 1 }
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

function startSearch(
  prepared: Prepared,
  state: State,
  demands: readonly number[],
  options: SearchOptions,
): Search {
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
    restAfterVm: restAfterVms(prepared, order),
    left: options.budget,
    looked: 0,
    best: undefined,
    improve: options.improve ?? 0,
  }
}

function restAfterVms(prepared: Prepared, order: readonly number[]): Map<number, readonly number[]> {
  const rest = new Map<number, readonly number[]>()
  order.forEach((demand, position) => rest.set(prepared.vmOf[demand] ?? -1, order.slice(position + 1)))
  return rest
}

/**
 * True when nothing better can come of going on (the first answer is enough); false when this position is
 * exhausted.
 */
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
  if (vm === previous || position === 0) return explore(search, position)
  settleLeftovers(state, previous, -1)
  const done = explore(search, position)
  settleLeftovers(state, previous, 1)
  return done
}

function explore(search: Search, position: number): boolean {
  const { state, order } = search
  const { prepared } = state
  if (isHopeless(search, position)) return false
  const before = search.best
  const demand = order[position] ?? -1
  for (const supply of sortedOptions(state, demand, order, position)) {
    const move = take(state, demand, supply)
    const type = prepared.blockType[prepared.unitBlock[unitOf(prepared, supply)] ?? -1] ?? -1
    if (move.touchedBlock) add(search.untouched, type, -1)
    const done = (!move.tookUnit || leavesEnough(search, position)) && visit(search, position + 1)
    if (move.touchedBlock) add(search.untouched, type, 1)
    takeBack(state, move)
    if (done) return true
  }
  // Once an answer is known, "nothing here" may only mean "nothing cheaper here".
  if (before === undefined && search.best === undefined) noteFailure(search, position)
  return false
}

/**
 * Could the VMs after this one still be served from what nobody holds? Asked whenever a unit is taken from
 * them.
 */
function leavesEnough(search: Search, position: number): boolean {
  const { state, order } = search
  const vm = state.prepared.vmOf[order[position] ?? -1] ?? -1
  const later = search.restAfterVm.get(vm) ?? []
  if (later.length === 0) return true
  settleLeftovers(state, vm, -1)
  const enough = findHallSet(state.prepared, later, state) === undefined
  settleLeftovers(state, vm, 1)
  return enough
}

function reached(search: Search): boolean {
  const cost = costOf(search.state, search.state.prepared.vmCount)
  if (search.best === undefined || cost < search.best.cost) {
    if (search.best === undefined) search.left = search.improve
    search.best = { cost, chosen: [...search.state.chosen] }
  }
  return search.improve === 0
}

/** Whether this pattern of the board has failed at this position before. */
function isHopeless(search: Search, position: number): boolean {
  if (search.failed.size === 0 && search.failedCounts.size === 0) return false
  const live = liveBlocks(search, position)
  if (live.length > 0) return search.failed.has(keyOf(search, position, live))
  const known = search.failedCounts.get(position) ?? []
  return known.some((counts) => counts.every((count, type) => count >= (search.untouched[type] ?? 0)))
}

/** Notes that this pattern has failed now. Bounded: what does not fit is searched again. */
function noteFailure(search: Search, position: number): void {
  const live = liveBlocks(search, position)
  if (live.length > 0) {
    if (search.failed.size < 500_000) search.failed.add(keyOf(search, position, live))
    return
  }
  const known = search.failedCounts.get(position) ?? []
  if (known.length < 1000) search.failedCounts.set(position, [...known, search.untouched.slice()])
}

function keyOf(search: Search, position: number, live: readonly string[]): string {
  return `${position}|${search.untouched.join(',')}|${live.join(';')}`
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
