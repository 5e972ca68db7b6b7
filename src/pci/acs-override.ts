/**
 * `pcie_acs_override=` of kernels with the out-of-tree patch: what it says, and what it makes the kernel
 * claim.
 */
import { yes, type Judged } from './judged.ts'
import { judgeMultifunction, portTypeOf } from './multifunction.ts'
import type { TopologyNode } from './topology-node.ts'

export type AcsOverride = {
  readonly downstream: boolean
  readonly multifunction: boolean
  /** `vvvv:dddd` pairs. */
  readonly ids: ReadonlySet<string>
}

/** Reads `pcie_acs_override=downstream,multifunction,id:8086:1572` from a kernel command line. */
export function parseAcsOverride(cmdline: string | undefined): AcsOverride | undefined {
  const values = [...(cmdline ?? '').matchAll(/(?:^|\s)pcie_acs_override=(\S+)/g)].flatMap((m) =>
    (m[1] ?? '').split(','),
  )
  if (values.length === 0) return undefined
  const ids = new Set<string>()
  for (const value of values) {
    const match = /^id:([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(value)
    if (match) ids.add(`${match[1]}:${match[2]}`.toLowerCase())
  }
  return { downstream: values.includes('downstream'), multifunction: values.includes('multifunction'), ids }
}

/**
 * The out-of-tree parameter only claims: never for conventional devices, never where an ACS capability
 * exists.
 */
export function claimOverride(node: TopologyNode, override: AcsOverride): Judged | undefined {
  const portType = portTypeOf(node.device)
  if (!portType || node.device.facts?.acs) return undefined
  if (override.ids.has(`${node.device.vendorId}:${node.device.deviceId}`)) return yes
  if (portType === 'rootPort' || portType === 'downstreamPort') return override.downstream ? yes : undefined
  const isEndpoint = portType !== 'pcieToPciBridge' && portType !== 'pciToPcieBridge'
  const claims = override.multifunction && isEndpoint && portType !== 'rootComplexEventCollector'
  return claims && judgeMultifunction(node).value ? yes : undefined
}
