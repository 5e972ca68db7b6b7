/** check: what is different since the last good boot, or would be with another kernel. It only looks. */
import { defined } from '../base/defined.ts'
import { AppError, UsageError } from '../base/errors.ts'
import type { Reader, System } from '../machine/system.ts'
import { compareBoots, type Difference } from '../watch/compare.ts'
import { predictKernel, type PredictedKernel } from '../watch/predict.ts'
import { hostUnder } from '../watch/predicted-host.ts'
import { recordOf, type BootRecord } from '../watch/record.ts'
import { readSource } from './read-source.ts'
import {
  differencesSince,
  givenInForce,
  readLastGood,
  readStored,
  readThisBoot,
  type LastGood,
} from './watch.ts'

export type CheckRequest = {
  /** A capture or a listing in place of the machine. It has no boots: it takes `kernel`. */
  readonly from?: string
  /** The release of another kernel, as `uname -r` prints it. */
  readonly kernel?: string
}

export type Checked = {
  readonly good: LastGood
  /** Empty where there is no last good boot. With `kernel`: what it would change for what VMs have. */
  readonly differences: readonly Difference[]
  readonly prediction?: Predicted
}

export type Predicted = PredictedKernel & {
  /** The release of the kernel that runs. */
  readonly running?: string
}

/** Throws AppError when the last good boot cannot be read: then nothing is known to be safe. */
export async function check(system: System, { from, kernel }: CheckRequest = {}): Promise<Checked> {
  if (kernel !== undefined) return await checkKernel(system, kernel, from)
  if (from !== undefined)
    throw new UsageError(
      'no boot of this host is compared with --from',
      'boots are recorded on the host itself; to predict what another kernel changes: --kernel RELEASE',
    )
  const good = readLastGood(system)
  if (good.kind === 'unreadable') throw unreadable(good)
  if (good.kind === 'none') return { good, differences: [] }
  const now = await readThisBoot(system, givenInForce(system))
  return { good, differences: differencesSince(good, now) }
}

async function checkKernel(system: System, release: string, from: string | undefined): Promise<Checked> {
  const host = await readSource(system, from, 'verdicts')
  const predicted = predictKernel(host, release)
  if (predicted === undefined)
    throw new UsageError(
      `${release} is no release of a kernel`,
      'name it as uname -r does: 6.12.75, 6.12.48+deb13-amd64',
    )
  // Another machine, or this one at another time: the plan in force is not about it.
  const given = from === undefined ? givenInForce(system) : []
  const boot = { bootId: '', at: '', given }
  const differences = compareBoots(recordOf(host, boot), recordOf(hostUnder(host, predicted), boot))
  return {
    good: { kind: 'none' },
    differences: differences.filter(({ kind }) => kind !== 'kernel'),
    prediction: { ...predicted, ...defined({ running: host.kernel.release }) },
  }
}

function unreadable({ reason, isDenied }: Extract<LastGood, { kind: 'unreadable' }>): AppError {
  const help = isDenied
    ? 'run it as root'
    : 'when the host is as you want it, accept it: handover apply home.yaml'
  return new AppError(`what the last good boot was like is not known: ${reason}`, { help })
}

/** As this boot was recorded, before its first VM started. Undefined if it was not recorded. */
export function recordedChanges(reader: Reader): Checked | undefined {
  const good = readLastGood(reader)
  if (good.kind === 'unreadable') return { good, differences: [] }
  const stored = readStored(reader)
  if (stored === undefined || good.kind === 'none') return undefined
  if (!stored.ok) return { good: { ...stored, kind: 'unreadable' }, differences: [] }
  return { good, differences: differencesSince(good, stored.record) }
}

/** `2026-01-02T03:04:05Z, kernel 6.1.0` */
export function bootWords({ at, kernel }: BootRecord): string {
  return `${at.slice(0, 19)}Z${kernel === undefined ? '' : `, kernel ${kernel}`}`
}
