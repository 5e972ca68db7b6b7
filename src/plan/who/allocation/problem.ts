/**
 * The allocation problem, and what makes it small: which functions, units and cards are interchangeable.
 * Numbers only; words and hosts stay outside.
 */
import { findBlocks, type Kinds } from './blocks.ts'
import { numbering } from './numbering.ts'

/** One role of one VM. `candidates` are indexes into the supplies, ascending. */
export type Demand = {
  readonly vm: string
  readonly role: string
  readonly candidates: readonly number[]
  /** Roles with the same word share a card, other words are other cards; `pair` the same for slots. */
  readonly card?: string
  readonly pair?: string
  /** The supply it had last time: kept if that is possible at all. */
  readonly locked?: number
}

/**
 * One function, in the order of addresses. Functions nobody may have are supplies too: they count as taken
 * along.
 */
export type Supply = {
  /** Functions of one unit leave together and go to one VM. */
  readonly unit: number
  readonly card: string
  readonly slot: string
  readonly numaNode?: number
  /** Works, with a drawback. */
  readonly caution?: boolean
  /**
   * Taken only where nothing else will do: the input leaves open whether it may go, or it is hardly what was
   * meant.
   */
  readonly last?: boolean
}

export type Problem = {
  readonly demands: readonly Demand[]
  readonly supplies: readonly Supply[]
  /** VMs whose devices must all hang on one NUMA node. */
  readonly oneNumaNode?: ReadonlySet<string>
}

/**
 * The problem with everything numbered. Arrays are indexed by demand, supply, unit, card, slot, block, class
 * or group.
 */
export type Prepared = {
  readonly problem: Problem
  readonly vmOf: readonly number[]
  readonly vmCount: number
  /** Demands with the same candidates are one class. */
  readonly classOf: readonly number[]
  readonly cardWordOf: readonly number[]
  readonly pairWordOf: readonly number[]
  readonly wordCount: number
  readonly cardOf: readonly number[]
  readonly slotOf: readonly number[]
  readonly cardCount: number
  readonly slotCount: number
  readonly unitMembers: readonly (readonly number[])[]
  readonly unitBlock: readonly number[]
  /** What a function is good for, as a number: equal means interchangeable for every demand. */
  readonly signatureOf: readonly number[]
  /** Of how many classes it is a candidate. */
  readonly popularityOf: readonly number[]
  /** Units inside one block with an equal shape are interchangeable while nobody owns them. */
  readonly unitShape: readonly number[]
  /**
   * Blocks hang together by cards and units; nothing ties two blocks. Those of one type are interchangeable
   * while untouched.
   */
  readonly blockUnits: readonly (readonly number[])[]
  readonly blockType: readonly number[]
  readonly blocksOfType: readonly (readonly number[])[]
  /** Per class: the candidates in each block, and the block types that have any. */
  readonly classBlocks: readonly ReadonlyMap<number, readonly number[]>[]
  readonly classTypes: readonly (readonly number[])[]
  /** Functions of one signature on one card, for the matching. */
  readonly groupOf: readonly number[]
  readonly groupCard: readonly number[]
  readonly groupSlot: readonly number[]
  readonly groupCount: number
  readonly classGroups: readonly (readonly number[])[]
}

export function prepare(problem: Problem): Prepared {
  const { supplies } = problem
  const demands = numberDemands(problem.demands)
  const cards = numbering()
  const cardOf = supplies.map((supply) => cards.number(supply.card))
  const slots = numbering()
  const slotOf = supplies.map((supply) => slots.number(supply.slot))
  const { candidatesOfClass, classOf } = findClasses(problem.demands)
  const { signatureOf, wordy, popularityOf } = signatures(problem, classOf, candidatesOfClass)
  const unitMembers = membersOfUnits(supplies)
  const kinds: Kinds = { cardOf, slotOf, signatureOf, wordy }
  const blocks = findBlocks(unitMembers, kinds)
  const classBlocks = candidatesOfClass.map((candidates) =>
    byBlock(candidates, (supply) => blocks.unitBlock[supplies[supply]?.unit ?? -1] ?? -1),
  )
  const classTypes = classBlocks.map((inBlock) => [
    ...new Set([...inBlock.keys()].map((block) => blocks.blockType[block] ?? -1)),
  ])
  const groups = findGroups(supplies, kinds)
  const classGroups = candidatesOfClass.map((candidates) => [
    ...new Set(candidates.map((supply) => groups.groupOf[supply] ?? -1)),
  ])
  return {
    problem,
    ...demands,
    ...{ classOf, cardOf, slotOf, cardCount: cards.count(), slotCount: slots.count() },
    ...{ unitMembers, signatureOf, popularityOf },
    ...blocks,
    ...{ classBlocks, classTypes },
    ...groups,
    classGroups,
  }
}

