/** `handover lock SPEC`: writes home.lock beside the spec, and prints what is different in it. */
import { defined } from '../../base/defined.ts'
import { lockDocument } from '../../api/lock.ts'
import { lockSpec } from '../../app/lock.ts'
import { AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import type { LockChange } from '../../plan/who/refresh-lock.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { endAtFindings } from '../spec-errors.ts'

export async function runLock(
  args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const [spec = ''] = args
  const result = await lockSpec(context.system, {
    spec,
    ...defined({ from: options.from }),
  })
  switch (result.outcome) {
    case 'no-device': {
      const { file, text } = result.source
      await endAtFindings(result.findings, context, { ...options, sources: new Map([[file, text]]) })
      context.err(`the lock was not written: no device for ${result.roles.join(', ')}`)
      return exitCode.errorFindings
    }
    case 'not-stated': {
      const all = result.addresses.join(', ')
      throw new AppError(`the lock was not written: the input does not state the place and the ids of ${all}`)
    }
    case 'written': {
      if (options.json) printDocument(context, lockDocument(result))
      else context.out(renderChanges(result.changes, result.file))
      return exitCode.done
    }
  }
}

function renderChanges(changes: readonly LockChange[], file: string): string {
  const lines = changes.map(({ vm, role, kind, from, to }) => {
    const places = from !== undefined && to !== undefined ? `${from} → ${to}` : (to ?? from ?? '')
    return `  ${`${vm}/${role}`.padEnd(24)} ${kind}${places === '' ? '' : `  ${places}`}`
  })
  return [file, ...lines].join('\n')
}
