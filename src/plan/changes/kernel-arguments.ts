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

/** Nothing for the rest: any other argument is the user's word. */
function judge(raw: string): Verdict | undefined {
  const { key, value = '' } = readArg(raw)
  const instead =
    'name the device in a VM instead: it is bound early, at its place, after its identity was checked'
  if (takerOfArg(raw) !== undefined)
    return refuse(
      `${raw} would bind by model: every device of that kind, the host's own too`,
      instead,
      'ids-binding',
    )
  if (key === 'xen_pciback.hide')
    return refuse(`${raw} would bind by address alone: whatever device answers there`, instead, 'ids-binding')
  if (key === 'amd_iommu' && value === 'on')
    return refuse(
      `${raw} is no option of the kernel's`,
      "leave it out: AMD's IOMMU is on wherever the firmware offers it",
    )
  if (iommuKeys.has(key) && saysOff(value))
    return refuse(`${raw} switches off the IOMMU, and without it no device can be given away`, 'leave it out')
  if (key === 'acpi' && saysOff(value))
    return refuse(`${raw} hides the firmware's tables, and with them the IOMMU`, 'leave it out')
  if (endsRemapping(raw))
    return refuse(
      `${raw} switches off interrupt remapping, and without it VFIO refuses every device`,
      'leave it out',
    )
  if (isUncheckedRemapping(raw))
    return refuse(
      `${raw} lets any device send interrupts in the name of another: a guest could disturb the host`,
      'leave it out',
    )
  if (key === 'handover' || key === readArg(trialToken).key)
    return refuse(`${raw} is a word between handover and its own scripts, for one boot`, 'leave it out')
  if (key === 'pcie_acs_override')
    return {
      code: 'acs-override',
      severity: 'warning',
      message:
        `${raw} only claims that devices are kept apart (and only kernels with a patch know ` +
        'it): they may still reach each other',
      help:
        'do not rely on the groups it makes; give the devices of a real group to one VM, or ' +
        'use another slot',
    }
  return undefined
}

function refuse(message: string, help: string, code: Finding['code'] = 'kernel-argument'): Verdict {
  return { code, severity: 'error', message, help }
}
