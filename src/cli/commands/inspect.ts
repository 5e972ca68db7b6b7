/** `handover inspect [ADDRESS]`: the host, what it needs, and a verdict for every device. Looks only. */
import { defined } from '../../base/defined.ts'
import { hostFindings, inspect, type Inspection } from '../../app/inspect.ts'
import { UsageError, exitCode, type ExitCode } from '../../base/errors.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import { printNext } from '../next.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export type InspectOptions = ReadingOptions & { readonly table?: boolean; readonly html?: string }

/**
 * Ends with 0 whatever the verdicts: a refused device is an answer, not a failure. Only a question about a
 * device that is not there ends with 1.
 */
export async function runInspect(
  args: readonly string[],
  options: InspectOptions,
  context: Context,
): Promise<ExitCode> {
  const inspection = await inspect(context.system, {
    ...defined({ address: args[0] === undefined ? undefined : addressOf(args[0]), from: options.from }),
  })
  if (options.html !== undefined) await writeHtml(inspection, options.html, context)
  if (options.json) await printJson(inspection, context)
  else await printText(inspection, options, context)
  return exitCode.done
}

function addressOf(text: string): PciAddress {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw new UsageError(
    `${text} is not a PCI address`,
    'write it as handover inspect shows it, such as 01:00.0',
  )
}

async function printJson({ host, judgement, device }: Inspection, context: Context): Promise<void> {
  const { inspectDocument, onlyDevice } = await import('../../api/inspect-report.ts')
  const document = inspectDocument(host, judgement)
  printDocument(context, device ? onlyDevice(document, device.address) : document)
}

async function writeHtml({ host, judgement }: Inspection, path: string, context: Context): Promise<void> {
  const { renderHostHtml } = await import('../../show/picture/host-html.ts')
  const { writeUserFile } = await import('../../machine/user-file.ts')
  writeUserFile(path, renderHostHtml(host, judgement))
  context.err(`report written to ${path}`)
}

async function printText(
  { host, judgement, device }: Inspection,
  options: InspectOptions,
  context: Context,
): Promise<void> {
  const look = { style: context.style, columns: context.columns }
  if (device) {
    context.out((await import('../../show/text/host-device.ts')).renderDevice(host, judgement, device, look))
    return
  }
  if (options.table)
    context.out((await import('../../show/text/host-table.ts')).renderHostTable(host, judgement, look))
  else context.out((await import('../../show/text/host-tree.ts')).renderHostTree(host, judgement, look))
  const findings = hostFindings({ host, judgement })
  if (findings.length > 0) {
    const { renderFindings } = await import('../../show/text/findings.ts')
    context.err(`\n${renderFindings(findings, context.errStyle, { columns: context.columns })}`)
  }
  printNext(context, [{ command: 'handover init', why: 'asks what you want, and writes a first home.yaml' }])
}
