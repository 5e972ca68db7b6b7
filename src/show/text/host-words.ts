/** How hosts and devices are named in text: shared by the tree, the table and the page about one device. */
import { codeWords } from '../../pci/class-code.ts'
import { countText, wrap } from '../../base/text.ts'
import { clean } from '../../base/printable.ts'
import { bytesText } from '../../base/size.ts'
import type { Host } from '../../host/host.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import type { DeviceJudgement, Judgement, Verdict } from '../../judge/types.ts'
import { shortName } from '../../judge/words.ts'
import type { Styler } from './style.ts'

export const verdictOrder: readonly Verdict[] = ['ready', 'caution', 'unknown', 'refused']

const symbols: Readonly<Record<Verdict, string>> = { ready: '✓', caution: '!', refused: '✗', unknown: '?' }

/** `✓ ready  `, always nine characters wide. */
export function verdictText(verdict: Verdict, style: Styler): string {
  const paint = { ready: style.green, caution: style.yellow, refused: style.red, unknown: style.cyan }[
    verdict
  ]
  return paint(`${symbols[verdict]} ${verdict.padEnd(7)}`)
}

export function kindText(device: PciDevice): string {
  return isBridge(device) ? portText(device) : clean(codeWords(device))
}

const portWords = {
  rootPort: 'root port',
  upstreamPort: 'switch, upstream port',
  downstreamPort: 'switch port',
  pcieToPciBridge: 'PCIe to PCI bridge',
  pciToPcieBridge: 'PCI to PCIe bridge',
} as const

function portText(device: PciDevice): string {
  const type = device.portType
  return type !== undefined && type in portWords ? portWords[type as keyof typeof portWords] : 'bridge'
}

export function nameText(device: PciDevice): string {
  const ids = device.vendorId === undefined ? '' : `[${device.vendorId}:${device.deviceId ?? '????'}]`
  return [device.name === undefined ? kindText(device) : shortName(clean(device.name)), ids]
    .filter(Boolean)
    .join(' ')
}

/** Interfaces with their addresses, and disks with size and model. */
export function attachedTexts(device: PciDevice): string[] {
  const interfaces = (device.networkInterfaces ?? []).map((one) =>
    [one.name, one.permanentMac ?? one.mac, one.carrier === false ? 'no link' : undefined]
      .filter(Boolean)
      .join(' '),
  )
  const disks = (device.disks ?? []).map((disk) =>
    [disk.name, disk.sizeBytes === undefined ? undefined : bytesText(disk.sizeBytes), disk.model, disk.serial]
      .filter(Boolean)
      .join(' '),
  )
  return [...interfaces, ...disks].map(clean)
}

/** The lines every page starts with: which machine, and the state of its IOMMU. */
export function hostHead(
  host: Host,
  judgement: Judgement,
  { style, columns }: { readonly style: Styler; readonly columns: number },
): string[] {
  const { distribution, kernel, cpu, memory, iommu } = host
  const machine = [
    distribution && [distribution.id, distribution.versionId].filter(Boolean).join(' '),
    kernel.release === undefined ? undefined : `Linux ${kernel.release}`,
    cpu.count === undefined ? undefined : countText(cpu.count, 'CPU'),
    memory.totalMiB === undefined ? undefined : bytesText(memory.totalMiB * 1024 * 1024),
    cpu.isGuest === true ? 'itself a virtual machine' : undefined,
  ].filter((part) => part !== undefined)
  const kinds = { intel: 'Intel VT-d', amd: 'AMD-Vi', other: 'not Intel or AMD' }
  const remapping = iommu.interruptRemapping
  const state = [
    iommu.kind === null ? iommu.state : `${iommu.state} (${kinds[iommu.kind]})`,
    remapping === undefined || iommu.state !== 'on'
      ? undefined
      : `interrupt remapping ${remapping ? 'on' : 'off'}`,
    judgement.groups.length > 0 ? countText(judgement.groups.length, 'group') : undefined,
  ].filter((part) => part !== undefined)
  const source =
    host.source.kind === 'live'
      ? 'this machine'
      : [host.source.kind, host.source.name].filter(Boolean).join(' ')
  const lines = wrap(clean([source, ...machine].join(' · ')), columns - 7)
  return [
    ...lines.map((line, index) => (index === 0 ? `${style.bold('Host')}   ${line}` : `       ${line}`)),
    `${style.bold('IOMMU')}  ${state.join(' · ')}`,
  ]
}

export function countsText(judged: readonly DeviceJudgement[], style: Styler): string {
  const counts = new Map<Verdict, number>()
  for (const { verdict } of judged) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  const paint = { ready: style.green, caution: style.yellow, refused: style.red, unknown: style.cyan }
  return verdictOrder
    .flatMap((verdict) => (counts.has(verdict) ? [paint[verdict](`${counts.get(verdict)} ${verdict}`)] : []))
    .join(', ')
}
