/**
 * `reset_method` for devices that leave, where the kernel would reset them in a way known to be bad and lists
 * one that works. Only what the quirk table says (pci/quirks/reset-quirks.ts); the early binding does the
 * same at every boot.
 */
import { bindingsPath } from '../../boot/early-binding.ts'
import type { Host } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import { withConfigFacts } from '../../pci/config-space.ts'
import type { Identity } from '../../pci/identity.ts'
import { resetQuirksOf } from '../../pci/quirks/reset-quirks.ts'
import { judgeReset } from '../../pci/reset.ts'
import { findTopology } from '../../pci/topology.ts'
import type { Step } from '../../steps/step.ts'

type Leaving = { readonly address: PciAddress; readonly identity: Identity }

export type ResetPlan = {
  readonly steps: readonly Step[]
  /** What each device may use, by address: also where it is so already. */
  readonly methods: ReadonlyMap<PciAddress, readonly string[]>
}

export function planResets(host: Host, leaving: readonly Leaving[]): ResetPlan {
  const steps: Step[] = []
  const methods = new Map<PciAddress, readonly string[]>()
  const devices = new Map(host.devices.map((device) => [device.address, device]))
  const known = leaving.filter(({ address }) => hasRule(devices.get(address)))
  if (known.length === 0) return { steps, methods }
  const topology = findTopology(host.devices.map((one) => (one.facts ? one : withConfigFacts(one))))
  for (const { address, identity } of known) {
    const stated = devices.get(address)?.resetMethods ?? []
    const instead = judgeReset(topology, address, host.kernel.release)?.instead
    const limited = instead ?? (isLimited(host, identity, stated) ? stated : undefined)
    if (limited !== undefined) methods.set(address, limited)
    if (instead === undefined) continue
    steps.push({
      kind: 'sysfs',
      path: `/sys/bus/pci/devices/${address}/reset_method`,
      of: { address, identity },
      before: stated.join(' '),
      after: instead.join(' '),
      why: 'the reset this kernel would use is known not to work',
    })
  }
  return { steps, methods }
}

function hasRule(device: Host['devices'][number] | undefined): boolean {
  return (
    device !== undefined && resetQuirksOf(device).some(({ rule }) => rule === 'noFlr' || rule === 'noPmReset')
  )
}

/**
 * The bindings of an earlier plan limit it already: then the list on the machine is ours and must stay in
 * them.
 */
function isLimited(host: Host, { path }: Identity, stated: readonly string[]): boolean {
  const bindings = host.files?.find((file) => file.path === bindingsPath)?.text ?? ''
  const line = bindings.split('\n').find((one) => one.startsWith(`${path} `))
  return line?.split(' ')[6] === stated.join(',')
}
