/** `inspect ADDRESS`: everything about one function, its path to the root, and every reason with its help. */
import { findJudgement } from '../../judge/judge.ts'
import { wrap } from '../../base/text.ts'
import { clean } from '../../base/printable.ts'
import { bytesText } from '../../base/size.ts'
import type { Host } from '../../host/host.ts'
import { pathUp } from '../../pci/topology-node.ts'
import { findTopology } from '../../pci/topology.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import type { DeviceJudgement, Judgement } from '../../judge/types.ts'
import { chainText } from '../../judge/words.ts'
import { renderFindings } from './findings.ts'
import { attachedTexts, kindText, nameText, verdictText } from './host-words.ts'
import type { TreeLook } from './host-tree.ts'

type Row = readonly [label: string, text: string | undefined]

export function renderDevice(host: Host, judgement: Judgement, device: PciDevice, look: TreeLook): string {
  const { style } = look
  const judged = findJudgement(judgement, device.address)
  const rows: readonly Row[] = [
    ...ownRows(device),
    ...pathRows(host, device),
    ...groupRows(judgement, device, judged),
    ...hardwareRows(device),
    ...labelled('carries', attachedTexts(device)),
    ...labelled(
      'needed by',
      (judged?.neededBy ?? []).map((need) => chainText(need, undefined)),
    ),
  ]
  const verdict = judged && `  ${'verdict'.padEnd(11)} ${verdictText(judged.verdict, style)}`
  const lines = [
    style.bold(`${device.address}  ${nameText(device)}`),
    ...(verdict === undefined ? [] : [verdict]),
    ...rows.flatMap((row) => rowLines(row, look)),
  ]
  const reasons = judged?.reasons ?? []
  return `${lines.join('\n')}\n${reasons.length > 0 ? `\n${renderFindings(reasons, style, { columns: look.columns })}` : ''}`
}

function rowLines([label, text]: Row, { style, columns }: TreeLook): string[] {
  if (text === undefined || text === '') return []
  return wrap(clean(text), columns - 15).map(
    (line, index) => `  ${style.dim((index === 0 ? label : '').padEnd(11))} ${line}`,
  )
}

/** The label stands beside the first of several. */
function labelled(label: string, texts: readonly string[]): Row[] {
  return texts.map((text, index) => [index === 0 ? label : '', text])
}

function ownRows(device: PciDevice): Row[] {
  const slot = device.physicalSlot === undefined ? undefined : `slot ${device.physicalSlot}`
  return [
    ['kind', isBridge(device) ? kindText(device) : undefined],
    ['ids', idsText(device)],
    ['driver', driverText(device)],
    ['place', [device.path, slot].filter(Boolean).join(', ')],
  ]
}

function hardwareRows(device: PciDevice): Row[] {
  const { numaNode, deviceSerialNumber, nvmeSerial, vpdSerial, sasAddress } = device
  return [
    ['reset', resetText(device)],
    ['link', linkText(device)],
    ...labelled('memory', (device.bars ?? []).map(barText)),
    ['interrupts', interruptText(device)],
    ['SR-IOV', sriovText(device)],
    ['NUMA node', numaNode === undefined ? undefined : String(numaNode)],
    ['serial', [deviceSerialNumber, nvmeSerial, vpdSerial, sasAddress].filter(Boolean).join(', ')],
  ]
}

function sriovText({ sriov }: PciDevice): string | undefined {
  if (sriov === undefined) return undefined
  const counts = [sriov.numVfs, sriov.totalVfs].filter((count) => count !== undefined)
  return `${counts.join(' of ')} virtual functions in use`
}

