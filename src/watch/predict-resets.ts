/** The reset methods that another kernel would list, by the quirks that only some kernels have. */
import type { HostView } from '../judge/host-view.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { holdsFor, sinceWords } from '../pci/quirks/kernel-release.ts'
import { busResetQuirksOf, resetQuirksOf, type ResetQuirk } from '../pci/quirks/reset-quirks.ts'
import { resetMethods } from '../pci/reset.ts'
import { changeOf, type Prediction, type TwoKernels } from './prediction.ts'

export function resetPredictions(view: HostView, kernels: TwoKernels): Prediction[] {
  return view.host.devices
    .filter((device) => !isBridge(device))
    .flatMap((device) => rowsOf(device, view).flatMap((row) => predict(device, row, { view, kernels }) ?? []))
}

/** Its own, and those of the port above, which forbid a reset of the bus below. */
function rowsOf(device: PciDevice, { topology }: HostView): readonly ResetQuirk[] {
  const port = topology.byAddress.get(device.address)?.parent?.device
  const rows = [...resetQuirksOf(device), ...(port === undefined ? [] : busResetQuirksOf(port))]
  return rows.filter(({ since }) => since !== undefined)
}

type Given = { readonly view: HostView; readonly kernels: TwoKernels }

function predict(device: PciDevice, row: ResetQuirk, { view, kernels }: Given): Prediction | undefined {
  const before = device.resetMethods ?? view.resetOf(device.address)?.usable
  if (row.since === undefined || before === undefined) return undefined
  const now = showsRow(row, device) ?? holdsFor(row.since, kernels.now)
  const change = changeOf(now, holdsFor(row.since, kernels.next))
  if (change === undefined) return undefined
  const after = methodsAfter(before, row, { device, gains: change.gains, view })
  if (after.join() === before.join()) return undefined
  return {
    ...{ kind: 'reset', about: [device.address], before, after, confidence: change.confidence },
    why: change.gains ? row.about : `the kernel does not know this: ${row.about}`,
    source: `drivers/pci/quirks.c, since Linux ${sinceWords(row.since)}`,
  }
}

/** The list of the running kernel is better evidence than its release. */
function showsRow({ rule }: ResetQuirk, { resetMethods: stated }: PciDevice): boolean | undefined {
  if (stated === undefined) return undefined
  if (rule === 'noFlr' && stated.some((method) => method.endsWith('flr'))) return false
  if (rule === 'noBusReset' && stated.includes('bus')) return false
  return rule === 'deviceSpecific' ? stated.includes('device_specific') : undefined
}

function methodsAfter(
  before: readonly string[],
  { rule }: ResetQuirk,
  on: { readonly device: PciDevice; readonly gains: boolean; readonly view: HostView },
): readonly string[] {
  const { device, gains, view } = on
  const methods = new Set(before)
  const put = (method: string, isThere: boolean) => (isThere ? methods.add(method) : methods.delete(method))
  switch (rule) {
    case 'noFlr':
      if (gains || device.facts?.flr === true) put('flr', !gains)
      if (gains || device.facts?.afFlr === true) put('af_flr', !gains)
      break
    case 'noBusReset': {
      const node = view.topology.byAddress.get(device.address)
      if (gains || (node?.parent !== undefined && node.onBus.length === 1)) put('bus', !gains)
      break
    }
    case 'deviceSpecific':
      put('device_specific', gains)
      break
    case 'noPmReset':
      if (gains) put('pm', false)
      break
    case 'brokenIntxMasking':
      break
  }
  return resetMethods.filter((method) => methods.has(method))
}
