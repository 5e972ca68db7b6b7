import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(() => {
  if (!existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
  folder = mkdtempSync(join(tmpdir(), 'handover-launcher-'))
  cpSync('dist', join(folder, 'dist'), { recursive: true })
  copyFileSync('handover', join(folder, 'handover'))
  copyFileSync('package.json', join(folder, 'package.json'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const listing = '00:1f.2 SATA controller [0106]: Intel Corporation Device [8086:a102] (rev 31)\n'

function inspect(program: string, ...args: readonly string[]) {
  const argv = [...args, 'inspect', '--json', '--from', '-']
  const done = spawnSync(program, argv, { input: listing, encoding: 'utf8', timeout: 60_000 })
  return { status: done.status, out: done.stdout, err: done.stderr }
}

describe('the built command', () => {
  const launcher = () => join(folder, 'dist/handover.cjs')
  const cache = () => join(folder, 'dist/bundle.cache')

  it('says the same with its cached code, with damaged, foreign and without', () => {
    const whole = inspect(process.execPath, launcher())
    expect(whole.status).toBe(0)
    expect(JSON.parse(whole.out)).toMatchObject({ schema: 1, devices: [{ address: '0000:00:1f.2' }] })
    expect(inspect(process.execPath, '--max-lazy', launcher())).toEqual(whole)
    writeFileSync(cache(), 'no code at all')
    expect(inspect(process.execPath, launcher())).toEqual(whole)
    rmSync(cache())
    expect(inspect(process.execPath, launcher())).toEqual(whole)
    expect(inspect(join(folder, 'handover'))).toEqual(whole)
  })

  it('has cached code that this Node takes', () => {
    const told = spawnSync(process.execPath, ['-e', cacheTest], { encoding: 'utf8' })
    expect(told.stdout).toBe('taken\n')
  })

  it('has a library beside it', () => {
    const code = "import('./dist/index.mjs').then((l) => console.log(typeof l.readHost, typeof l.plan))"
    expect(spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' }).stdout).toBe('function function\n')
  })

  it('tells what to run where it is not built', () => {
    rmSync(join(folder, 'dist'), { recursive: true })
    const done = spawnSync(join(folder, 'handover'), ['inspect'], { encoding: 'utf8' })
    expect(done.status).toBe(2)
    expect(done.stderr).toContain(`(cd '${folder}' && npm ci && npm run build)`)
  })
})

const cacheTest = `
const launcher = require('./dist/handover.cjs')
console.log(launcher.isCacheTaken ? 'taken' : 'refused')`
