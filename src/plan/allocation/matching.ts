/**
 * The relaxation that prunes the search: every demand gets some function of its own, units and who owns them forgotten.
 * When even that is impossible, the demands reached by the failed search are too many for what they can have (Hall).
 */
import type { Prepared } from './problem.ts'

/** What is free now: functions per group, and which card or slot a word means (-1 when it means none yet). */
export type Free = {
  readonly freeInGroup: Int32Array
  readonly cardOfWord: Int32Array
  readonly slotOfWord: Int32Array
}

/** `undefined` when all can be matched; else a set of demands of which every smaller part can be. */
export function findHallSet(prepared: Prepared, demands: readonly number[], free: Free): number[] | undefined {
  const matched: number[][] = Array.from({ length: prepared.groupCount }, () => [])
  const visited = new Int32Array(prepared.groupCount)
  const nextFree = new Map<number, number>()
  let round = 0
  for (const demand of demands) {
    round++
    if (!augment(prepared, { demand, free, matched, visited, round, nextFree })) {
      const reached = new Set([demand])
      visited.forEach((mark, group) => {
        if (mark === round) for (const other of matched[group] ?? []) reached.add(other)
      })
      return [...reached].toSorted((a, b) => a - b)
    }
  }
  return undefined
}

type Round = {
  readonly demand: number
  readonly free: Free
  readonly matched: number[][]
  readonly visited: Int32Array
  readonly round: number
  /** Where the groups of a class stop being full, for classes without words: matching never frees a group again. */
  readonly nextFree: Map<number, number>
}

function augment(prepared: Prepared, at: Round): boolean {
  const groups = groupsFor(prepared, at.demand, at.free)
  const { matched, visited, round, free } = at
  const isFree = (group: number) => (matched[group]?.length ?? 0) < (free.freeInGroup[group] ?? 0)
  const wordless = prepared.cardWordOf[at.demand] === -1 && prepared.pairWordOf[at.demand] === -1
  const cls = prepared.classOf[at.demand] ?? -1
  for (let i = wordless ? (at.nextFree.get(cls) ?? 0) : 0; i < groups.length; i++) {
    const group = groups[i] ?? -1
    if (isFree(group)) {
      matched[group]?.push(at.demand)
      return true
    }
    if (wordless) at.nextFree.set(cls, i + 1)
  }
  for (const group of groups) {
    if (visited[group] === round) continue
    visited[group] = round
    const holders = matched[group] ?? []
    for (let i = 0; i < holders.length; i++) {
      const holder = holders[i]
      if (holder === undefined || !augment(prepared, { ...at, demand: holder })) continue
      holders[i] = at.demand
      return true
    }
  }
  return false
}

function groupsFor(prepared: Prepared, demand: number, free: Free): readonly number[] {
  const groups = prepared.classGroups[prepared.classOf[demand] ?? -1] ?? []
  const card = free.cardOfWord[prepared.cardWordOf[demand] ?? -1] ?? -1
  const slot = free.slotOfWord[prepared.pairWordOf[demand] ?? -1] ?? -1
  if (card === -1 && slot === -1) return groups
  return groups.filter(
    (group) =>
      (card === -1 || prepared.groupCard[group] === card) && (slot === -1 || prepared.groupSlot[group] === slot),
  )
}
