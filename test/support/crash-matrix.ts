/**
 * Every moment at which the world can end during apply and during rollback, for given scenarios on a real
 * file tree; afterwards one `rollback` must bring every byte, mode and owner back, and leave untouched files
 * untouched.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { apply, type ApplyResult } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { AppError } from '../../src/base/errors.ts'
import { breakingDisk, type BreakingDisk, type Ending } from './breaking-disk.ts'
import type { BootScenario } from './boot-world.ts'
import { changesIn, expectAsBefore, machine, powerUp, worldsOf, type Worlds } from './crash-world.ts'
import { planOf } from './transactions.ts'

type Case = BootScenario & { readonly worlds: Worlds }

const whole = () => breakingDisk(0, { kind: 'kill' })

async function attempt<T>(run: () => Promise<T>, breaking: BreakingDisk): Promise<T | AppError | undefined> {
  try {
    return await run()
  } catch (error) {
    if (breaking.isDead()) return undefined
    if (error instanceof AppError || (error as NodeJS.ErrnoException).code !== undefined)
      return error as AppError
    throw error
  }
}

async function countCalls(scenario: Case): Promise<{ apply: number; rollback: number }> {
  const world = scenario.worlds.take()
  const first = whole()
  expect(await apply(planOf(scenario.steps), machine(world.root, first))).toMatchObject({
    outcome: 'applied',
  })
  const second = whole()
  expect(await rollback(machine(world.root, second), undefined)).toMatchObject({ outcome: 'rolled-back' })
  scenario.worlds.giveBack(world)
  return { apply: first.count(), rollback: second.count() }
}

let points = 0

async function endDuringApply(scenario: Case, at: number, ending: Ending): Promise<void> {
  const label = `${ending.kind} at ${at}`
  const { steps, worlds } = scenario
  const world = worlds.take()
  const breaking = breakingDisk(at, ending)
  await attempt(() => apply(planOf(steps), machine(world.root, breaking)), breaking)
  expect(breaking.isDead(), label).toBe(true)
  points += 1
  if (ending.kind === 'power') powerUp(world.root, steps)
  if (at % 3 === 0) {
    // Running apply again instead: it goes through, or it says that a rollback comes first.
    const again = await attempt(() => apply(planOf(steps), machine(world.root, whole())), whole())
    if (again instanceof AppError) expect(again.message, label).toContain('was interrupted half-way')
  }
  const back = await rollback(machine(world.root, whole()), undefined)
  expect(back.outcome, label).not.toBe('rollback-incomplete')
  expectAsBefore(world, steps, label)
  worlds.giveBack(world)
}

async function endDuringRollback(scenario: Case, at: number, ending: Ending): Promise<void> {
  const label = `rollback, ${ending.kind} at ${at}`
  const { steps, worlds } = scenario
  const world = worlds.take()
  await apply(planOf(steps), machine(world.root, whole()))
  const breaking = breakingDisk(at, ending)
  await attempt(() => rollback(machine(world.root, breaking), undefined), breaking)
  expect(breaking.isDead(), label).toBe(true)
  points += 1
  if (ending.kind === 'power') powerUp(world.root, steps)
  expect((await rollback(machine(world.root, whole()), undefined)).outcome, label).not.toBe(
    'rollback-incomplete',
  )
  expectAsBefore(world, steps, label)
  worlds.giveBack(world)
}

async function failDuringApply(scenario: Case, at: number, ending: Ending): Promise<void> {
  const label = `${JSON.stringify(ending)} at ${at}`
  const { steps, worlds } = scenario
  const world = worlds.take()
  const breaking = breakingDisk(at, ending)
  const result = await attempt<ApplyResult>(
    () => apply(planOf(steps), machine(world.root, breaking)),
    breaking,
  )
  points += 1
  const outcome = result !== undefined && 'outcome' in result ? result.outcome : 'stopped'
  if (outcome === 'stopped' || outcome === 'restored') {
    // "restored" was claimed: it must be true now, before anything else is run (but for a temporary file that
    // could not be removed).
    const now = changesIn(world).filter((line) => !line.includes('.handover-'))
    expect(now, `${label}: ${outcome}`).toEqual([])
  }
  if (outcome === 'not-restored') expect(result, label).toHaveProperty('leftovers.length')
  await rollback(machine(world.root, whole()), undefined)
  const left = changesIn(world)
  expect(
    left.filter((line) => !line.includes('.handover-')),
    `${label}: ${outcome}, then rolled back`,
  ).toEqual([])
  if (left.length === 0) worlds.giveBack(world)
}

/** The tests of the scenarios: the world ends at every call, or the call fails. */
export function expectCrashMatrix(scenarios: Readonly<Record<string, BootScenario>>): void {
  describe.each(Object.entries(scenarios))('an apply that %s', (_, given) => {
    const scenario = { ...given, worlds: worldsOf(given) }
    afterAll(() => scenario.worlds.end())

    it.each(['kill', 'power'] as const)('comes back whole from every %s', async (kind) => {
      const calls = await countCalls(scenario)
      for (let at = 1; at <= calls.apply; at += 1) await endDuringApply(scenario, at, { kind })
      for (let at = 1; at <= calls.rollback; at += 1) await endDuringRollback(scenario, at, { kind })
    })

    it.each([
      ['ENOSPC', true, 1],
      ['EIO', false, 2],
      ['EROFS', true, 5],
    ])(
      'says the truth about the host after %s (lasting: %s, every call in %i)',
      async (code, lasting, stride) => {
        const calls = await countCalls(scenario)
        for (let at = 1; at <= calls.apply; at += stride)
          await failDuringApply(scenario, at, { kind: 'errno', code, lasting })
      },
    )
  })

  it('had at least 1000 points', () => {
    console.log(`the crash matrix ended the world at ${points} points`)
    expect(points).toBeGreaterThanOrEqual(1000)
  })
}
