/**
 * Whatever is taken away between a need of the host and the functions that carry it, none of them is ever
 * free; and with everything there, nothing is unknown. Random machines from support/stacks: HANDOVER_SEED
 * chooses them, HANDOVER_STACKS says how many (docs/testing.md).
 */
import { describe, expect, it } from 'vitest'
import { needKinds } from '../../support/stacks/disk-stacks.ts'
import { histogram, wrongWithAll, wrongWithout, type Tally } from '../../support/stacks/disk-trials.ts'

const seed = Number(process.env['HANDOVER_SEED'] ?? 1)
const count = Number(process.env['HANDOVER_STACKS'] ?? 300)
const tally: Tally = new Map()
const trials = { seed, count, tally }
const patience = 60_000 + count * 400

describe(`disks of ${count} machines from seed ${seed}`, () => {
  it(
    'are followed to their end, and nothing is unknown',
    () => expect(wrongWithAll(trials)).toEqual([]),
    patience,
  )

  it('are not free when one link or source is gone', () => expect(wrongWithout(trials)).toEqual([]), patience)

  it('were of every kind', () => {
    console.log(`seed ${seed}, ${count} machines\n${histogram(tally)}`)
    expect([...(tally.get('need')?.keys() ?? [])].toSorted()).toEqual([...needKinds].toSorted())
    const least = [...tally].flatMap(([group, names]) =>
      group === 'depth' || group.startsWith('taken away from') ? [] : [...names.values()],
    )
    if (count >= 10_000) expect(Math.min(...least)).toBeGreaterThanOrEqual(200)
  })
})
