import { describe, expect, it } from 'vitest'
import { computeSavings } from '../../../src/plan/outlook/savings.ts'

describe('savings', () => {
  const given = {
    pricePerKWh: 0.3,
    host: { watts: 20, purchase: 700 },
    replaced: [
      { name: 'router', watts: 10, purchase: 200 },
      { name: 'nas', watts: 50, hoursPerDay: 12, purchase: 400 },
    ],
  }

  it('are watts times hours times price, and purchases', () => {
    const result = computeSavings(given)
    expect(result.replaced.map((box) => box.kWhPerYear)).toEqual([87.66, 219.15])
    expect(result.host.costPerYear).toBeCloseTo(52.596, 6)
    expect(result.perYear).toBeCloseTo((87.66 + 219.15) * 0.3 - 52.596, 6)
    expect(result.overYears).toBeCloseTo((result.perYear ?? 0) * 5 - 100, 6)
    expect(result.paidBackAfterYears).toBeCloseTo(100 / (result.perYear ?? 1), 6)
    expect(result.toMeasure).toEqual([])
  })

  it('invent nothing: without figures they say what to measure', () => {
    const result = computeSavings(undefined)
    expect(result).toMatchObject({ perYear: null, overYears: null, paidBackAfterYears: null, replaced: [] })
    expect(result.host).toEqual({
      name: 'this host',
      watts: null,
      kWhPerYear: null,
      costPerYear: null,
      purchase: null,
    })
    expect(result.toMeasure.length).toBe(4)
  })

  it.each([
    ['one box without watts', { ...given, replaced: [{ name: 'router' }] }, 'watts of router'],
    ['no price', { host: given.host, replaced: given.replaced }, 'savings: price'],
    ['no watts of this host', { ...given, host: { purchase: 1 } }, 'watts of this host'],
  ])('stay unknown with %s', (_, figures, missing) => {
    const result = computeSavings(figures)
    expect(result.perYear).toBeNull()
    expect(result.toMeasure.some((line) => line.startsWith(missing))).toBe(true)
  })

  it('never pay back what draws more', () => {
    expect(computeSavings({ ...given, host: { watts: 400, purchase: 700 } }).paidBackAfterYears).toBeNull()
  })
})
