/** `handover init`: shows what there is by use, asks what is wanted, and writes a first home.yaml. */
import { initDocument } from '../../api/init.ts'
import { lookAround, proposeFor, writeProposal, type Look } from '../../app/init.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import type { Proposal } from '../../init/propose.ts'
import { wishes, type Wish } from '../../init/wishes.ts'
import { renderProposal, renderUses } from '../../show/text/init.ts'
import { askForSome, askToGoOn, canAsk } from '../ask.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export type InitOptions = ReadingOptions &
  Partial<Record<Wish, boolean>> & { readonly output?: string; readonly yes?: boolean }

export async function runInit(
  _args: readonly string[],
  options: InitOptions,
  context: Context,
): Promise<ExitCode> {
  const look = await lookAround(context.system, options.from)
  const asked = wishes.filter((wish) => options[wish] === true)
  if (options.json) return printInit(look, asked, options, context)
  context.out(renderUses(look.uses, context))
  const wanted = asked.length > 0 ? asked : await askWishes()
  if (wanted.length === 0) return exitCode.done
  const proposal = proposeFor(look, wanted)
  context.out(`\n${renderProposal(proposal, context)}`)
  if (proposal.text === undefined) return exitCode.errorFindings
  return await offer(proposal, options, context)
}

function printInit(
  look: Look,
  asked: readonly Wish[],
  { yes, output }: InitOptions,
  context: Context,
): ExitCode {
  const proposal = proposeFor(look, asked)
  const file = yes === true && proposal.text !== undefined ? fileOf(output) : null
  if (file !== null) writeProposal(proposal, file)
  printDocument(context, initDocument(look, proposal, file))
  return asked.length > 0 && proposal.text === undefined ? exitCode.errorFindings : exitCode.done
}

async function askWishes(): Promise<readonly Wish[]> {
  if (!canAsk())
    throw new UsageError(
      'no question can be asked here: there is no terminal',
      'say what you want: handover init --firewall --media --workstation --yes (one of them, or more)',
    )
  return await askForSome('What do you want on this machine?', [
    { value: 'firewall', label: 'a firewall (two network ports)' },
    { value: 'media', label: 'a media server or NAS (a disk controller)' },
    { value: 'workstation', label: 'a workstation (a graphics card)' },
  ])
}

/** Without a question and without --yes the spec is shown, and nothing is written. */
async function offer(proposal: Proposal, { yes, output }: InitOptions, context: Context): Promise<ExitCode> {
  const file = fileOf(output)
  if (yes !== true && !canAsk()) {
    context.out(`\n${proposal.text ?? ''}`)
    context.err(`nothing was written; --yes writes it to ${file}`)
    return exitCode.done
  }
  if (yes !== true && !(await askToGoOn(`Write ${file}?`, 'add --yes'))) return exitCode.done
  writeProposal(proposal, file)
  context.out(`\n${file} is written. Next: handover plan ${file}`)
  return exitCode.done
}

function fileOf(output: string | undefined): string {
  return output ?? 'home.yaml'
}
