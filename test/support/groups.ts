/** What pci/ says of groups, straight from functions that carry `config`, `facts` or both. */
import { withConfigFacts } from '../../src/pci/config-space.ts'
import type { PciDevice } from '../../src/pci/device.ts'
import { isolationIn, type Isolation, type StatedGroup } from '../../src/pci/isolation.ts'
import { findPlatform, type PlatformOptions } from '../../src/pci/platform.ts'
import {
  predictFromHardware,
  predictFromTopology,
  type PredictedGroup,
} from '../../src/pci/predict-groups.ts'
import type { Topology } from '../../src/pci/topology-node.ts'
import { findTopology } from '../../src/pci/topology.ts'

function topologyOf(devices: readonly PciDevice[]): Topology {
  return findTopology(
    devices.map((one) => (one.facts || one.config === undefined ? one : withConfigFacts(one))),
  )
}

/** In the kernel's order. */
export function predictGroups(
  devices: readonly PciDevice[],
  options: PlatformOptions = {},
): readonly PredictedGroup[] {
  return predictFromTopology(topologyOf(devices), options)
}

/** `options.control` is `as-read` where the IOMMU is on: then the control words are those in force. */
export function judgeIsolation(
  devices: readonly PciDevice[],
  groups: readonly StatedGroup[],
  options: PlatformOptions = {},
): readonly Isolation[] {
  const topology = topologyOf(devices)
  const { settings } = findPlatform(topology, options)
  const given = predictFromHardware(topology, options)
  return isolationIn(topology, groups, { settings, cmdline: options.cmdline }, given)
}
