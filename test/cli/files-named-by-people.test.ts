/**
 * lock, capture -o and --html: root may run them in a folder of somebody else, and writes into no file that a
 * link names.
 */
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { writeUserFile } from '../../src/machine/user-file.ts'
import { pci, tree } from '../support/sysfs-tree.ts'

beforeAll(() => {
  if (!fs.existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
})

let folder = ''
let root = ''
const at = (name: string) => join(folder, name)
const read = (name: string) => fs.readFileSync(at(name), 'utf8')

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'handover-links-'))
  const [lan, mgmt] = ['pci0000:00/0000:00:04.0', 'pci0000:00/0000:00:05.0']
  const port = (name: string, flags: string) => ({ [`net/${name}/flags`]: `${flags}\n` })
  const card = { classCode: '020000', driver: 'e1000e' }
  root = tree(pci({ ...card, at: lan, group: 1, files: port('lan0', '0x1002') }), {
    ...pci({ ...card, at: mgmt, group: 2, files: port('mgmt0', '0x1003') }),
    '/sys/class/net/lan0': `-> ../../devices/${lan}/net/lan0`,
    '/sys/class/net/mgmt0': `-> ../../devices/${mgmt}/net/mgmt0`,
    '/proc/self/mountinfo': '',
    '/proc/net/route':
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nmgmt0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n',
    '/proc/net/ipv6_route': '',
    '/proc/bus/input/devices': '',
    '/sys/class/iommu/dmar0': '',
  })
  fs.mkdirSync(at('spec'))
  fs.writeFileSync(
    at('spec/home.yaml'),
    'version: 1\nvms:\n  a: { memory: 1 GiB, devices: { wan: { class: nic } } }\n',
  )
  fs.writeFileSync(at('precious'), 'kept')
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

const commands = [
  ['lock', 'spec/home.lock', (file: string) => ['lock', file.replace(/lock$/, 'yaml'), '--root', root]],
  ['capture -o', 'spec/host.yaml', (file: string) => ['capture', '--root', root, '-o', file]],
  ['inspect --html', 'spec/host.html', (file: string) => ['inspect', '--root', root, '--html', file]],
] as const

describe.each(commands)('%s', (_, name, args) => {
  const run = () => spawnSync('./handover', args(at(name)), { encoding: 'utf8', timeout: 60_000 })

  it('writes the file, again over an older one, and leaves nothing else', () => {
    for (const mode of [0o644, 0o600]) {
      expect(run()).toMatchObject({ status: 0 })
      expect(fs.statSync(at(name)).mode & 0o777).toBe(mode)
      fs.chmodSync(at(name), 0o600)
    }
    expect(fs.readdirSync(at('spec')).toSorted()).toEqual(['home.yaml', name.slice(5)].toSorted())
  })

  it.each([
    ['out of the folder', '../precious'],
    ['by a whole path', 'WHOLE'],
    ['within the folder', 'other'],
    ['to nothing', 'nowhere'],
    ['to itself', name.slice(5)],
  ])('writes through no link that leads %s', (__, target) => {
    fs.writeFileSync(at('spec/other'), 'kept')
    fs.symlinkSync(target === 'WHOLE' ? at('precious') : target, at(name))
    const { status, stderr } = run()
    expect(stderr).toMatch(/is a link to|ELOOP|cannot be read/)
    expect([1, 2]).toContain(status)
    expect([read('precious'), read('spec/other')]).toEqual(['kept', 'kept'])
    expect(fs.lstatSync(at(name)).isSymbolicLink()).toBe(true)
    expect(fs.existsSync(at('spec/nowhere'))).toBe(false)
  })

  it('takes a name from another file, whose bytes stay', () => {
    fs.linkSync(at('precious'), at(name))
    run()
    expect(read('precious')).toBe('kept')
  })

  it('replaces no folder, and says so', () => {
    fs.mkdirSync(at(name))
    const { status, stderr } = run()
    expect([1, 2]).toContain(status)
    expect(stderr).toMatch(/is not a regular file|cannot be read/)
  })
})

it.each(['/dev/null', '/dev/stdout'])('a capture replaces no %s', (path) => {
  const { status } = spawnSync('./handover', ['capture', '--root', root, '-o', path], { encoding: 'utf8' })
  expect(status).toBe(2)
  expect(fs.lstatSync('/dev/null').isCharacterDevice()).toBe(true)
})

it('a folder that is not there is named', () => {
  const { status, stderr } = spawnSync('./handover', ['capture', '--root', root, '-o', at('none/x.yaml')], {
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toContain('mkdir -p')
})

it('a link that comes and goes while files are written is never followed', async () => {
  const planter = spawn('timeout', ['5', 'sh', '-c', 'while :; do ln -sf precious y; rm -f y; done'], {
    cwd: folder,
  })
  await new Promise((begun) => planter.once('spawn', begun))
  let written = 0
  for (const until = Date.now() + 500; Date.now() < until;) {
    try {
      writeUserFile(at('y'), '!')
      written += 1
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
    }
  }
  planter.kill('SIGTERM')
  await new Promise((ended) => planter.once('exit', ended))
  expect(written).toBeGreaterThan(0)
  expect(read('precious')).toBe('kept')
  expect(fs.readdirSync(folder).filter((name) => name !== 'y')).toEqual(['precious', 'spec'])
})
