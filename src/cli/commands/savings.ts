/** `handover savings SPEC`: what the replaced boxes would cost to run and buy, what this one adds, every assumption shown. */
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { savingsDocument } from '../../api/savings.ts'
import { savingsOf } from '../../app/savings.ts'
import type { BoxCost, Savings } from '../../plan/outlook/savings.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import type { Styler } from '../../show/text/style.ts'

export function runSavings(args: readonly string[], options: ReadingOptions, context: Context): Promise<ExitCode> {
  const savings = savingsOf(args[0] ?? '')
  if (options.json) printDocument(context, savingsDocument(savings))
  else context.out(renderSavings(savings, context.style))
  return Promise.resolve(exitCode.done)
}

export function renderSavings(savings: Savings, style: Styler): string {
  const { assumptions, replaced, host } = savings
  const money = (value: number | null) => (value === null ? 'unknown' : `${value.toFixed(2)} ${assumptions.currency}`)
  const row = (box: BoxCost) =>
    `  ${[box.name.slice(0, 24).padEnd(24), said(box.watts, 'W').padStart(9), said(box.kWhPerYear, 'kWh').padStart(12), money(box.costPerYear).padStart(14), money(box.purchase).padStart(14)].join(' ')}`
  const head = `  ${['', ''.padEnd(23), 'draws'.padStart(9), 'in a year'.padStart(12), 'costs'.padStart(14), 'to buy'.padStart(14)].join(' ').slice(1)}`
  const lines = [
    style.bold('Replaced'),
    head,
    ...(replaced.length === 0 ? ['  nothing named'] : replaced.map(row)),
    style.bold('Instead'),
    row(host),
    '',
  ]
  lines.push(
    `${style.bold('Saved')}  ${money(savings.perYear)} a year in electricity; over ${assumptions.years} years, purchases counted: ${money(savings.overYears)}`,
  )
  if (savings.paidBackAfterYears !== null)
    lines.push(`       this host has paid for itself after ${savings.paidBackAfterYears.toFixed(1)} years`)
  lines.push(
    style.dim(
      `Assumed (change it under savings: in the spec): ${assumptions.hoursPerDay} h a day, ${assumptions.pricePerKWh === null ? 'price of a kWh unknown' : `${assumptions.pricePerKWh} ${assumptions.currency} a kWh`}, ${assumptions.years} years`,
    ),
  )
  if (savings.toMeasure.length > 0)
    lines.push('', style.bold('To find out'), ...savings.toMeasure.map((line) => `  ${line}`))
  return lines.join('\n')
}

function said(value: number | null, unit: string): string {
  return value === null ? '?' : `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`
}
