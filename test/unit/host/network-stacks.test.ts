/**
 * Failing closed, for the network: random stacks from a need down to ports, one fact gone (docs/testing.md).
 * HANDOVER_SEED chooses the machines, HANDOVER_STACKS how many there are.
 */
import { describe, expect, it } from 'vitest'
import { wrongWithAll, wrongWithout, type Tally } from '../../support/stacks/network-trials.ts'

const seed = Number(process.env['HANDOVER_SEED'] ?? 1)
const count = Number(process.env['HANDOVER_STACKS'] ?? 250)

/** Of many machines every kind comes up often. */
const longRun = 10_000
const patience = Math.max(120_000, count * 200)

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

  it(
    'holds nothing unknown when everything is there, and gives away no function that carries the need',
    () => {
      expect(wrongWithAll({ seed, count, tally }).slice(0, 20)).toEqual([])
    },
    patience,
  )

  it(
    'gives away no function that could carry the need when one fact is gone',
    () => {
      expect(wrongWithout({ seed, count, tally }).slice(0, 20)).toEqual([])
    },
    patience,
  )

  it('is tried in every kind', () => {
    print(tally)
    if (count < longRun) return
    for (const group of ['need', 'layer', 'taken away'])
      for (const [name, times] of tally.get(group) ?? [])
        expect.soft(times, `${group} ${name}`).toBeGreaterThanOrEqual(200)
  })
})
