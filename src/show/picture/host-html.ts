/**
 * The report of `inspect --html`: one file with the picture, a verdict for every device with its reasons, and
 * what holds for the host as a whole. Opens offline; nothing is loaded, nothing runs.
 */
import { escapeXml } from '../../base/escape.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import type { DeviceJudgement, Judgement, Verdict } from '../../judge/types.ts'
import { chainText } from '../../judge/words.ts'
import type { Owners } from './host-rows.ts'
import { renderHostSvg } from './host-svg.ts'
import { driverOf, iommuOf, machineOf, titleOf, usesOf } from './host-text.ts'
import { element } from './svg.ts'

export function renderHostHtml(host: Host, judgement: Judgement, owners: Owners = {}): string {
  const judged = new Map(judgement.devices.map((one) => [one.address, one]))
  const shown = host.devices.filter(
    (device) => !isBridge(device) && !isOfTheBoard(judged.get(device.address)),
  )
  const order: readonly Verdict[] = ['ready', 'caution', 'unknown', 'refused']
  return page(
    machineOf(host) || 'host',
    element('h1', {}, 'What this host can give to virtual machines'),
    element('p', { class: 'lead' }, escapeXml([machineOf(host), iommuOf(host)].filter(Boolean).join(' — '))),
    element('div', { class: 'picture' }, renderHostSvg(host, judgement, owners)),
    ...findingsSection(judgement.findings, host.findings),
    ...order.flatMap((verdict) => section(verdict, shown, { judged, owners })),
  )
}

const headings: Readonly<Record<Verdict, string>> = {
  ready: 'Ready to be given away',
  caution: 'Possible, with a drawback',
  unknown: 'Not enough is known',
  refused: 'Stays with the host',
}

type Known = { readonly judged: ReadonlyMap<string, DeviceJudgement>; readonly owners: Owners }

function isOfTheBoard(judged: DeviceJudgement | undefined): boolean {
  return judged?.reasons.some((reason) => reason.code === 'host-chipset') === true
}

function section(verdict: Verdict, devices: readonly PciDevice[], known: Known): string[] {
  const rows = devices.filter(
    (device) => (known.judged.get(device.address)?.verdict ?? 'unknown') === verdict,
  )
  if (rows.length === 0) return []
  return [
    element('h2', { class: verdict }, escapeXml(`${headings[verdict]} (${rows.length})`)),
    ...rows.map((device) => deviceEntry(device, known)),
  ]
}

function deviceEntry(device: PciDevice, known: Known): string {
  const judged = known.judged.get(device.address)
  const owner = known.owners[device.address]
  const group = typeof device.iommuGroup === 'number' ? `group ${device.iommuGroup}` : undefined
  const ids = device.vendorId === undefined ? undefined : `${device.vendorId}:${device.deviceId ?? '????'}`
  const facts = [
    ids,
    group,
    driverOf(device),
    usesOf(device),
    owner === undefined ? undefined : `given to ${owner}`,
  ]
  const needs = (judged?.neededBy ?? []).map((need) =>
    element('li', {}, escapeXml(chainText(need, undefined))),
  )
  const reasons = (judged?.reasons ?? []).map(findingItem)
  const body = [
    needs.length > 0 ? element('p', {}, 'The host needs it for') + element('ul', {}, ...needs) : '',
    reasons.length > 0 ? element('ul', {}, ...reasons) : element('p', {}, 'Nothing speaks against it.'),
  ]
  return element(
    'details',
    {},
    element(
      'summary',
      {},
      element('code', {}, device.address),
      ` ${escapeXml(titleOf(device))} `,
      element('span', { class: 'facts' }, escapeXml(facts.filter(Boolean).join(' · '))),
    ),
    ...body,
  )
}

function findingsSection(...lists: readonly (readonly Finding[])[]): string[] {
  const items = lists.flat().map(findingItem)
  return items.length === 0 ? [] : [element('h2', {}, 'About the host'), element('ul', {}, ...items)]
}

function findingItem(finding: Finding): string {
  const help = finding.help === undefined ? '' : element('p', { class: 'help' }, escapeXml(finding.help))
  return element(
    'li',
    { class: finding.severity },
    element('code', {}, finding.code),
    ` ${escapeXml(finding.message)}`,
    help,
  )
}

/** The page loads nothing from anywhere, and its policy makes the browser refuse to. */
export function page(title: string, ...body: readonly string[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)} – Handover</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
${body.join('\n')}
</main>
</body>
</html>
`
}

const pageStyle = `
:root{color-scheme:light dark;--ink:#17202b;--soft:#586474;--back:#fff;--edge:#d5dae1;--ready:#1a7f4b;--caution:#9a6200;--refused:#b3312c;--unknown:#44607e}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9aa7b6;--back:#0d1116;--edge:#323b47;--ready:#4cc38a;--caution:#e0a83c;--refused:#f0736c;--unknown:#8fb0d2}}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}h2{font-size:17px;margin:28px 0 8px}
h2.ready{color:var(--ready)}h2.caution{color:var(--caution)}h2.refused{color:var(--refused)}h2.unknown{color:var(--unknown)}
.lead,.facts,.help{color:var(--soft)}.help{margin:2px 0 6px}.picture{margin:18px 0;overflow-x:auto}
code{font:13px ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
details{border:1px solid var(--edge);border-radius:8px;padding:8px 12px;margin:6px 0}summary{cursor:pointer}
li.error>code{color:var(--refused)}li.warning>code{color:var(--caution)}li.note>code{color:var(--unknown)}
`
