/**
 * The groups that another kernel would form. A group is predicted twice, for the kernel that runs and for the
 * other one, so that only what differs between the two counts; what the running kernel states proves the
 * first prediction.
 */
import { defined } from '../base/defined.ts'
import type { HostView } from '../judge/host-view.ts'
import type { PciAddress } from '../pci/address.ts'
import { predictFromTopology, type PredictedGroup } from '../pci/predict-groups.ts'
import { acsRowsFor, brokenSourceValidation } from '../pci/quirks/acs-quirks.ts'
import { holdsFor, sinceWords, type Kernel, type Since } from '../pci/quirks/kernel-release.ts'
import type { PciDevice } from '../pci/device.ts'
import { pathUp } from '../pci/topology-node.ts'
import { changeOf, type GroupChange, type Prediction, type TwoKernels } from './prediction.ts'

type Groups = ReadonlyMap<PciAddress, PredictedGroup>

export function groupPredictions(view: HostView, kernels: TwoKernels): Prediction[] {
  const predictAt = (release: string | undefined) => predictGroupsAt(view, release)
  const bases = kernels.now === undefined ? [predictAt(undefined)] : extremesOf(kernels.now).map(predictAt)
  const afters = extremesOf(kernels.next).map(predictAt)
  const found = new Map<string, Prediction>()
  for (const device of view.host.devices) {
    const { address } = device
    const stated = view.groupOf(device)?.devices.toSorted()
    const change = changeAt(address, { bases, afters, ...defined({ stated }) })
    if (change === undefined) continue
    const key = JSON.stringify([change.before, change.after])
    const about = [...(found.get(key)?.about ?? []), address]
    const reason = reasonFor([...change.before, ...change.after], view, kernels)
    found.set(key, { about, ...change, ...reason })
  }
  return [...found.values()]
}

/**
 * The release as kernel.org numbers it, with the fewest and the most stable updates that it may have: a
 * distribution's name does not say which it has.
 */
function extremesOf({ version, patch, isPlain, isCandidate }: Kernel): string[] {
  const series = version.join('.')
  const least = `${series}.${patch ?? 0}`
  if (isCandidate) return [`${series}.0-rc1`]
  return isPlain ? [least] : [least, `${series}.${Math.max(99_999, patch ?? 0)}`]
}

function predictGroupsAt(view: HostView, release: string | undefined): Groups {
  const { kernelRelease: _, ...platform } = view.platform
  const groups = predictFromTopology(view.topology, { ...platform, ...defined({ kernelRelease: release }) })
  return new Map(groups.flatMap((group) => group.devices.map((address) => [address, group] as const)))
}

type Runs = {
  readonly bases: readonly Groups[]
  readonly afters: readonly Groups[]
  /** As the running kernel has it. */
  readonly stated?: readonly PciAddress[]
}

type Changed = GroupChange & Pick<Prediction, 'confidence'>

function changeAt(address: PciAddress, { bases, afters, stated }: Runs): Changed | undefined {
  const was = bases.flatMap((run) => run.get(address) ?? [])
  const proof = stated === undefined ? undefined : was.find(({ devices }) => isSame(devices, stated))
  // What the running kernel shows tells which of its updates it has.
  const from = proof === undefined ? was : [proof]
  const changed = afters
    .flatMap((run) => run.get(address) ?? [])
    .filter((is) => !from.some((one) => isSame(one.devices, is.devices)))
  const [first] = changed
  const before = stated ?? was[0]?.devices
  if (first === undefined || before === undefined || isSame(before, first.devices)) return undefined
  const isProven = stated === undefined || proof !== undefined
  const isSure = isProven && [...from, ...changed].every(({ confidence }) => confidence === 'high')
  const isAgreed =
    changed.length === afters.length && changed.every((is) => isSame(is.devices, first.devices))
  return { kind: 'group', before, after: first.devices, confidence: isSure && isAgreed ? 'high' : 'low' }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, index) => address === b[index])
}

/** The quirks that one of the kernels has more, of the members and the ports above them. */
function reasonFor(
  members: readonly string[],
  view: HostView,
  { now, next }: TwoKernels,
): Pick<Prediction, 'why' | 'source'> {
  const nodes = view.topology.nodes.filter(({ address }) => members.includes(address))
  const devices = new Set(nodes.flatMap((node) => [node, ...pathUp(node)]).map(({ device }) => device))
  const quirks = [...devices].flatMap((device) =>
    sincesOf(device).flatMap((since) => {
      const change = changeOf(holdsFor(since, now), holdsFor(since, next))
      if (change === undefined) return []
      const ids = `${device.vendorId}:${device.deviceId}`
      const how = `${change.confidence === 'low' ? ' may' : ''} ${change.gains ? 'know' : 'not know'}`
      return [{ why: `that kernel would${how} how ${ids} isolates`, since: sinceWords(since) }]
    }),
  )
  const why = [...new Set(quirks.map((quirk) => quirk.why))].join('; ')
  const releases = [...new Set(quirks.map(({ since }) => since))].join('; ')
  return {
    why: why || 'the kernels judge its isolation differently',
    source: `drivers/pci/quirks.c (pci_dev_acs_enabled)${releases === '' ? '' : `, since Linux ${releases}`}`,
  }
}

function sincesOf({ vendorId, deviceId }: PciDevice): Since[] {
  if (vendorId === undefined || deviceId === undefined) return []
  const rows = acsRowsFor(vendorId, deviceId).flatMap(({ since }) => since ?? [])
  const { vendor, devices, since } = brokenSourceValidation
  return vendor === vendorId && devices(Number.parseInt(deviceId, 16)) ? [...rows, since] : rows
}
