import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { transformSync } from 'esbuild'
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
  const device = join(folder, 'tree/sys/bus/pci/devices/0000:00:1f.2')
  mkdirSync(device, { recursive: true })
  writeFileSync(join(device, 'uevent'), 'PCI_CLASS=10601\nPCI_ID=8086:A102\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const listing = '00:1f.2 SATA controller [0106]: Intel Corporation Device [8086:a102] (rev 31)\n'

function runWith(input: string, program: string, ...args: readonly string[]) {
  const done = spawnSync(program, args, { input, encoding: 'utf8', timeout: 60_000 })
  return { status: done.status, out: done.stdout, err: done.stderr }
}

describe('the built command', () => {
  const launcher = () => join(folder, 'dist/handover.cjs')

  it('prints the same with its cached code, with damaged and foreign code, and without', () => {
    const inspect = (program: string, ...args: readonly string[]) =>
      runWith('', program, ...args, 'inspect', '--json', '--root', join(folder, 'tree'))
    const cache = join(folder, 'dist/bundle.cache')
    const whole = inspect(process.execPath, launcher())
    expect(whole).toMatchObject({ status: 0, err: '' })
    expect(JSON.parse(whole.out)).toMatchObject({ schema: 1, devices: [{ address: '0000:00:1f.2' }] })
    expect(inspect(process.execPath, '--max-lazy', launcher())).toEqual(whole)
    expect(inspect(join(folder, 'handover'))).toEqual(whole)
    writeFileSync(cache, 'no code at all')
    expect(inspect(process.execPath, launcher())).toEqual(whole)
    rmSync(cache)
    expect(inspect(process.execPath, launcher())).toEqual(whole)
  })

  it('has cached code that this Node takes', () => {
    const told = spawnSync(process.execPath, ['-e', cacheTest], { encoding: 'utf8' })
    expect(told.stdout).toBe('false\n')
  })

  it('runs every command, from a checkout and with a tree, a listing or a picture', () => {
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [launcher(), ...args], { encoding: 'utf8', cwd: folder })
    expect(run('capture', '--json', '--root', folder)).toMatchObject({ status: 0, stderr: '' })
    expect(run('plan', 'nothing.yaml').status).toBe(2)
    expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(run('completion', 'bash').stdout).toContain('handover complete')
    expect(run('inspect', '--help').stdout).toContain('Usage: handover inspect')
    expect(run('inspect', '--root', 'tree', '--html', 'host.html')).toMatchObject({ status: 0 })
    expect(readFileSync(join(folder, 'host.html'), 'utf8')).toContain('0000:00:1f.2')
    expect(run('inspect', '--from=tree', '--table').stdout).toContain('00:1f.2')
    expect(run('inspect', '--root', 'tree', '--table').stdout).toContain('00:1f.2')
    expect(run('inspect', '--root', 'tree', '00:1f.2').stdout).toContain('00:1f.2')
  })

  it('writes all of it to a pipe that is not to be waited for, and nothing more to a closed one', () => {
    const many = Array.from({ length: 2000 }, (_, n) => listing.replace('00:1f.2', `${busOf(n)}:00.0`)).join(
      '',
    )
    const file = join(folder, 'many.txt')
    writeFileSync(file, many)
    const argv = JSON.stringify([launcher(), 'inspect', '--json', '--from', file])
    // A socket of Node's own does not block, and who inherits it shares that.
    const code = `
      const { spawn } = require('node:child_process')
      const net = require('node:net')
      let length = 0
      let status
      const server = net.createServer((reader) => {
        setTimeout(() => reader.on('data', (part) => (length += part.length)), 300)
        reader.on('end', () => server.close(() => console.log(status, length)))
      })
      server.listen('socket', () => {
        const writer = net.connect('socket', () => {
          const child = spawn(process.execPath, ${argv}, { stdio: ['ignore', writer, 'inherit'] })
          child.on('exit', (code) => {
            status = code
            writer.destroy()
          })
        })
      })`
    const told = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8', cwd: folder, timeout: 60_000 })
    const whole = spawnSync(process.execPath, JSON.parse(argv), { maxBuffer: 1 << 26 })
    expect(whole.stdout.length).toBeGreaterThan(200_000)
    expect(told.stdout).toBe(`0 ${whole.stdout.length}\n`)
    const cut = spawnSync('bash', [
      '-c',
      `"$@" | head -c 1; echo " \${PIPESTATUS[0]}"`,
      'bash',
      process.execPath,
      ...JSON.parse(argv),
    ])
    expect(cut.stdout.toString()).toBe('{ 0\n')
    expect(cut.stderr.toString()).toBe('')
  })

  it('has a library beside it', () => {
    const code = "import('./dist/index.mjs').then((l) => console.log(typeof l.readHost, typeof l.plan))"
    expect(spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' }).stdout).toBe('function function\n')
  })

  it('says in one line what is missing where there is no Node, or an old one, and names the way under sudo', () => {
    const start = (env: NodeJS.ProcessEnv, program: string, ...args: readonly string[]) =>
      spawnSync(program, args, { encoding: 'utf8', env })
    const asUser = { PATH: '/nowhere' }
    const asSudo = { ...asUser, SUDO_USER: 'somebody' }
    const none = start(asUser, join(folder, 'handover'), 'inspect')
    expect(none).toMatchObject({ status: 2, stdout: '' })
    expect(none.stderr).toMatch(
      /^error: there is no Node here, and Handover needs 20\.19 or newer .*\n {2}help: https.*\n$/,
    )
    const way = `sudo env "PATH=$PATH" '${launcher()}'`
    expect(start(asSudo, join(folder, 'handover')).stderr).toContain(way)

    // As Node 18 would find it, run by this one.
    const preload = join(folder, 'old-node.cjs')
    writeFileSync(preload, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })")
    const old = start(asUser, process.execPath, '--require', preload, launcher(), 'plan', 'home.yaml')
    expect(old).toMatchObject({ status: 2, stdout: '' })
    expect(old.stderr).toMatch(
      /^error: this is Node 18\.20\.8, and Handover needs 20\.19 or newer\n {2}help: https.*\n$/,
    )
    expect(start(asSudo, process.execPath, '--require', preload, launcher()).stderr).toContain(way)
  })

  it('asks for the Node that package.json asks for, in words that Node 12 reads', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } }
    expect(engines.node).toBe('>=20.19.0')
    const text = readFileSync(launcher(), 'utf8')
    expect(text).toContain('major < 20 || (major === 20 && minor < 19)')
    // What the older language does not have would be written in other words.
    const inWordsOf = (target: string) => transformSync(text, { target }).code
    expect(inWordsOf('es2019')).toBe(inWordsOf('esnext'))
    expect(text.split("require('node:")[0]).toContain('process.exit(2)')
  })

  it('tells what to run where it is not built', () => {
    rmSync(join(folder, 'dist'), { recursive: true })
    const done = spawnSync(join(folder, 'handover'), ['inspect'], { encoding: 'utf8' })
    expect(done.status).toBe(2)
    expect(done.stderr).toContain(`(cd '${folder}' && npm ci && npm run build)`)
  })
})

const busOf = (n: number) =>
  `${(n >> 8).toString(16).padStart(4, '0')}:${(n & 255).toString(16).padStart(2, '0')}`

const cacheTest = `
const { script } = require('./dist/handover.cjs')
console.log(script.cachedDataRejected)`
