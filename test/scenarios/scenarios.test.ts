/**
 * One folder is one story: host.yaml (test/support/host-yaml.ts), home.yaml, and what `handover plan` says of
 * them in plan.txt. options.yaml holds what was said on the command line (`boot: false`). before.yaml is the
 * host on which home.lock was written; home.lock itself may be there instead. UPDATE=1 writes plan.txt again:
 * read what changed before you commit it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { exitCodeOf } from '../../src/app/spec-error.ts'
import { renderFindings } from '../../src/show/text/findings.ts'
import { renderPlan } from '../../src/show/text/plan.ts'
import { styler } from '../../src/show/text/style.ts'
import { findingCodes, type Finding } from '../../src/base/finding.ts'
import { plan, type PlanInput } from '../../src/plan/plan.ts'
import { refreshLock } from '../../src/plan/who/refresh-lock.ts'
import { formatLock, parseLock, type Lock } from '../../src/spec/lock.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import type { Spec } from '../../src/spec/spec.ts'
import { readHostYaml } from '../support/host-yaml.ts'

const folder = import.meta.dirname
const hosts = join(folder, 'hosts')
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'hosts')
  .map((entry) => entry.name)
  .toSorted()
const plain = styler(false)

type Told = { readonly text: string; readonly findings: readonly Finding[] }

function tell(name: string): Told {
  const file = (part: string) => join(folder, name, part)
  const text = readFileSync(file('home.yaml'), 'utf8')
  const parsed = parseSpec(text, 'home.yaml')
  const sources = new Map([['home.yaml', text]])
  const locked = parsed.spec === undefined ? { findings: [] } : lockOf(name, parsed.spec)
  const early = [...parsed.findings, ...locked.findings]
  if (parsed.spec === undefined || locked.findings.length > 0)
    return { findings: early, text: `exit ${exitCodeOf(early)}\n\n${renderFindings(early, plain, { sources: sources })}` }
  const host = readHostYaml(file('host.yaml'), hosts)
  const options = existsSync(file('options.yaml')) ? (parse(readFileSync(file('options.yaml'), 'utf8')) as PlanInput) : {}
  const given = { ...options, places: parsed.places, ...(locked.lock ? { lock: locked.lock } : {}) }
  const planned = plan(host, parsed.spec, given)
  const drawn = renderPlan(planned, { host, spec: parsed.spec, style: plain, columns: 80 })
  const said = renderFindings(planned.findings, plain, { sources: sources })
  return {
    findings: planned.findings,
    text: `exit ${exitCodeOf(planned.findings)}\n\n${drawn}${said === '' ? '' : `\n${said}`}`,
  }
}

function lockOf(name: string, spec: Spec): { lock?: Lock; findings: readonly Finding[] } {
  const written = join(folder, name, 'home.lock')
  if (existsSync(written)) return parseLock(readFileSync(written, 'utf8'), 'home.lock')
  const before = join(folder, name, 'before.yaml')
  if (!existsSync(before)) return { findings: [] }
  const host = readHostYaml(before, hosts)
  return parseLock(formatLock(refreshLock(host, spec, plan(host, spec).assignments)), 'home.lock')
}

const produced = new Set<string>()

describe('the scenarios', () => {
  it('are at least sixty, each named as a sentence', () => {
    expect(names.length).toBeGreaterThanOrEqual(60)
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+){3,}$/)
  })

  it.each(names)('%s', (name) => {
    const told = tell(name)
    for (const { code } of told.findings) produced.add(code)
    expect(tell(name).text).toBe(told.text)
    for (const line of told.text.split('\n--- ')[0]?.split('\n\nerror')[0]?.split('\n') ?? [])
      if (/^ {2}\S/.test(line) && !line.startsWith('  help') && !line.startsWith('  -->'))
        expect(line.length).toBeLessThanOrEqual(80)
    const expected = join(folder, name, 'plan.txt')
    if (process.env['UPDATE'] === '1') writeFileSync(expected, told.text)
    expect(told.text).toBe(existsSync(expected) ? readFileSync(expected, 'utf8') : '')
  })

  // Codes about reading a machine or an input come from readers; their tests are named in docs/findings.md.
  const fromReaders = new Set(['unreadable', 'input-incomplete'])

  it('produce every finding code', () => {
    expect(findingCodes.filter((code) => !produced.has(code) && !fromReaders.has(code))).toEqual([])
  })

  it('and docs/findings.md has a section for each code, and for no other', () => {
    const text = readFileSync(join(folder, '../../docs/findings.md'), 'utf8')
    const sections = [...text.matchAll(/^### `([a-z-]+)`$/gm)].map(([, code]) => code ?? '')
    expect(new Set(sections)).toEqual(new Set<string>(findingCodes))
    expect(sections.length).toBe(findingCodes.length)
  })
})
