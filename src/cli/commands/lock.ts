/**
 * `handover lock SPEC`: writes home.lock beside the spec. Roles whose locked device is certain keep it; roles whose lock
 * is in doubt (replaced, ambiguous, missing) are decided anew from the spec: running this is how a person settles them.
 */
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { hasErrors } from '../../base/finding.ts'
import { isWhole } from '../../pci/identity.ts'
import { plan } from '../../plan/plan.ts'
import { compareLocks, refreshLock, type LockChange } from '../../plan/who/refresh-lock.ts'
import { formatLock } from '../../spec/lock.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { exitCodeOf, readSpec } from '../read-spec.ts'
import { readPlanningHost } from '../planning-host.ts'
import { renderFindings } from '../../show/text/findings.ts'

export async function runLock(args: readonly string[], options: ReadingOptions, context: Context): Promise<ExitCode> {
  const { spec, findings, places, file, text, lock, lockFile } = readSpec(args[0] ?? '', { brokenLock: 'ignore' })
  const sources = new Map([[file, text]])
  if (spec === undefined) {
    context.err(renderFindings(findings, context.errStyle, sources))
    return exitCodeOf(findings)
  }
  const host = await readPlanningHost(options, context, { spec, ...(lock ? { lock } : {}) })
  const first = plan(host, spec, { places, ...(lock ? { lock } : {}) })
  const inDoubt = new Set(first.doubtful ?? [])
  const kept = lock && { ...lock, devices: lock.devices.filter(({ vm, role }) => !inDoubt.has(`${vm}/${role}`)) }
  const planned = inDoubt.size === 0 ? first : plan(host, spec, { places, ...(kept ? { lock: kept } : {}) })
  // Only what hinders the choice of devices hinders the lock: memory or a missing IOMMU do not change who is who.
  const missing = spec.vms
    .flatMap((vm) => vm.devices.map((role) => `${vm.name}/${role.role}`))
    .filter((key) => !planned.assignments.some((a) => `${a.vm}/${a.role}` === key))
  if (missing.length > 0) {
    context.err(
      renderFindings(
        planned.findings.filter((f) => f.severity === 'error'),
        context.errStyle,
        sources,
      ),
    )
    context.err(`the lock was not written: no device for ${missing.join(', ')}`)
    return hasErrors(planned.findings) ? exitCodeOf(planned.findings) : exitCode.errorFindings
  }
  const unnamed = planned.assignments.filter(({ identity }) => !isWhole(identity)).map(({ address }) => address)
  if (unnamed.length > 0) {
    context.err(`the lock was not written: the input does not state the place and the ids of ${unnamed.join(', ')}`)
    return exitCode.errorFindings
  }
  const now = refreshLock(host, spec, planned.assignments)
  const changes = compareLocks(lock, now)
  writeUserFile(lockFile, formatLock(now))
  if (options.json) context.out(JSON.stringify({ schema: 1, file: lockFile, changes }, undefined, 2))
  else context.out(renderChanges(changes, lockFile))
  return exitCode.done
}

function renderChanges(changes: readonly LockChange[], file: string): string {
  const lines = changes.map(({ vm, role, kind, from, to }) => {
    const places = from !== undefined && to !== undefined ? `${from} → ${to}` : (to ?? from ?? '')
    return `  ${`${vm}/${role}`.padEnd(24)} ${kind}${places === '' ? '' : `  ${places}`}`
  })
  return [file, ...lines].join('\n')
}
