/**
 * What is wrong with kernel arguments a person asks for: those that undo the plan, do nothing, or only claim
 * something.
 */
import { defined } from '../../base/defined.ts'
import { readArg } from '../../boot/cmdline.ts'
import { takerOfArg } from '../../boot/module-options.ts'
import { trialToken } from '../../boot/trial/trial.ts'
import type { Finding } from '../../base/finding.ts'
import { endsRemapping, isUncheckedRemapping, saysOff } from '../../boot/remapping-args.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec } from '../../spec/spec.ts'

type Verdict = Pick<Finding, 'code' | 'severity' | 'message' | 'help'>

const iommuKeys = new Set(['iommu', 'intel_iommu', 'amd_iommu'])

export function checkKernelArguments(spec: Spec, places?: SpecPlaces): Finding[] {
  return (spec.host.kernelArguments ?? []).flatMap((raw, i): Finding[] => {
    const verdict = judge(raw)
    if (verdict === undefined) return []
    const at = placeOf(places, ['host', 'kernel-arguments', i])
    return [{ ...verdict, ...defined({ at }) }]
  })
}

type Arg = { readonly raw: string; readonly key: string; readonly value: string }

type Rule = {
  readonly meets: (arg: Arg) => boolean
  /** What the argument does, behind the argument itself. */
  readonly does: string
  readonly help: string
  readonly code?: Finding['code']
  readonly severity?: 'warning'
}

const leaveOut = 'leave it out'
const nameDevice =
  'name the device in a VM instead: it is bound early, at its place, after its identity was checked'

/** The first that fits counts. Any other argument is the user's word. */
const rules: readonly Rule[] = [
  {
    meets: ({ raw }) => takerOfArg(raw) !== undefined,
    does: "would bind by model: every device of that kind, the host's own too",
    help: nameDevice,
    code: 'ids-binding',
  },
  {
    meets: ({ key }) => key === 'xen_pciback.hide',
    does: 'would bind by address alone: whatever device answers there',
    help: nameDevice,
    code: 'ids-binding',
  },
  {
    meets: ({ key, value }) => key === 'amd_iommu' && value === 'on',
    does: "is no option of the kernel's",
    help: "leave it out: AMD's IOMMU is on wherever the firmware offers it",
  },
  {
    meets: ({ key, value }) => iommuKeys.has(key) && saysOff(value),
    does: 'switches off the IOMMU, and without it no device can be given away',
    help: leaveOut,
  },
  {
    meets: ({ key, value }) => key === 'acpi' && saysOff(value),
    does: "hides the firmware's tables, and with them the IOMMU",
    help: leaveOut,
  },
  {
    meets: ({ raw }) => endsRemapping(raw),
    does: 'switches off interrupt remapping, and without it VFIO refuses every device',
    help: leaveOut,
  },
  {
    meets: ({ raw }) => isUncheckedRemapping(raw),
    does: 'lets any device send interrupts in the name of another: a guest could disturb the host',
    help: leaveOut,
  },
  {
    meets: ({ key }) => key === 'handover' || key === readArg(trialToken).key,
    does: 'is a word between handover and its own scripts, for one boot',
    help: leaveOut,
  },
  {
    meets: ({ key }) => key === 'pcie_acs_override',
    does:
      'only claims that devices are kept apart (and only kernels with a patch know it): ' +
      'they may still reach each other',
    help:
      'do not rely on the groups it makes; give the devices of a real group to one VM, ' +
      'or use another slot',
    code: 'acs-override',
    severity: 'warning',
  },
]

function judge(raw: string): Verdict | undefined {
  const { key, value = '' } = readArg(raw)
  const rule = rules.find(({ meets }) => meets({ raw, key, value }))
  if (rule === undefined) return undefined
  const { does, help, code = 'kernel-argument', severity = 'error' } = rule
  return { code, severity, message: `${raw} ${does}`, help }
}
