import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(() => {
  if (!existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
  folder = mkdtempSync(join(tmpdir(), 'handover-cli-'))
  writeFileSync(join(folder, 'broken.yaml'), 'version: 1\nvms: [\n')
  writeFileSync(join(folder, 'typo.yaml'), 'version: 1\nvms:\n  box:\n    cpus: 2\n    memroy: 1 GiB\n')
  writeFileSync(join(folder, 'lab.yaml'), 'version: 1\nname: x\niommu: arm\n')
  writeFileSync(join(folder, 'noise.txt'), 'nothing to see here\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The built command, as a user runs it. */
function handover(...args: readonly string[]) {
  const done = spawnSync(
    './handover',
    args.map((arg) => arg.replace('@', folder)),
    { encoding: 'utf8', timeout: 60_000 },
  )
  return { status: done.status, out: done.stdout, err: done.stderr }
}

describe('bad input gets one clear error, a help line and the right exit code', () => {
  it.each([
    [['inspct'], 2, /unknown command 'inspct'\n\(Did you mean inspect\?\)/],
    [['inspect', '--tabel'], 2, /unknown option '--tabel'\n\(Did you mean --table\?\)/],
    [['plan'], 2, /missing required argument 'spec'/],
    [['inspect', 'eth0'], 2, /eth0 is not a PCI address[\s\S]*help: /],
    [['inspect', '0000:fe:1f.7'], 1, /there is no device 0000:fe:1f\.7[\s\S]*help: /],
    [['plan', '@/none.yaml'], 2, /none\.yaml: there is no such file[\s\S]*help: /],
    [['plan', '@'], 2, /it is not a file[\s\S]*help: /],
    [['apply', '@/none.yaml'], 2, /none\.yaml: there is no such file[\s\S]*help: /],
    [['confirm', '--root', '@'], 1, /there is no trial boot to confirm[\s\S]*help: /],
    [['inspect', '--root', '@/none'], 2, /--root \S+none is not a folder[\s\S]*help: /],
    [['rollback', '--root', '@/none'], 2, /--root \S+none is not a folder[\s\S]*help: /],
    [['journal', '--root', '@/noise.txt'], 2, /--root \S+noise\.txt is not a folder[\s\S]*help: /],
    [['confirm', '--root', '@/noise.txt/x'], 2, /--root \S+x is not a folder[\s\S]*help: /],
    [['rollback', '7', '--root', '@'], 2, /there is no journal 7[\s\S]*help: /],
    [['journal', 'x', '--root', '@'], 2, /there is no journal x[\s\S]*help: /],
    [['plan', '@/broken.yaml'], 2, /error\[spec-syntax\][\s\S]*broken\.yaml:\d+:\d+/],
    [
      ['plan', '@/typo.yaml'],
      1,
      /error\[spec-unknown-key\][\s\S]*typo\.yaml:5:5[\s\S]*\^{6}[\s\S]*help: .*memory/,
    ],
    [['inspect', '--from', '@/noise.txt'], 2, /help: /],
    [['inspect', '--from', '@/none.txt'], 2, /none\.txt is not there[\s\S]*help: /],
    [['lab', 'run', '@/none.yaml'], 2, /there is no topology[\s\S]*help: /],
    [['lab', 'run', '@/lab.yaml'], 2, /error\[spec-value\][\s\S]*lab\.yaml:3:8[\s\S]*help: /],
    [['up'], 1, /no plan is in force[\s\S]*help: /],
    [['verify'], 1, /no plan is in force[\s\S]*help: /],
    [['console', 'ghost'], 2, /there is no VM ghost[\s\S]*help: /],
    [['down', 'ghost'], 2, /there is no VM ghost[\s\S]*help: /],
    [['status', 'ghost'], 2, /too many arguments/],
    [['down', '--timeout', 'soon'], 2, /--timeout soon is not a number/],
  ])('%j', (args, status, words) => {
    const said = handover(...args)
    expect(said.err).toMatch(words)
    expect(said.status).toBe(status)
    expect(said.err).not.toMatch(/\n {4}at /)
  })

  it('taking nothing back leaves no folders', () => {
    const root = mkdtempSync(join(folder, 'host-'))
    expect(handover('rollback', '--yes', '--root', root)).toMatchObject({ status: 0, err: '' })
    expect(readdirSync(root)).toEqual([])
  })

  it('help and version are no errors', () => {
    expect(handover('--version')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    })
    const help = handover('plan', '--help')
    expect(help.status).toBe(0)
    expect(help.out).toMatch(/Examples:\n {2}\$ handover plan home\.yaml/)
    expect(help.out.split('\n').every((line) => line.length <= 80)).toBe(true)
  })

  it('a closed pipe is no error', () => {
    const done = spawnSync('sh', ['-c', './handover --help | head -n 1'], { encoding: 'utf8' })
    expect(done.stderr).toBe('')
    expect(done.stdout).toMatch(/^Usage: handover/)
  })
})
