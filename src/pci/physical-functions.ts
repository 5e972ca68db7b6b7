/** Which physical function each virtual one belongs to, as stated or by the arithmetic of SR-IOV. */
import type { AddressParts, PciAddress } from './address.ts'
import type { NodeDraft } from './topology-node.ts'

/**
 * Stated by sysfs (`physfn`), else computed from the SR-IOV capability: routing id = PF + offset + n ×
 * stride.
 */
export function assignPhysicalFunctions(
  drafts: readonly NodeDraft[],
  byAddress: ReadonlyMap<PciAddress, NodeDraft>,
): void {
  const mayHaveAny = ({ device }: NodeDraft) =>
    device.physFn !== undefined || device.facts?.sriov?.firstVfOffset
  if (!drafts.some(mayHaveAny)) return
  for (const node of drafts) {
    const stated = node.device.physFn === undefined ? undefined : byAddress.get(node.device.physFn)
    if (stated && stated !== node && stated.device.physFn === undefined) node.physicalFunction = stated
  }
  const hasVirtual = drafts.some(({ device }) => device.facts?.sriov?.firstVfOffset)
  const byRoutingId = new Map(hasVirtual ? drafts.map((node) => [routingId(node.parts), node]) : [])
  let budget = mostVirtualFunctions
  for (const node of drafts) {
    const sriov = node.device.facts?.sriov
    if (!sriov?.firstVfOffset || node.device.physFn !== undefined) continue
    const lastOfDomain = node.parts.domain * 0x10000 + 0xffff
    let id = routingId(node.parts) + sriov.firstVfOffset
    for (let n = 0; n < sriov.numVfs && id <= lastOfDomain && budget > 0; n += 1) {
      const vf = byRoutingId.get(id)
      if (vf && vf !== node && !vf.physicalFunction && vf.device.facts?.headerType !== 1)
        vf.physicalFunction = node
      id += Math.max(sriov.vfStride ?? 0, 1)
      budget -= 1
    }
  }
  // A virtual function has none of its own: a chain is a contradiction, and the nearer statement is dropped.
  for (const node of drafts) if (node.physicalFunction?.physicalFunction) delete node.physicalFunction
}

/**
 * More than any machine has, all its physical functions together; a lying capability claims 65,535 for each.
 */
const mostVirtualFunctions = 200_000

/** Bus, slot and function in 16 bits, the domain above them. */
function routingId(parts: AddressParts): number {
  return parts.domain * 0x10000 + ((parts.bus << 8) | (parts.slot << 3) | parts.function)
}
