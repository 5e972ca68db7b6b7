/**
 * A lab run on the terminal: progress with elapsed time, the session as it happens, the table of checks at
 * the end.
 */
import { acceleratorWords } from '../../base/accelerator.ts'
import { wrap } from '../../base/text.ts'
import type { LabEvent, LabResult, Measurement } from '../../lab/result.ts'
import type { Context } from '../context.ts'
import { printInPlace, standardError } from '../standard-streams.ts'
import type { Styler } from '../../show/text/style.ts'

type LabPrinter = { readonly report: (event: LabEvent) => void; readonly end: () => void }

/** Prints events as they come; on a terminal the running phase counts its seconds in place. */
export function labPrinter(context: Context, quiet: boolean): LabPrinter {
  const say = quiet ? context.err : context.out
  const live = standardError().isTTY && !quiet
  let phase: { readonly name: string; readonly begun: number } | undefined
  const begun = Date.now()
  const clock = () => `[${seconds(begun).padStart(3)} s]`
  const clear = () => {
    if (live) printInPlace('')
  }
  const count = () => {
    if (phase) printInPlace(context.errStyle.dim(`${clock()} ${phase.name} … ${seconds(phase.begun)} s`))
  }
  const timer = live ? setInterval(count, 500) : undefined
  const report = (event: LabEvent) => {
    clear()
    if (event.kind === 'phase') phase = { name: event.name, begun: Date.now() }
    if (event.kind === 'phase-end') phase = undefined
    say(renderLabEvent(event, clock(), context.errStyle))
  }
  const end = () => {
    clearInterval(timer)
    clear()
  }
  return { report, end }
}

const seconds = (begun: number) => ((Date.now() - begun) / 1000).toFixed(0)

function renderLabEvent(event: LabEvent, clock: string, style: Styler): string {
  switch (event.kind) {
    case 'phase':
      return style.dim(`${clock} ${event.name} …`)
    case 'phase-end':
      return style.dim(`${clock} ${event.name}: ${event.seconds.toFixed(1)} s`)
    case 'note':
      return style.dim(`${clock} ${event.text}`)
    case 'command':
      return `\n${style.bold(`labhost# ${event.command}`)}`
    case 'output':
      return event.line
    case 'check':
      return event.check.result === 'pass'
        ? `  ${style.green('✓')} ${event.check.name}`
        : `  ${style.red('✗')} ${event.check.name}\n      ${event.check.evidence}`
  }
}

export function renderLabResult(result: LabResult, style: Styler): string {
  const lines = ['', style.bold(`lab ${result.topology}: ${result.checks.length} checks`)]
  for (const check of result.checks) {
    lines.push(`${check.result === 'pass' ? style.green('pass') : style.red('FAIL')}  ${check.name}`)
    lines.push(...wrap(check.evidence, 72).map((line) => `        ${style.dim(line)}`))
  }
  if (result.measurements.length > 0) lines.push('', ...renderMeasurements(result.measurements, style))
  lines.push('', style.bold('time of each phase'))
  for (const phase of result.phases) lines.push(`  ${phase.seconds.toFixed(1).padStart(6)} s  ${phase.name}`)
  lines.push(
    `  ${result.seconds.toFixed(1).padStart(6)} s  in all ` +
      `(host under ${acceleratorWords(result.accelerator)}: ${result.acceleratorWhy})`,
  )
  const failed = result.checks.filter((check) => check.result === 'fail').length
  lines.push(
    '',
    result.ok
      ? style.green('every check holds')
      : style.red(`${failed} of ${result.checks.length} checks do not hold`),
  )
  return lines.join('\n')
}

/** Ratios to the bare host: between the layers of an emulation only these mean something. */
export function measurementRatios(
  measurements: readonly Measurement[],
): { way: string; mbPerSecond: number; ratio: number }[] {
  const rate = (m: Measurement) => m.bytes / 1e6 / Math.max(m.seconds, 0.01)
  const bare = measurements.find((m) => m.way === 'bare host')
  return measurements.map((m) => ({
    way: m.way,
    mbPerSecond: rate(m),
    ratio: bare ? rate(m) / rate(bare) : Number.NaN,
  }))
}

function renderMeasurements(measurements: readonly Measurement[], style: Styler): string[] {
  const rows = measurementRatios(measurements).map(({ way, ratio, mbPerSecond }) => {
    const times = ratio.toFixed(2).padStart(5)
    return `  ${way.padEnd(16)} ${times} × bare host   (${mbPerSecond.toFixed(1)} MB/s)`
  })
  return [style.bold('4 KiB reads from one disk (emulated hardware: the shape, not the speed)'), ...rows]
}
