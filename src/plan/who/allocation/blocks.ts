/** Blocks of units that hang together by cards, and which of them are interchangeable. */
import { numbering } from './numbering.ts'

/** What ties functions together and distinguishes them, indexed by supply. */
export type Kinds = {
  readonly cardOf: readonly number[]
  readonly slotOf: readonly number[]
  readonly signatureOf: readonly number[]
  readonly wordy: readonly boolean[]
}

export type Blocks = {
  readonly unitBlock: readonly number[]
  readonly unitShape: readonly number[]
  readonly blockUnits: readonly (readonly number[])[]
  readonly blockType: readonly number[]
  readonly blocksOfType: readonly (readonly number[])[]
}

export function findBlocks(unitMembers: readonly (readonly number[])[], kinds: Kinds): Blocks {
  const blockUnits = unitsOfBlocks(unitMembers, kinds.cardOf)
  const unitBlock: number[] = []
  blockUnits.forEach((units, block) => units.forEach((unit) => (unitBlock[unit] = block)))
  const shapes = numbering()
  const types = numbering()
  const unitShape: number[] = []
  const blocksOfType: number[][] = []
  const blockType = blockUnits.map((units, block) => {
    const parts = shapesInBlock(units, unitMembers, kinds)
    units.forEach((unit, at) => (unitShape[unit] = shapes.number(parts[at] ?? '')))
    const type = types.number(parts.join('|'))
    ;(blocksOfType[type] ??= []).push(block)
    return type
  })
  return { unitBlock, unitShape, blockUnits, blockType, blocksOfType }
}

/**
 * Units that hang together by their cards. A card that no word can reach ties nothing together, but a
 * preference may keep it whole, so it stays one block.
 */
function unitsOfBlocks(unitMembers: readonly (readonly number[])[], cardOf: readonly number[]): number[][] {
  const leader = unitMembers.map((_, i) => i)
  const find = (unit: number): number => {
    let top = unit
    while (leader[top] !== top) top = leader[top] ?? top
    leader[unit] = top
    return top
  }
  const firstOnCard = new Map<number, number>()
  unitMembers.forEach((members, unit) => {
    for (const supply of members) {
      const card = cardOf[supply] ?? -1
      const first = firstOnCard.get(card)
      if (first === undefined) firstOnCard.set(card, unit)
      else leader[find(unit)] = find(first)
    }
  })
  const unitsOf = new Map<number, number[]>()
  unitMembers.forEach((_, unit) => {
    const top = find(unit)
    unitsOf.set(top, [...(unitsOf.get(top) ?? []), unit])
  })
  return [...unitsOf.values()]
}

/** Cards and slots have local numbers, so that two blocks that look alike read alike. */
function shapesInBlock(
  units: readonly number[],
  unitMembers: readonly (readonly number[])[],
  { cardOf, slotOf, signatureOf, wordy }: Kinds,
): string[] {
  const cards = numbering()
  const slots = numbering()
  const shapeOf = (s: number): string =>
    [
      `${signatureOf[s] ?? 0}.${cards.number(String(cardOf[s]))}.${slots.number(String(slotOf[s]))}`,
      wordy[s] ? 'w' : '',
    ].join('')
  return units.map((unit) => (unitMembers[unit] ?? []).map(shapeOf).join(' '))
}
