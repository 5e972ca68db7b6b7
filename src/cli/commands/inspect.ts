/** `handover inspect [ADDRESS]`: the host, what it needs, and a verdict for every device. Looks only. */
import { UsageError, AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import type { Host } from '../../host/host.ts'
import { parseAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { judgeHost } from '../../judge/judge.ts'
import type { Judgement } from '../../judge/types.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { readSource } from '../read-source.ts'

export type InspectOptions = ReadingOptions & { readonly table?: boolean; readonly html?: string }

/**
 * Ends with 0 whatever the verdicts: a refused device is an answer, not a failure. Only a question about a device that
 * is not there ends with 1.
 */
export async function runInspect(
  args: readonly string[],
  options: InspectOptions,
  context: Context,
): Promise<ExitCode> {
  const address = args[0] === undefined ? undefined : parseAddress(args[0])
  if (args[0] !== undefined && address === undefined)
    throw new UsageError(`${args[0]} is not a PCI address`, 'write it as handover inspect shows it, such as 01:00.0')
  const host = await readSource(options, context, address ? 'all' : 'verdicts')
  const device = address && host.devices.find((one) => one.address === address)
  if (address && !device)
    throw new AppError(`there is no device ${address} on this host`, { help: 'handover inspect --table lists all' })
  const judgement = judgeHost(host, { ownVms: host.needs.flatMap(({ vm }) => vm ?? []) })
  if (options.html !== undefined) await writeHtml(host, judgement, options.html, context)
  if (options.json) await printJson(host, judgement, device, context)
  else await printText(host, judgement, device, { options, context })
  return exitCode.done
}

async function printJson(
  host: Host,
  judgement: Judgement,
  device: PciDevice | undefined,
  context: Context,
): Promise<void> {
  const { reportOf, onlyDevice } = await import('../../judge/report.ts')
  const report = reportOf(host, judgement)
  context.out(JSON.stringify(device ? onlyDevice(report, device.address) : report, null, 2))
}

async function writeHtml(host: Host, judgement: Judgement, path: string, context: Context): Promise<void> {
  const { renderHostHtml } = await import('../../show/picture/host-html.ts')
  const { writeUserFile } = await import('../../machine/user-file.ts')
  writeUserFile(path, renderHostHtml(host, judgement))
  context.err(`report written to ${path}`)
}

type Shown = { readonly options: InspectOptions; readonly context: Context }

async function printText(host: Host, judgement: Judgement, device: PciDevice | undefined, shown: Shown): Promise<void> {
  const { options, context } = shown
  const look = { style: context.style, columns: context.columns }
  if (device) {
    context.out((await import('../../show/text/host-device.ts')).renderDevice(host, judgement, device, look))
    return
  }
  if (options.table) context.out((await import('../../show/text/host-table.ts')).renderHostTable(host, judgement, look))
  else context.out((await import('../../show/text/host-tree.ts')).renderHostTree(host, judgement, look))
  const { leftOpen } = await import('../../judge/left-open.ts')
  const findings = [...judgement.findings, ...host.findings, ...leftOpen(judgement)]
  if (findings.length > 0) {
    const { renderFindings } = await import('../../show/text/findings.ts')
    context.err(`\n${renderFindings(findings, context.errStyle)}`)
  }
}
