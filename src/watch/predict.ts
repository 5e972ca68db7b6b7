/**
 * What another kernel would change on this host, as far as the quirk tables know (pci/quirks/): resets that
 * it refuses or has of its own, and groups that it forms in another way. Drivers and everything else that a
 * kernel brings are not predicted.
 */
import type { Host } from '../host/host.ts'
import { viewOf } from '../judge/view.ts'
import { canPredictGroups } from '../pci/predict-groups.ts'
import { isAtLeast, kernelsRead, parseKernel } from '../pci/quirks/kernel-release.ts'
import { groupPredictions } from './predict-groups.ts'
import type { Prediction, TwoKernels } from './prediction.ts'
import { resetPredictions } from './predict-resets.ts'

export type PredictedKernel = {
  readonly release: string
  readonly predictions: readonly Prediction[]
  /** What is left out, and why. */
  readonly limits: readonly string[]
}

/** Undefined where the text is no release of a kernel. */
export function predictKernel(host: Host, release: string): PredictedKernel | undefined {
  const next = /^[\w.+~-]{1,64}$/.test(release) ? parseKernel(release) : undefined
  if (next === undefined) return undefined
  const view = viewOf(host)
  const kernels = { now: parseKernel(host.kernel.release), next }
  const doubt = whyNoGroups(view.host, kernels)
  const groups = doubt === undefined ? groupPredictions(view, kernels) : []
  const limits = doubt === undefined ? [] : [`groups are not predicted: ${doubt}`]
  return {
    release,
    predictions: [...groups, ...resetPredictions(view, kernels)],
    limits: [...limits, ...beyondTables(kernels)],
  }
}

function whyNoGroups({ devices }: Host, { now, next }: TwoKernels): string | undefined {
  if (!canPredictGroups(devices)) return 'configuration space could not be read'
  if (now?.hasOtherGroups || next.hasOtherGroups) return 'one of the kernels forms groups by rules of its own'
  return undefined
}

function beyondTables({ next: { version } }: TwoKernels): string[] {
  const [oldest, newest] = kernelsRead
  if (isAtLeast(version, oldest) && isAtLeast(newest, version)) return []
  const range = `Linux ${oldest.join('.')} to ${newest.join('.')}`
  return [`the quirks were read from ${range}: what another kernel has beyond that is not known`]
}
