/**
 * Failing closed, for the network: random stacks from a need down to ports, one fact gone. HANDOVER_SEED chooses the
 * machines, HANDOVER_STACKS how many there are (the long run: 10000).
 */
import { describe, expect, it } from 'vitest'
import { tell, wrongWithAll, wrongWithout, type Tally } from '../../support/stacks/network-trials.ts'

const seed = Number(process.env['HANDOVER_SEED'] ?? 1)
const count = Number(process.env['HANDOVER_STACKS'] ?? 250)

function print(tally: Tally): void {
  const lines = [...tally].flatMap(([group, names]) => [
    `${group}:`,
    ...[...names]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, times]) => `  ${String(times).padStart(6)} ${name}`),
  ])
  console.log(`network stacks, seed ${seed}, ${count} machines\n${lines.join('\n')}`)
}

describe('a machine whose host stands on a stack of interfaces', () => {
  const tally: Tally = new Map()

  it('holds nothing unknown when everything is there, and gives away no function that carries the need', () => {
    expect(wrongWithAll({ seed, count, tally }).slice(0, 20)).toEqual([])
  })

  it('gives away no function that could carry the need when one fact is gone', () => {
    expect(wrongWithout({ seed, count, tally }).slice(0, 20)).toEqual([])
  })

  it('is tried in every kind', () => {
    print(tally)
    if (count < 10_000) return
    for (const group of ['need', 'layer', 'taken away'])
      for (const [name, times] of tally.get(group) ?? [])
        expect.soft(times, `${group} ${name}`).toBeGreaterThanOrEqual(200)
    tell(tally, 'checked', 'all')
  })
})
