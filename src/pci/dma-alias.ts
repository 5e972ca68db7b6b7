/**
 * DMA aliases: under which other requester ids a function's DMA may appear (`pci_for_each_dma_alias`,
 * drivers/pci/search.c, and the quirk table). It answers for one function or one bridge; walking and merging
 * is predict-groups.ts.
 */
import { type Judged, no, probablyNo, probablyYes, yes } from './judged.ts'
import { portTypeOf } from './multifunction.ts'
import type { PciDevice } from './device.ts'
import { aliasQuirksOf, type AliasQuirk, type AliasRule, hasAliasQuirks } from './quirks/dma-alias-quirks.ts'
import { holdsFor, type Kernel } from './quirks/kernel-release.ts'
import type { TopologyNode } from './topology-node.ts'

const noRules: readonly AliasQuirk[] = []

function rulesOf(device: PciDevice): readonly AliasQuirk[] {
  if (device.vendorId === undefined || device.deviceId === undefined) return noRules
  return aliasQuirksOf(device.vendorId, device.deviceId)
}

/** Does this bridge stand in for everything below it? Root, upstream and downstream ports do not. */
export function judgeTakesOver(bridge: TopologyNode, kernel: Kernel | undefined): Judged {
  const portType = portTypeOf(bridge.device)
  if (portType === undefined) return probablyYes
  // A conventional bridge: as itself, or, hidden behind a PCIe port, as secondary bus 00.0; either way the
  // bridge.
  if (portType === null || portType === 'pciToPcieBridge') return yes
  if (portType !== 'pcieToPciBridge') return no
  const exempt = rulesOf(bridge.device).find((row) => row.rule === 'bridgeWithoutAlias')
  const holds = exempt && holdsFor(exempt.since, kernel)
  return !exempt || holds === false ? yes : holds === undefined ? probablyYes : no
}

/** Translation happens below this bridge, so nothing above it sees aliases. */
export function translatesBelow(bridge: PciDevice): boolean {
  return rulesOf(bridge).some((row) => row.rule === 'translatesBelow')
}

/** True when `aliases` can say anything but a plain no: lets callers skip whole buses. */
export function hasAliasQuirk(node: TopologyNode): boolean {
  return lacksIds(node) || rulesOf(node.device).some((row) => !bridgeRules.has(row.rule))
}

const bridgeRules: ReadonlySet<AliasRule> = new Set([
  'hiddenPcieToPci',
  'bridgeWithoutAlias',
  'translatesBelow',
])

/**
 * No row can be looked up, and there is one this could be. All in the table are cards and switches, none sits
 * on a root bus.
 */
function lacksIds({ device: { vendorId, deviceId }, parent }: TopologyNode): boolean {
  if (!parent) return false
  return vendorId === undefined || (deviceId === undefined && hasAliasQuirks(vendorId))
}

/**
 * Does `from` also use the requester id of slot.function `to` on its own bus? The function there may not
 * exist.
 */
export function aliases(
  from: TopologyNode,
  to: { readonly slot: number; readonly function: number },
): Judged {
  if (lacksIds(from)) return probablyNo
  let answer = no
  for (const { rule } of rulesOf(from.device)) {
    const one = aliasesBy(rule, from, to)
    if (one.value) return one
    if (!one.sure) answer = one
  }
  return answer
}

function aliasesBy(
  rule: AliasRule,
  from: TopologyNode,
  to: { readonly slot: number; readonly function: number },
): Judged {
  const judge = (value: boolean) => (value ? yes : no)
  const sameSlot = to.slot === from.parts.slot
  switch (rule) {
    case 'function0':
      return judge(sameSlot && to.function === 0 && from.parts.function !== 0)
    case 'function1':
      return judge(sameSlot && to.function === 1 && from.parts.function !== 1)
    case 'adaptecSubsystem': {
      const { subsystemVendorId, subsystemId } = from.device
      if (to.slot !== 1 || to.function !== 0) return no
      if (subsystemVendorId === undefined || subsystemId === undefined) return probablyNo
      return judge(subsystemVendorId === '9005' && (subsystemId === '02bb' || subsystemId === '02bc'))
    }
    case 'phi':
      return judge(['16.0', '17.0', '18.3'].includes(`${to.slot}.${to.function}`))
    case 'everySlot':
      return judge(to.function <= 4)
    case 'wholeBus':
      return yes
    case 'switchtec':
      return from.device.classCode?.startsWith('0680') === false ? no : probablyNo
    case 'hiddenPcieToPci':
    case 'bridgeWithoutAlias':
    case 'translatesBelow':
      return no
  }
}
