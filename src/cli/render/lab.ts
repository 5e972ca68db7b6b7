/** A lab run on the terminal: progress with elapsed time, the session as it happens, the table of checks at the end. */
import { acceleratorWords } from '../../base/accelerator.ts'
import { wrap } from '../../base/text.ts'
import type { LabEvent, LabResult, Measurement } from '../../lab/result.ts'
import type { Context } from '../context.ts'
import { printInPlace, standardError } from '../standard-streams.ts'
import type { Styler } from '../../show/text/style.ts'

/** Prints events as they come; on a terminal the running phase counts its seconds in place. */
export function labPrinter(context: Context, quiet: boolean): { tell: (event: LabEvent) => void; end: () => void } {
  const style = context.errStyle
  const say = quiet ? context.err : context.out
  const live = standardError().isTTY && !quiet
  let phase: { readonly name: string; readonly begun: number } | undefined
  const begun = Date.now()
  const clock = () => `[${((Date.now() - begun) / 1000).toFixed(0).padStart(3)} s]`
  const clear = () => {
    if (live) printInPlace('')
  }
  const timer = live
    ? setInterval(() => {
        if (phase)
          printInPlace(style.dim(`${clock()} ${phase.name} … ${((Date.now() - phase.begun) / 1000).toFixed(0)} s`))
      }, 500)
    : undefined
  const tell = (event: LabEvent) => {
    clear()
    switch (event.kind) {
      case 'phase':
        phase = { name: event.name, begun: Date.now() }
        return say(style.dim(`${clock()} ${event.name} …`))
      case 'phase-end':
        phase = undefined
        return say(style.dim(`${clock()} ${event.name}: ${event.seconds.toFixed(1)} s`))
      case 'note':
        return say(style.dim(`${clock()} ${event.text}`))
      case 'command':
        return say(`\n${style.bold(`labhost# ${event.command}`)}`)
      case 'output':
        return say(event.line)
      case 'check':
        return say(`  ${event.check.result === 'pass' ? style.green('✓') : style.red('✗')} ${event.check.name}`)
    }
  }
  const end = () => {
    clearInterval(timer)
    clear()
  }
  return { tell, end }
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
    `  ${result.seconds.toFixed(1).padStart(6)} s  in all (host under ${acceleratorWords(result.accelerator)}: ${result.acceleratorWhy})`,
  )
  const failed = result.checks.filter((check) => check.result === 'fail').length
  lines.push(
    '',
    result.ok ? style.green('every check holds') : style.red(`${failed} of ${result.checks.length} checks do not hold`),
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
  const rows = measurementRatios(measurements).map(
    (row) =>
      `  ${row.way.padEnd(16)} ${row.ratio.toFixed(2).padStart(5)} × bare host   (${row.mbPerSecond.toFixed(1)} MB/s)`,
  )
  return [style.bold('4 KiB reads from one disk (emulated hardware: the shape, not the speed)'), ...rows]
}
