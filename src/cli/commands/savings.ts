/**
 * `handover savings SPEC`: what the replaced boxes would cost to run and buy, what this one adds, every
 * assumption shown.
 */
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { savingsDocument } from '../../api/savings.ts'
import { savingsOf } from '../../app/savings.ts'
import type { BoxCost, Savings } from '../../plan/outlook/savings.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import type { Styler } from '../../show/text/style.ts'

export function runSavings(
  args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const savings = savingsOf(args[0] ?? '')
  if (options.json) printDocument(context, savingsDocument(savings))
  else context.out(renderSavings(savings, context.style))
  return Promise.resolve(exitCode.done)
}

export function renderSavings(savings: Savings, style: Styler): string {
  const { assumptions, replaced, host } = savings
  const money = (value: number | null) =>
    value === null ? 'unknown' : `${value.toFixed(2)} ${assumptions.currency}`
  const row = ({ name, watts, kWhPerYear, costPerYear, purchase }: BoxCost) =>
    columns([
      ...[name.slice(0, 24), quantity(watts, 'W'), quantity(kWhPerYear, 'kWh')],
      ...[money(costPerYear), money(purchase)],
    ])
  const lines = [
    style.bold('Replaced'),
    columns(['', 'draws', 'in a year', 'costs', 'to buy']),
    ...(replaced.length === 0 ? ['  nothing named'] : replaced.map(row)),
    style.bold('Instead'),
    row(host),
    '',
  ]
  lines.push(
    `${style.bold('Saved')}  ${money(savings.perYear)} a year in electricity; ` +
      `over ${assumptions.years} years, purchases counted: ${money(savings.overYears)}`,
  )
  if (savings.paidBackAfterYears !== null)
    lines.push(`       this host has paid for itself after ${savings.paidBackAfterYears.toFixed(1)} years`)
  lines.push(style.dim(renderAssumptions(assumptions)))
  if (savings.toMeasure.length > 0)
    lines.push('', style.bold('To find out'), ...savings.toMeasure.map((line) => `  ${line}`))
  return lines.join('\n')
}

function renderAssumptions({ hoursPerDay, pricePerKWh, currency, years }: Savings['assumptions']): string {
  const price = pricePerKWh === null ? 'price of a kWh unknown' : `${pricePerKWh} ${currency} a kWh`
  return `Assumed (change it under savings: in the spec): ${hoursPerDay} h a day, ${price}, ${years} years`
}

/** The first column is a name, the others are figures. */
const widths = [24, 9, 12, 14, 14]

function columns(cells: readonly string[]): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 0
    return index === 0 ? cell.padEnd(width) : cell.padStart(width)
  })
  return `  ${padded.join(' ')}`
}

function quantity(value: number | null, unit: string): string {
  return value === null ? '?' : `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`
}