function numberDemands(
  demands: readonly Demand[],
): Pick<Prepared, 'vmOf' | 'vmCount' | 'cardWordOf' | 'pairWordOf' | 'wordCount'> {
  const vms = numbering()
  for (const vm of constrainedFirst(demands)) vms.number(vm)
  const vmOf = demands.map((demand) => vms.number(demand.vm))
  const words = numbering()
  const wordOf = (kind: string, word: string | undefined) =>
    word === undefined ? -1 : words.number(`${kind} ${word}`)
  const cardWordOf = demands.map((demand) => wordOf('card', demand.card))
  const pairWordOf = demands.map((demand) => wordOf('pair', demand.pair))
  return { vmOf, vmCount: vms.count(), cardWordOf, pairWordOf, wordCount: words.count() }
}

function findClasses(demands: readonly Demand[]) {
  const classes = numbering()
  const candidatesOfClass: (readonly number[])[] = []
  const seen = new Map<readonly number[], number>()
  const classOf = demands.map(({ candidates }) => {
    const id = seen.get(candidates) ?? classes.number(candidates.join(' '))
    seen.set(candidates, id)
    candidatesOfClass[id] = candidates
    return id
  })
  return { candidatesOfClass, classOf }
}

function membersOfUnits(supplies: readonly Supply[]): number[][] {
  const units = supplies.reduce((most, { unit }) => Math.max(most, unit), -1) + 1
  const members: number[][] = Array.from({ length: units }, () => [])
  supplies.forEach(({ unit }, i) => members[unit]?.push(i))
  return members
}

function byBlock(candidates: readonly number[], blockOf: (supply: number) => number): Map<number, number[]> {
  const inBlock = new Map<number, number[]>()
  for (const supply of candidates) {
    const block = blockOf(supply)
    const list = inBlock.get(block)
    if (list) list.push(supply)
    else inBlock.set(block, [supply])
  }
  return inBlock
}

function findGroups(
  supplies: readonly Supply[],
  { cardOf, slotOf, signatureOf, wordy }: Kinds,
): Pick<Prepared, 'groupOf' | 'groupCard' | 'groupSlot' | 'groupCount'> {
  const groups = numbering()
  const groupCard: number[] = []
  const groupSlot: number[] = []
  const groupOf = supplies.map((_, i) => {
    const tied = wordy[i] === true
    const group = groups.number(`${signatureOf[i] ?? 0} ${tied ? `${cardOf[i] ?? 0} ${slotOf[i] ?? 0}` : ''}`)
    groupCard[group] = tied ? (cardOf[i] ?? -1) : -1
    groupSlot[group] = tied ? (slotOf[i] ?? -1) : -1
    return group
  })
  return { groupOf, groupCard, groupSlot, groupCount: groups.count() }
}

/**
 * The VM with the least choice is served first, else the order of the spec: what cannot be shows early then.
 */
function constrainedFirst(demands: readonly Demand[]): string[] {
  const choice = new Map<string, number>()
  for (const { vm, candidates } of demands)
    choice.set(vm, Math.min(choice.get(vm) ?? Infinity, candidates.length))
  return [...choice].toSorted(([, a], [, b]) => a - b).map(([vm]) => vm)
}

/**
 * Two functions with one signature are candidates of the same demands and equally good. `wordy`: a card or
 * pair word may reach it.
 */
function signatures(
  problem: Problem,
  classOf: readonly number[],
  candidatesOfClass: readonly (readonly number[])[],
) {
  const wordyClasses = new Set<number>()
  problem.demands.forEach((demand, i) => {
    if (demand.card !== undefined || demand.pair !== undefined) wordyClasses.add(classOf[i] ?? -1)
  })
  const texts = problem.supplies.map(
    ({ numaNode, caution, last }) => `${numaNode ?? ''}${caution ? '!' : ''}${last ? '?' : ''}:`,
  )
  const wordy: boolean[] = problem.supplies.map(() => false)
  const popularityOf: number[] = problem.supplies.map(() => 0)
  candidatesOfClass.forEach((candidates, id) => {
    for (const supply of candidates) {
      texts[supply] = `${texts[supply] ?? ''}${id},`
      popularityOf[supply] = (popularityOf[supply] ?? 0) + 1
      if (wordyClasses.has(id)) wordy[supply] = true
    }
  })
  const numbers = numbering()
  return { signatureOf: texts.map((text) => numbers.number(text)), wordy, popularityOf }
}
