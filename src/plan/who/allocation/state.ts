/** The search's board: who owns what so far, changed and changed back one move at a time. */
import type { Prepared } from './problem.ts'

export type State = {
  readonly prepared: Prepared
  /** Supply of each demand, -1 while open. */
  readonly chosen: Int32Array
  readonly used: Uint8Array
  /** VM of each unit, -1 while nobody's. */
  readonly owner: Int32Array
  /** Functions of a unit in use, and units of a block owned. */
  readonly usedInUnit: Int32Array
  readonly ownedInBlock: Int32Array
  /** Blocks with an owned unit or a bound word, in the order they were touched. */
  readonly touched: Set<number>
  readonly cardOfWord: Int32Array
  readonly slotOfWord: Int32Array
  readonly wordOfCard: Int32Array
  readonly wordOfSlot: Int32Array
  /** Functions per group that are unused and not lost to a finished VM. */
  readonly freeInGroup: Int32Array
  /** NUMA node a VM is bound to: -1 open. Only for VMs that demand one node. */
  readonly nodeOfVm: Int32Array
}

export type Move = {
  readonly demand: number
  readonly supply: number
  readonly tookUnit: boolean
  readonly boundCard: boolean
  readonly boundSlot: boolean
  readonly boundNode: boolean
  readonly touchedBlock: boolean
}

export function emptyState(prepared: Prepared): State {
  const { problem } = prepared
  const filled = (length: number) => new Int32Array(length).fill(-1)
  const freeInGroup = new Int32Array(prepared.groupCount)
  for (const group of prepared.groupOf) freeInGroup[group] = (freeInGroup[group] ?? 0) + 1
  return {
    prepared,
    chosen: filled(problem.demands.length),
    used: new Uint8Array(problem.supplies.length),
    owner: filled(prepared.unitMembers.length),
    usedInUnit: new Int32Array(prepared.unitMembers.length),
    ownedInBlock: new Int32Array(prepared.blockUnits.length),
    touched: new Set(),
    cardOfWord: filled(prepared.wordCount),
    slotOfWord: filled(prepared.wordCount),
    wordOfCard: filled(prepared.cardCount),
    wordOfSlot: filled(prepared.slotCount),
    freeInGroup,
    nodeOfVm: filled(prepared.vmCount),
  }
}

export function unitOf(prepared: Prepared, supply: number): number {
  return prepared.problem.supplies[supply]?.unit ?? -1
}

/** A node is known and counts only from 0 up; -1 is the kernel's "no such knowledge". */
export function nodeOf(prepared: Prepared, supply: number): number {
  return prepared.problem.supplies[supply]?.numaNode ?? -1
}

export function canTake(state: State, demand: number, supply: number): boolean {
  const { prepared } = state
  if (state.used[supply] === 1) return false
  const vm = prepared.vmOf[demand] ?? -1
  const owner = state.owner[unitOf(prepared, supply)] ?? -1
  if (owner !== -1 && owner !== vm) return false
  const node = nodeOf(prepared, supply)
  if (
    isOneNode(prepared, demand) &&
    node !== -1 &&
    (state.nodeOfVm[vm] ?? -1) !== -1 &&
    state.nodeOfVm[vm] !== node
  )
    return false
  return (
    agrees(
      prepared.cardWordOf[demand] ?? -1,
      prepared.cardOf[supply] ?? -1,
      state.cardOfWord,
      state.wordOfCard,
    ) &&
    agrees(
      prepared.pairWordOf[demand] ?? -1,
      prepared.slotOf[supply] ?? -1,
      state.slotOfWord,
      state.wordOfSlot,
    )
  )
}

function agrees(word: number, thing: number, thingOfWord: Int32Array, wordOfThing: Int32Array): boolean {
  if (word === -1) return true
  const bound = thingOfWord[word] ?? -1
  return bound === -1 ? (wordOfThing[thing] ?? -1) === -1 : bound === thing
}

function isOneNode(prepared: Prepared, demand: number): boolean {
  return prepared.problem.oneNumaNode?.has(prepared.problem.demands[demand]?.vm ?? '') ?? false
}

