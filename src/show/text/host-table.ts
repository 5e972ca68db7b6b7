/** `inspect --table`: one line per function, for people who grep. */
import { cut } from '../../base/text.ts'
import { clean } from '../../base/printable.ts'
import type { Host } from '../../host/host.ts'
import type { Judgement } from '../../judge/types.ts'
import { attachedTexts, nameText, verdictText } from './host-words.ts'
import type { TreeLook } from './host-tree.ts'

export function renderHostTable(host: Host, judgement: Judgement, { style, columns }: TreeLook): string {
  const judged = new Map(judgement.devices.map((one) => [one.address, one]))
  const addressWidth = Math.max(7, ...host.devices.map((device) => device.address.length))
  const driverWidth = Math.min(
    14,
    Math.max(6, ...host.devices.map((device) => (device.driver ?? '-').length)),
  )
  const head = `${'address'.padEnd(addressWidth)} group verdict   ${'driver'.padEnd(driverWidth)} device`
  const lines = [style.bold(head)]
  for (const device of host.devices) {
    const verdict = judged.get(device.address)?.verdict ?? 'unknown'
    const group = typeof device.iommuGroup === 'number' ? String(device.iommuGroup) : '-'
    const driver = cut(clean(device.driver ?? '-'), driverWidth).padEnd(driverWidth)
    const words = [nameText(device), ...attachedTexts(device)].join(' · ')
    const used = addressWidth + 1 + 6 + 10 + driverWidth + 1
    lines.push(
      `${device.address.padEnd(addressWidth)} ${group.padStart(5)} ${verdictText(verdict, style)} ` +
        `${driver} ${cut(words, Math.max(10, columns - used))}`,
    )
  }
  return `${lines.join('\n')}\n`
}
