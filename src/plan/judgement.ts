/** Stand-in until judge/ lands: refuses what the host needs, bridges, and what has no IOMMU group. */
import type { Finding } from '../finding.ts'
import type { Host } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'

export type DeviceJudgement = {
  readonly address: PciAddress
  readonly verdict: 'ready' | 'caution' | 'refused' | 'unknown'
  readonly reasons: readonly Finding[]
}

const codes = {
  disk: 'host-disk',
  network: 'host-network',
  display: 'boot-display',
  console: 'host-console',
  input: 'host-input',
  chipset: 'group-not-viable',
  vm: 'group-not-viable',
} as const

export function judgeHost(host: Host): { devices: readonly DeviceJudgement[]; findings: readonly Finding[] } {
  return { devices: host.devices.map((device) => judgeDevice(device, host)), findings: [] }
}

function judgeDevice(device: PciDevice, host: Host): DeviceJudgement {
  const { address } = device
  const about = [address]
  if (isBridge(device))
    return {
      address,
      verdict: 'refused',
      reasons: [{ code: 'not-an-endpoint', severity: 'error', message: `${address} is a bridge`, about }],
    }
  const group = host.groups.find((group) => group.devices.includes(address))
  const reasons: Finding[] = host.needs
    .filter((need) => need.weight === 'vital' && (need.device === address || group?.devices.includes(need.device)))
    .map((need) => ({
      code: codes[need.kind],
      severity: 'error',
      message: `the host needs ${need.device === address ? address : `${need.device} in group ${group?.id ?? '?'}`}: ${[need.what, ...need.chain, need.device].join(' → ')}`,
      about,
    }))
  if (group === undefined)
    reasons.push({ code: 'iommu-off', severity: 'error', message: `${address} is in no IOMMU group`, about })
  return { address, verdict: reasons.length > 0 ? 'refused' : 'ready', reasons }
}
