import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(() => {
  if (!existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
  folder = mkdtempSync(join(tmpdir(), 'handover-streams-'))
  const device = join(folder, 'tree/sys/bus/pci/devices/0000:00:1f.2')
  mkdirSync(device, { recursive: true })
  writeFileSync(join(device, 'uevent'), 'PCI_CLASS=10601\nPCI_ID=8086:A102\n')
  // Gone while it is read, which makes a finding.
  symlinkSync('nowhere', join(folder, 'tree/sys/bus/pci/devices/0000:00:1e.0'))
  writeFileSync(
    join(folder, 'asks-too-much.yaml'),
    'version: 1\nvms: { a: { memory: 1 GiB, autostart: false, devices: { x: { class: gpu } } } }\n',
  )
  writeFileSync(
    join(folder, 'list'),
    '00:1f.2 SATA controller [0106]: Intel Corporation Device [8086:a102] (rev 31)\n',
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const node = process.execPath
const handover = resolve('dist/handover.cjs')
// Of the whole bundle, and of the one of inspect alone.
const both = ['inspect --from list', 'inspect --root tree'].map((line) => `${node} ${handover} ${line}`)
const coloured = (text: string) => text.includes('\u001b[')

/** A line for the shell; on a terminal of its own by util-linux's `script`, else with pipes. */
function run(line: string, how: { readonly isTerminal?: boolean; readonly env?: NodeJS.ProcessEnv } = {}) {
  const { NO_COLOR: _none, FORCE_COLOR: _forced, ...env } = process.env
  const argv = how.isTerminal ? ['script', '-qec', line, '/dev/null'] : ['bash', '-c', line]
  const [program = '', ...args] = argv
  const done = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, ...how.env },
    timeout: 60_000,
  })
  return { status: done.status, out: done.stdout, err: done.stderr }
}

describe('what a command says', () => {
  it.each(both)('has colours on a terminal only, unless they are asked for or not wanted: %s', (line) => {
    expect(coloured(run(line, { isTerminal: true }).out)).toBe(true)
    expect(coloured(run(line, { isTerminal: true, env: { NO_COLOR: '1' } }).out)).toBe(false)
    expect(coloured(run(`${line} --no-color`, { isTerminal: true }).out)).toBe(false)
    expect(run(`${line} >out 2>err`, { isTerminal: true })).toMatchObject({ status: 0, out: '' })
    expect(
      coloured(readFileSync(join(folder, 'out'), 'utf8') + readFileSync(join(folder, 'err'), 'utf8')),
    ).toBe(false)
    expect(coloured(run(line).out)).toBe(false)
    expect(coloured(run(line, { env: { FORCE_COLOR: '1' } }).out)).toBe(true)
  })

  it.each(both)('is ASCII in the locale C, and has no colours on a dumb terminal: %s', (line) => {
    const { out, err } = run(line, { env: { LC_ALL: 'C' } })
    expect(`${out}${err}`).toMatch(/^[\n -~]*$/)
    expect(out).toContain('`- ')
    expect(run(line, { env: { LC_ALL: '', LC_CTYPE: '', LANG: '' } }).out).toContain('└─ ')
    expect(JSON.parse(run(`${line} --json`, { env: { LC_ALL: 'C' } }).out)).toEqual(
      JSON.parse(run(`${line} --json`, { env: { LC_ALL: 'C.UTF-8' } }).out),
    )
    expect(coloured(run(line, { isTerminal: true, env: { TERM: 'dumb' } }).out)).toBe(false)
  })

  it.each([
    ['inspect --from nothing --json', 2, 'usage'],
    ['inspect --no-such-word --json', 2, 'usage'],
    ['plan --json', 2, 'usage'],
    ['confirm --json --root tree', 1, 'failed'],
    ['lock asks-too-much.yaml --json --root tree', 1, 'device-missing'],
    ['apply asks-too-much.yaml --yes --json --root tree', 1, 'device-missing'],
    ['lab run asks-too-much.yaml --json', 2, 'spec-value'],
  ])('is one JSON document with --json, also when it fails: %s', (line, status, code) => {
    const said = run(`${node} ${handover} ${line}`)
    expect(said.status).toBe(status)
    const { schema, findings: found } = JSON.parse(said.out) as { schema: number; findings: unknown[] }
    expect([schema, found[0]]).toMatchObject([1, { severity: 'error', code }])
    expect(said.err).toContain('error')
  })

  it('greets who asks for nothing, and names the next command', () => {
    const said = run(`${node} ${handover}`)
    expect(said).toMatchObject({ status: 0, err: '' })
    expect(said.out).toContain('handover inspect')
  })

  it.each(both)('goes to its stream whole, also where the other is not wanted: %s', (line) => {
    const { out, err } = run(line)
    expect(out).toContain('00:1f.2')
    // Why the verdict is open stands nowhere else on the page.
    expect(err.replaceAll(/\n {4}/g, ' ')).toContain('does not say whether the host itself uses 0000:00:1f.2')
    for (const text of err.split('\n')) expect(text.length).toBeLessThanOrEqual(80)
    expect(run(`${line} 2>/dev/null`)).toEqual({ status: 0, out, err: '' })
    expect(run(`${line} >/dev/null`)).toEqual({ status: 0, out: '', err })
    expect(run(`${line} 2>&-`)).toEqual({ status: 0, out, err: '' })
    expect(run(`set -o pipefail; ${line} 2>&1 >/dev/null | head -c 1`)).toMatchObject({
      status: 0,
      out: err[0],
    })
  })

  it.each(both)('does not end for a reader of standard error that left: %s', (line) => {
    const { out } = run(line)
    expect(run(`${line} 2> >(exec 0<&-; exec sleep 0.1)`)).toMatchObject({ status: 0, out })
    expect(run(`exec 9> >(exec 0<&-; exec true); sleep 0.2; ${line} 2>&9`)).toMatchObject({ status: 0, out })
  })
})