export function take(state: State, demand: number, supply: number): Move {
  const { prepared } = state
  const unit = unitOf(prepared, supply)
  const block = prepared.unitBlock[unit] ?? -1
  const vm = prepared.vmOf[demand] ?? -1
  const [cardWord, pairWord] = [prepared.cardWordOf[demand] ?? -1, prepared.pairWordOf[demand] ?? -1]
  const [card, slot, node] = [
    prepared.cardOf[supply] ?? -1,
    prepared.slotOf[supply] ?? -1,
    nodeOf(prepared, supply),
  ]
  const move: Move = {
    demand,
    supply,
    tookUnit: state.owner[unit] === -1,
    boundCard: cardWord !== -1 && state.cardOfWord[cardWord] === -1,
    boundSlot: pairWord !== -1 && state.slotOfWord[pairWord] === -1,
    boundNode: isOneNode(prepared, demand) && node !== -1 && state.nodeOfVm[vm] === -1,
    touchedBlock: !state.touched.has(block),
  }
  state.chosen[demand] = supply
  state.used[supply] = 1
  add(state.usedInUnit, unit, 1)
  add(state.freeInGroup, prepared.groupOf[supply] ?? -1, -1)
  if (move.tookUnit) {
    state.owner[unit] = vm
    add(state.ownedInBlock, block, 1)
  }
  if (move.boundCard) [state.cardOfWord[cardWord], state.wordOfCard[card]] = [card, cardWord]
  if (move.boundSlot) [state.slotOfWord[pairWord], state.wordOfSlot[slot]] = [slot, pairWord]
  if (move.boundNode) state.nodeOfVm[vm] = node
  if (move.touchedBlock) state.touched.add(block)
  return move
}

export function takeBack(state: State, move: Move): void {
  const { prepared } = state
  const { demand, supply } = move
  const unit = unitOf(prepared, supply)
  const block = prepared.unitBlock[unit] ?? -1
  state.chosen[demand] = -1
  state.used[supply] = 0
  add(state.usedInUnit, unit, -1)
  add(state.freeInGroup, prepared.groupOf[supply] ?? -1, 1)
  if (move.tookUnit) {
    state.owner[unit] = -1
    add(state.ownedInBlock, block, -1)
  }
  if (move.boundCard) {
    state.cardOfWord[prepared.cardWordOf[demand] ?? -1] = -1
    state.wordOfCard[prepared.cardOf[supply] ?? -1] = -1
  }
  if (move.boundSlot) {
    state.slotOfWord[prepared.pairWordOf[demand] ?? -1] = -1
    state.wordOfSlot[prepared.slotOf[supply] ?? -1] = -1
  }
  if (move.boundNode) state.nodeOfVm[prepared.vmOf[demand] ?? -1] = -1
  if (move.touchedBlock) state.touched.delete(block)
}

/** What a finished VM leaves unused in its units is lost to the others; `by` is -1, and 1 to give it back. */
export function settleLeftovers(state: State, vm: number, by: 1 | -1): void {
  const { prepared } = state
  for (const block of state.touched)
    for (const unit of prepared.blockUnits[block] ?? []) {
      if (state.owner[unit] !== vm) continue
      for (const supply of prepared.unitMembers[unit] ?? [])
        if (state.used[supply] === 0) add(state.freeInGroup, prepared.groupOf[supply] ?? -1, by)
    }
}

/**
 * What the owned units cost, the worst first: what is taken last, functions nobody asked for, cards broken
 * into, nodes crossed, drawbacks. 9, 13, 12, 9 and 9 bits: a spec has 256 roles at most, and a number holds
 * 53.
 */
export function costOf(state: State, vmsDone: number): number {
  const { prepared } = state
  let along = 0
  let drawbacks = 0
  let last = 0
  const cards = new Set<number>()
  const nodes = new Set<string>()
  for (const block of state.touched)
    for (const unit of prepared.blockUnits[block] ?? []) {
      const vm = state.owner[unit] ?? -1
      if (vm === -1) continue
      const members = prepared.unitMembers[unit] ?? []
      if (vm < vmsDone) along += members.length - (state.usedInUnit[unit] ?? 0)
      for (const supply of members) {
        cards.add(prepared.cardOf[supply] ?? -1)
        if (state.used[supply] !== 1) continue
        if (prepared.problem.supplies[supply]?.caution) drawbacks++
        if (prepared.problem.supplies[supply]?.last) last++
        const node = nodeOf(prepared, supply)
        if (node !== -1) nodes.add(`${vm} ${node}`)
      }
    }
  return (((last * 8192 + along) * 4096 + cards.size) * 512 + nodes.size) * 512 + drawbacks
}

export function add(array: Int32Array, index: number, by: number): void {
  array[index] = (array[index] ?? 0) + by
}
