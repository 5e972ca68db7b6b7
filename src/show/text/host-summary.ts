/**
 * A few lines about a host: what it is, its IOMMU, what could be given away. For those who asked for
 * something else.
 */
import type { Host } from '../../host/host.ts'
import type { Judgement } from '../../judge/types.ts'
import { countsText, hostHead, nameText } from './host-words.ts'
import type { Styler } from './style.ts'

const mostNamed = 5

export function renderHostSummary(host: Host, judgement: Judgement, style: Styler): string {
  const asked = judgement.devices.filter(
    ({ reasons }) =>
      !reasons.some((reason) => reason.code === 'not-an-endpoint' || reason.code === 'host-chipset'),
  )
  const lines = [
    ...hostHead(host, judgement, { style, columns: 80 }),
    `devices that could be asked for: ${asked.length === 0 ? 'none' : countsText(asked, style)}`,
  ]
  const free = asked.filter((one) => one.verdict === 'ready' || one.verdict === 'caution')
  for (const { address } of free.slice(0, mostNamed)) {
    const device = host.devices.find((candidate) => candidate.address === address)
    if (device) lines.push(`  ${address}  ${nameText(device)}`)
  }
  if (free.length > mostNamed) lines.push(`  and ${free.length - mostNamed} more: handover inspect`)
  return lines.join('\n')
}
