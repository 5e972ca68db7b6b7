/** The few words the picture and the report say about a function. */
import { bytesText } from '../../base/size.ts'
import type { Host } from '../../host/host.ts'
import type { PciDevice } from '../../pci/device.ts'
import { codeWords } from '../../pci/class-code.ts'
import { briefWords } from '../../judge/reasons.ts'
import { shortName } from '../../judge/words.ts'
import type { DeviceJudgement } from '../../judge/types.ts'

export function titleOf(device: PciDevice): string {
  return device.name === undefined ? codeWords(device) : shortName(device.name)
}

export function usesOf(device: PciDevice): string {
  const interfaces = (device.networkInterfaces ?? []).map((one) =>
    `${one.name} ${one.permanentMac ?? one.mac ?? ''}`.trim(),
  )
  const disks = (device.disks ?? []).map((disk) =>
    [disk.name, disk.model, disk.sizeBytes === undefined ? undefined : bytesText(disk.sizeBytes)]
      .filter(Boolean)
      .join(' '),
  )
  return [...interfaces, ...disks].join(' · ')
}

/** The kernel's names of its interfaces and disks: `eth1`, `sdb, sdc`. */
export function namesOf(device: PciDevice): string {
  return [...(device.networkInterfaces ?? []), ...(device.disks ?? [])].map((one) => one.name).join(', ')
}

/** Why, in a few words: what the host needs it for, else the weightiest reason. */
export function whyOf(device: PciDevice, judged: DeviceJudgement | undefined): string {
  const needs = (judged?.neededBy ?? []).filter((need) => need.weight === 'vital')
  if (needs.length > 0) return `the host needs it: ${[...new Set(needs.map((need) => need.what))].join(', ')}`
  const reason =
    judged?.reasons.find((one) => one.severity === 'error') ??
    judged?.reasons.find((one) => one.undecided === true) ??
    judged?.reasons.find((one) => one.severity === 'warning')
  return reason === undefined ? '' : briefWords(reason, device.address)
}

export function driverOf(device: PciDevice): string {
  return device.driver ? `driver ${device.driver}` : device.driver === null ? 'no driver' : ''
}

export function machineOf(host: Host): string {
  const { distribution, kernel, memory } = host
  const parts = [
    host.machine,
    distribution && [distribution.id, distribution.versionId].filter(Boolean).join(' '),
    kernel.release === undefined ? undefined : `Linux ${kernel.release}`,
    memory.totalMiB === undefined ? undefined : bytesText(memory.totalMiB * 1024 * 1024),
  ]
  return parts.filter(Boolean).join(' · ')
}

export function iommuOf(host: Host): string {
  const kinds = { intel: 'Intel VT-d', amd: 'AMD-Vi', other: 'IOMMU' }
  const { state, kind, interruptRemapping } = host.iommu
  const remapping =
    interruptRemapping === undefined || state !== 'on'
      ? ''
      : `, interrupt remapping ${interruptRemapping ? 'on' : 'off'}`
  return `${kind === null ? 'IOMMU' : kinds[kind]} ${state}${remapping}`
}
