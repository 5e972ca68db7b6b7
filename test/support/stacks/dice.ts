/** Chance that can be repeated: one number of a seed decides everything (mulberry32). */
export type Dice = {
  /** 0 up to, and without, `below`. */
  readonly roll: (below: number) => number
  readonly pick: <T>(from: readonly T[]) => T
  readonly shuffle: <T>(from: readonly T[]) => T[]
}

export function diceOf(seed: number): Dice {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
  const roll = (below: number): number => Math.floor(next() * below)
  const pick = <T>(from: readonly T[]): T => {
    const one = from[roll(from.length)]
    if (one === undefined) throw new Error('nothing to choose from')
    return one
  }
  const shuffle = <T>(from: readonly T[]): T[] =>
    from
      .map((value) => ({ value, at: next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ value }) => value)
  return { roll, pick, shuffle }
}
