/**
 * What one box in place of several costs and saves. Nothing is invented: a number that the spec does not give
 * stays unknown, and is named as something to measure.
 */
import type { SavingsSpec } from '../../spec/spec.ts'

const daysPerYear = 365.25

export type BoxCost = {
  readonly name: string
  readonly watts: number | null
  readonly kWhPerYear: number | null
  readonly costPerYear: number | null
  readonly purchase: number | null
}

export type Savings = {
  readonly assumptions: {
    readonly hoursPerDay: number
    readonly pricePerKWh: number | null
    readonly currency: string
    readonly years: number
  }
  readonly replaced: readonly BoxCost[]
  readonly host: BoxCost
  /** Electricity of the replaced boxes minus that of this one. `null` while a figure is missing. */
  readonly perYear: number | null
  readonly overYears: number | null
  /** Years until this box has earned its price; `null` when unknown, or never. */
  readonly paidBackAfterYears: number | null
  readonly toMeasure: readonly string[]
}

const defaults = { hoursPerDay: 24, currency: 'EUR', years: 5 }

export function computeSavings(given: SavingsSpec | undefined): Savings {
  const hours = given?.hoursPerDay ?? defaults.hoursPerDay
  const price = given?.pricePerKWh ?? null
  const years = given?.years ?? defaults.years
  const cost = (
    name: string,
    box: { readonly watts?: number; readonly hoursPerDay?: number; readonly purchase?: number } | undefined,
  ): BoxCost => {
    const watts = box?.watts ?? null
    const kWhPerYear = watts === null ? null : (watts * (box?.hoursPerDay ?? hours) * daysPerYear) / 1000
    const costPerYear = kWhPerYear === null || price === null ? null : kWhPerYear * price
    return { name, watts, kWhPerYear, costPerYear, purchase: box?.purchase ?? null }
  }
  const replaced = (given?.replaced ?? []).map((box) => cost(box.name, box))
  const host = cost('this host', given?.host)
  const before = replaced.length === 0 ? null : sum(replaced.map((box) => box.costPerYear))
  const perYear = before === null || host.costPerYear === null ? null : before - host.costPerYear
  const notBought = sum(replaced.map((box) => box.purchase ?? 0)) ?? 0
  const spent = host.purchase === null ? null : host.purchase - notBought
  return {
    assumptions: {
      hoursPerDay: hours,
      pricePerKWh: price,
      currency: given?.currency ?? defaults.currency,
      years,
    },
    replaced,
    host,
    perYear,
    overYears: perYear === null || spent === null ? null : perYear * years - spent,
    paidBackAfterYears:
      perYear === null || spent === null || (perYear <= 0 && spent > 0)
        ? null
        : Math.max(0, spent) / perYear || 0,
    toMeasure: toMeasure(given),
  }
}

/** What to find out, each with how. */
function toMeasure(given: SavingsSpec | undefined): string[] {
  const missing: string[] = []
  if (given?.pricePerKWh === undefined)
    missing.push('savings: price — what a kilowatt-hour costs you (your electricity bill)')
  if ((given?.replaced ?? []).length === 0)
    missing.push('savings: replaced — the boxes this host stands for, each with its watts')
  for (const box of given?.replaced ?? [])
    if (box.watts === undefined) missing.push(`watts of ${box.name} — a plug-in meter, over a usual day`)
  if (given?.host?.watts === undefined)
    missing.push('watts of this host — a plug-in meter, over a usual day with its VMs running')
  if (given?.host?.purchase === undefined)
    missing.push('purchase of this host — what you paid for it (0 when you had it anyway)')
  return missing
}

/** `null` as soon as one is unknown. */
function sum(values: readonly (number | null)[]): number | null {
  let total = 0
  for (const value of values) {
    if (value === null) return null
    total += value
  }
  return total
}
