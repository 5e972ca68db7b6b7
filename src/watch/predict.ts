/**
 * What another kernel would change on this host, as far as the quirk tables know (pci/quirks/): resets that
 * it refuses or has of its own, and groups that it forms in another way. Drivers and everything else that a
 * kernel brings are not predicted.
 */
import type { Host } from '../host/host.ts'
import { viewOf } from '../judge/view.ts'
import { canPredictGroups } from '../pci/predict-groups.ts'
import { parseKernel } from '../pci/quirks/kernel-release.ts'
import { groupPredictions } from './predict-groups.ts'
import type { Prediction, TwoKernels } from './prediction.ts'
import { resetPredictions } from './predict-resets.ts'

export type PredictedKernel = {
  readonly release: string
  readonly predictions: readonly Prediction[]
  /** Why no group is predicted. */
  readonly groupsUnknown?: string
}

/** Undefined where the text is no release of a kernel. */
export function predictKernel(host: Host, release: string): PredictedKernel | undefined {
  const next = /^[\w.+~-]{1,64}$/.test(release) ? parseKernel(release) : undefined
  if (next === undefined) return undefined
  const view = viewOf(host)
  const kernels = { now: parseKernel(host.kernel.release), next }
  const groupsUnknown = whyGroupsUnknown(view.host, kernels)
  const groups = groupsUnknown === undefined ? groupPredictions(view, kernels) : []
  return {
    release,
    predictions: [...groups, ...resetPredictions(view, kernels)],
    ...(groupsUnknown === undefined ? {} : { groupsUnknown }),
  }
}

function whyGroupsUnknown({ devices }: Host, { now, next }: TwoKernels): string | undefined {
  if (!canPredictGroups(devices)) return 'configuration space could not be read'
  if (now?.hasOtherGroups || next.hasOtherGroups) return 'one of the kernels forms groups by rules of its own'
  return undefined
}