function idsText(device: PciDevice): string | undefined {
  if (device.vendorId === undefined) return undefined
  const subsystem =
    device.subsystemVendorId === undefined
      ? undefined
      : `subsystem ${device.subsystemVendorId}:${device.subsystemId ?? '?'}`
  const parts = [
    `${device.vendorId}:${device.deviceId ?? '????'}`,
    subsystem,
    device.classCode === undefined ? undefined : `class ${device.classCode}`,
    device.revision === undefined ? undefined : `revision ${device.revision}`,
  ]
  return parts.filter(Boolean).join(', ')
}

function driverText(device: PciDevice): string | undefined {
  if (device.driver === undefined) return undefined
  const override = device.driverOverride ? `, override ${device.driverOverride}` : ''
  return `${device.driver ?? 'none'}${override}`
}

function pathRows(host: Host, device: PciDevice): Row[] {
  const topology = findTopology(host.devices)
  const node = topology.byAddress.get(device.address)
  const above = node ? pathUp(node).toReversed() : []
  return above.map(({ device: port }, index) => {
    const words = [
      kindText(port),
      linkText(port),
      port.facts?.acs ? 'ACS' : port.facts?.acs === null ? 'no ACS' : undefined,
    ]
    return [index === 0 ? 'path' : '', `${port.address} ${words.filter(Boolean).join(', ')}`] as const
  })
}

function groupRows(judgement: Judgement, device: PciDevice, judged: DeviceJudgement | undefined): Row[] {
  const group = judgement.groups.find((one) => one.devices.includes(device.address))
  const rows: Row[] = []
  if (group) {
    const others = judged?.goesWith.length ? `, together with ${judged.goesWith.join(', ')}` : ''
    rows.push(['group', `${group.id}${others}`])
    if (group.viable !== undefined)
      rows.push(['', group.viable ? 'ready for VFIO' : 'a host driver holds a member'])
    if (group.isolated !== 'unknown')
      rows.push([
        '',
        group.isolated === 'yes' ? 'isolated on the whole path' : 'not isolated on the whole path',
      ])
  }
  const forecast = judgement.predicted?.find((one) => one.devices.includes(device.address))
  if (forecast) {
    const others = forecast.devices.filter((address) => address !== device.address)
    const sure = forecast.confidence === 'high' ? '' : ' (not certain)'
    rows.push([
      'forecast',
      `${others.length === 0 ? 'a group of its own' : `one group with ${others.join(', ')}`}${sure}`,
    ])
  }
  return rows
}

function resetText(device: PciDevice): string | undefined {
  if (device.resetMethods === undefined) return undefined
  return device.resetMethods.length > 0 ? device.resetMethods.join(', ') : 'none'
}

function linkText(device: PciDevice): string | undefined {
  const { link } = device
  if (!link) return undefined
  const now = link.speed === undefined ? undefined : `${link.speed} x${link.width ?? '?'}`
  const best = link.maxSpeed === undefined ? undefined : `${link.maxSpeed} x${link.maxWidth ?? '?'}`
  return now === best || best === undefined
    ? now
    : now === undefined
      ? `at best ${best}`
      : `${now}, at best ${best}`
}

function barText(bar: NonNullable<PciDevice['bars']>[number]): string {
  const space = bar.kind === 'io' ? 'I/O ports' : 'memory'
  const kind = bar.kind === 'rom' ? 'ROM' : bar.index === undefined ? space : `BAR ${bar.index} ${space}`
  const words = [
    kind,
    bar.size === undefined ? undefined : bytesText(bar.size),
    bar.is64Bit ? '64-bit' : undefined,
    bar.prefetchable ? 'prefetchable' : undefined,
  ]
  return `${words.filter(Boolean).join(', ')}${bar.base === undefined ? '' : ` at 0x${bar.base}`}`
}

function interruptText(device: PciDevice): string | undefined {
  const { msiVectors, msixVectors } = device.facts ?? {}
  const words = [
    msiVectors ? `MSI ${msiVectors}` : undefined,
    msixVectors ? `MSI-X ${msixVectors}` : undefined,
  ]
  return clean(words.filter(Boolean).join(', ')) || undefined
}
