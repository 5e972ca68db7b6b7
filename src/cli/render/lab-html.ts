/**
 * The lab's report as one file that opens offline: no script, no font, no address of anybody. Colours follow
 * the reader's choice of light or dark; every colour is doubled by a word.
 */
import { acceleratorWords } from '../../base/accelerator.ts'
import { escapeXml } from '../../base/escape.ts'
import type { Check, LabResult, Phase } from '../../lab/result.ts'
import { measurementRatios } from './lab.ts'

export type LabPictures = {
  /** The passed-through display as PNG. */
  readonly screen?: Uint8Array
  /** The host as SVG text. */
  readonly host?: string
}

export function renderLabHtml(result: LabResult, pictures: LabPictures): string {
  const passed = result.checks.filter((check) => check.result === 'pass').length
  const verdict = result.ok
    ? `All ${passed} checks hold`
    : `${result.checks.length - passed} of ${result.checks.length} checks do not hold`
  const sections = [
    `<header><p class="verdict ${result.ok ? 'pass' : 'fail'}">${escapeXml(verdict)}</p>` +
      `<h1>Handover lab: ${escapeXml(result.topology)}</h1>`,
    `<p>A virtual host, the built tool inside it, real guests with real vfio-pci. ` +
      `${escapeXml(setting(result))}</p></header>`,
    pictures.host === undefined ? '' : section('The host', `<div class="picture">${pictures.host}</div>`),
    section('Checks', checksTable(result.checks)),
    result.measurements.length === 0
      ? ''
      : section('4 KiB reads from one disk, three ways', measurementBars(result)),
    pictures.screen === undefined
      ? ''
      : section('The passed-through display, seen from outside', screenImage(pictures.screen)),
    section('Time of each phase', phaseBars(result.phases, result.seconds)),
    section('The session', result.session.map(sessionPart).join('\n')),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Handover lab: ${escapeXml(result.topology)} — ${escapeXml(verdict)}</title>
<style>${style}</style>
</head>
<body>
<main>
${sections.filter(Boolean).join('\n')}
</main>
</body>
</html>
`
}

function setting(result: LabResult): string {
  const guests =
    result.guestAccelerator === null ? '' : `, its guests under ${acceleratorWords(result.guestAccelerator)}`
  const host = `${acceleratorWords(result.accelerator)} (${result.acceleratorWhy})`
  const versions = `kernel ${result.kernel}, QEMU ${result.qemu}`
  return `The host ran under ${host}${guests}; ${versions}; ${result.seconds.toFixed(0)} s in all.`
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeXml(title)}</h2>\n${body}</section>`
}

function checksTable(checks: readonly Check[]): string {
  const rows = checks.map(({ result, name, evidence }) => {
    const what = `<strong>${escapeXml(name)}</strong><br><span class="evidence">${escapeXml(evidence)}</span>`
    return `<tr><td class="${result}">${result === 'pass' ? '✓ pass' : '✗ fail'}</td><td>${what}</td></tr>`
  })
  return `<table>${rows.join('\n')}</table>`
}

function measurementBars(result: LabResult): string {
  const ratios = measurementRatios(result.measurements)
  const full = Math.max(...ratios.map((row) => row.ratio))
  const rows = ratios.map(({ way, ratio, mbPerSecond }) =>
    bar(way, ratio, full, `${ratio.toFixed(2)} × bare host (${mbPerSecond.toFixed(1)} MB/s)`),
  )
  const note = '<p class="evidence">Emulated hardware: the shape, not the speed.</p>'
  return `${note}<div class="bars">${rows.join('\n')}</div>`
}

function phaseBars(phases: readonly Phase[], total: number): string {
  const longest = Math.max(...phases.map((phase) => phase.seconds), 0.1)
  const rows = phases.map((phase) => bar(phase.name, phase.seconds, longest, `${phase.seconds.toFixed(1)} s`))
  const note = `<p class="evidence">${total.toFixed(1)} s in all; emulated hardware.</p>`
  return `<div class="bars">${rows.join('\n')}</div>${note}`
}

function bar(name: string, value: number, full: number, label: string): string {
  const width = Math.max(0.5, Math.min(100, (100 * value) / full)).toFixed(1)
  const rail = `<span class="rail"><span style="width:${width}%"></span></span>`
  return `<div class="bar"><span>${escapeXml(name)}</span>${rail}<span>${escapeXml(label)}</span></div>`
}

function screenImage(png: Uint8Array): string {
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
  return `<img class="screen" alt="Eight coloured bands, as the media guest painted them" src="${source}">`
}

function sessionPart({ command, lines, status }: LabResult['session'][number]): string {
  const plain = lines.map((line) => line.replaceAll(/\u001b\[[0-9;]*m/g, '')).join('\n')
  const open = command.includes('inspect') || command.includes('verify') ? ' open' : ''
  const ended = status === 0 ? '' : ` (status ${status})`
  const summary = `<summary><code>labhost# ${escapeXml(command)}</code>${ended}</summary>`
  return `<details${open}>${summary}<pre>${escapeXml(plain)}</pre></details>`
}

const style = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5a6475; --page: #f6f7f9; --card: #fff;
  --line: #dfe3ea; --good: #1c7c43; --bad: #b3261e; --bar: #3a6ea5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa5b8; --page: #14181f;
  --card: #1c222c; --line: #313a48; --good: #63c98b; --bad: #ff8a80; --bar: #6aa3dd; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.7rem; margin: .2rem 0 } h2 { font-size: 1.15rem; margin: 0 0 .8rem }
.verdict { font-weight: 700; font-size: 1.1rem; margin: 0 }
.pass { color: var(--good) } .fail { color: var(--bad) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.2rem;
  margin-top: 1.2rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid var(--line); padding: .5rem .6rem; vertical-align: top }
tr:first-child td { border-top: 0 } td:first-child { white-space: nowrap; font-weight: 600; width: 5rem }
.evidence { color: var(--soft); font-size: .88rem; overflow-wrap: anywhere }
.bar { display: grid; grid-template-columns: 13rem 1fr 14rem; gap: .8rem; align-items: center;
  margin: .25rem 0 }
.rail { background: var(--line); border-radius: 4px; height: .8rem; display: block }
.rail span { display: block; height: 100%; border-radius: 4px; background: var(--bar) }
.screen { max-width: 100%; width: 40rem; border: 1px solid var(--line); border-radius: 6px }
.picture svg { max-width: 100%; height: auto }
pre { overflow-x: auto; font-size: .8rem; line-height: 1.35 } summary { cursor: pointer; padding: .3rem 0 }
@media (max-width: 45rem) { .bar { grid-template-columns: 1fr } }
`
