/** `handover lab`: a virtual host in QEMU with the built tool inside. */
import { defined } from '../../base/defined.ts'
import { AppError, exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { installedSystems, needsOf } from '../../lab/installed/systems.ts'
import { missingNeeds, installNeeds, type Need } from '../../images/tools.ts'
import { parseTopology } from '../../lab/topology.ts'
import { readTopologyText, runLab, type LabOutcome } from '../../lab/run.ts'
import { newestKernel } from '../../images/kernel.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import { askGuest } from '../../run/guest-report.ts'
import { engine } from '../../engines/engines.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { judgeHost } from '../../judge/judge.ts'
import { labDocument } from '../../api/lab.ts'
import { readSource } from '../../app/read-source.ts'
import { renderHostSummary } from '../../show/text/host-summary.ts'
import { endAtFindings } from '../spec-errors.ts'
import { labPrinter, renderLabResult } from '../render/lab.ts'
import { renderLabHtml, type LabPictures } from '../render/lab-html.ts'
import { readHostFrom } from '../../sources/listings/read-from.ts'
import { renderHostSvg } from '../../show/picture/host-svg.ts'
import { gunzip } from '../../machine/gunzip.ts'
import { linuxSystem } from '../../machine/linux.ts'

export type LabOptions = ReadingOptions & {
  readonly html?: string | boolean
  readonly cache?: string
  readonly keep?: boolean
  readonly capture?: string
}

export async function runLabRun(
  args: readonly string[],
  options: LabOptions,
  context: Context,
): Promise<ExitCode> {
  const file = args[0] ?? ''
  const text = readTopologyText(context.system, file)
  const { topology, findings } = parseTopology(text, file)
  if (!topology) {
    await endAtFindings(findings, context, { ...options, sources: new Map([[file, text]]) })
    return exitCode.usage
  }
  await ensureTools(context, topology.system === 'lab' ? [] : needsOf(installedSystems[topology.system]))
  const printer = labPrinter(context, options.json === true)
  if (!options.json) await showThisMachine(context)
  const isColoured = context.style.bold('x') !== 'x' && options.json !== true
  const request = {
    ...{ topology, topologyFile: file, cache: options.cache ?? `${context.system.work.cacheFolder()}/lab` },
    ...{ colour: isColoured, keep: options.keep === true },
  }
  const run = await untilInterrupted((signal) =>
    runLab(context.system, { ...request, signal }, printer.report),
  ).finally(printer.end)
  printRun(run, options, context)
  return run.result.ok ? exitCode.done : exitCode.errorFindings
}

/** The first Ctrl-C or SIGTERM asks it to end, and to take down what it started. */
async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    return await run(interrupt.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function printRun(run: LabOutcome, options: LabOptions, context: Context): void {
  const { result, picture, capture, owners } = run
  const { html } = options
  if (options.capture !== undefined) writeUserFile(options.capture, capture)
  if (typeof html === 'string') writeUserFile(html, renderLabHtml(result, pictures(capture, owners, picture)))
  if (options.json) printDocument(context, labDocument(result))
  else context.out(renderLabResult(result, context.style))
  if (typeof html === 'string') context.err(`report: ${html}`)
}

function pictures(
  capture: string,
  owners: Readonly<Record<string, string>>,
  screen: Uint8Array | undefined,
): LabPictures {
  const reading = readHostFrom(
    { name: 'capture', bytes: Buffer.from(capture) },
    { openFolder: (root) => linuxSystem({ root }), gunzip },
  )
  // A capture that cannot be read back is a fault of the tool; the report is of use without the picture.
  const host = reading.ok ? renderHostSvg(reading.host, judgeHost(reading.host), owners) : undefined
  return { ...defined({ screen, host }) }
}

/** The machine the lab runs on, looked at read-only: with luck, the next step needs no lab. */
async function showThisMachine(context: Context): Promise<void> {
  const host = await readSource(context.system, undefined)
  const summary = renderHostSummary(host, judgeHost(host), context.style)
  context.out(
    `${context.style.bold('This machine')} ` +
      `(only looked at; everything below happens inside a virtual host)\n${summary}\n`,
  )
}

async function ensureTools(context: Context, further: readonly Need[]): Promise<void> {
  const missing = missingNeeds(context.system, further)
  if (missing.length === 0) return
  const words = missing.map((need) => need.program ?? need.file).join(', ')
  context.err(`the lab needs ${words}`)
  await installNeeds(context.system, context.err, further)
}

export async function runLabSetup(
  _args: readonly string[],
  options: LabOptions,
  context: Context,
): Promise<ExitCode> {
  await installNeeds(context.system, context.err)
  const kernel = await newestKernel(
    context.system,
    context.system.work.ensureFolder(options.cache ?? `${context.system.work.cacheFolder()}/lab`),
    context.err,
  )
  context.err(`the lab has what it needs: kernel ${kernel.release}`)
  return exitCode.done
}

/**
 * `lab ask VM WORD`: one word on a guest's report line, the answer as it comes. For the lab's own questions.
 */
export async function runLabAsk(
  args: readonly string[],
  _options: LabOptions,
  context: Context,
): Promise<ExitCode> {
  const [vm = '', word = ''] = args
  if (!/^[a-z0-9-]{1,32}$/.test(word))
    throw new UsageError(`«${word}» is not a word of the report line`, 'such as: report')
  const lines = await askGuest(await engine.openReport(context.system, vm), word, 60)
  if (lines[0]?.startsWith('unknown')) throw new AppError(`${vm} does not know the word ${word}`)
  context.out(lines.join('\n'))
  return exitCode.done
}
