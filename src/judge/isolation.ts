/**
 * Group truth: what the hardware on the path really keeps apart, beside what the kernel's groups claim. Adds
 * to pci/isolation.ts the one case the kernel itself does not see: a switch whose downstream ports have no
 * ACS. Linux asks only the port's own parents, so such ports get groups of their own, while the switch passes
 * requests between them.
 */
import { judgeAcs } from '../pci/acs.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge } from '../pci/device.ts'
import { isolationIn, type Isolation } from '../pci/isolation.ts'
import { isHardwareAsPredicted, predictFromHardware } from '../pci/predict-groups.ts'
import { findPlatform } from '../pci/platform.ts'
import type { Topology, TopologyNode } from '../pci/topology-node.ts'
import type { HostView } from './host-view.ts'

export function isolationOf(view: HostView): Map<number, Isolation> {
  const { host, topology, platform } = view
  const control = host.iommu.state === 'on' ? ('as-read' as const) : ('kernel' as const)
  const options = { ...platform, control }
  const given = isHardwareAsPredicted(topology, options)
    ? view.predicted()
    : predictFromHardware(topology, options)
  const found = new Map<number, Isolation>()
  const { settings } = findPlatform(topology, options)
  isolationIn(topology, view.groups, { settings, cmdline: platform.cmdline }, given).forEach((one) =>
    found.set(one.id, one),
  )
  const leaking = topology.nodes.filter(
    (node) => node.device.portType === 'downstreamPort' && isSurelyOpen(judgeAcs(node, settings)),
  )
  if (leaking.length === 0) return found
  const byBridge = childrenOf(topology)
  for (const port of leaking) {
    const own = view.groupOf(port.device)
    if (own === undefined || found.get(own.id)?.isolated === 'no') continue
    const reaches = functionsBeside(port, byBridge).filter((address) => !own.devices.includes(address))
    if (reaches.length > 0)
      found.set(own.id, { id: own.id, isolated: 'no', port: port.address, why: 'no-acs', reaches })
  }
  return found
}

function isSurelyOpen(acs: { readonly value: boolean; readonly sure: boolean }): boolean {
  return acs.sure && !acs.value
}

function childrenOf(topology: Topology): Map<TopologyNode, TopologyNode[]> {
  const children = new Map<TopologyNode, TopologyNode[]>()
  for (const node of topology.nodes) {
    if (!node.parent) continue
    const list = children.get(node.parent)
    if (list) list.push(node)
    else children.set(node.parent, [node])
  }
  return children
}

/** Endpoints below the other downstream ports of the same switch. */
function functionsBeside(
  port: TopologyNode,
  children: ReadonlyMap<TopologyNode, readonly TopologyNode[]>,
): PciAddress[] {
  const found: PciAddress[] = []
  const pending = (port.parent ? (children.get(port.parent) ?? []) : []).filter((node) => node !== port)
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (!isBridge(node.device)) found.push(node.address)
    pending.push(...(children.get(node) ?? []))
  }
  return found.sort()
}
