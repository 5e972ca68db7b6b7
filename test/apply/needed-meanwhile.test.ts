/**
 * What the host begins to need while an apply is under way. The built command, as a user runs it, on a tree;
 * this process plays the kernel, which answers unbind and drivers_probe by moving links, and mounts a disk
 * when it is told to.
 */
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { basename, join, relative } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { needsCheck } from '../../src/steps/check-needs.ts'
import type { Host, LostNeed } from '../../src/host/host.ts'
import { readHost } from '../../src/host/read/read-host.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { put, tempTree } from '../support/fake-kernel.ts'
import { at, need } from '../support/host-builder.ts'
import { pci } from '../support/sysfs-tree.ts'

beforeAll(() => {
  if (!fs.existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
})

let root = ''
const nic = 'pci0000:00/0000:00:1c.0/0000:01:00.0'
const sata = 'pci0000:00/0000:00:1c.1/0000:02:00.0'
const drivers: Readonly<Record<string, string>> = { [nic]: 'e1000e', [sata]: 'ahci' }
const home = '22 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n'

beforeEach(() => {
  root = tempTree()
  const bridge = (place: string, group: number) =>
    pci({ at: place, classCode: '060400', ids: '8086:a110', driver: 'pcieport', group })
  const entries = {
    ...bridge('pci0000:00/0000:00:1c.0', 1),
    ...bridge('pci0000:00/0000:00:1c.1', 2),
    ...pci({
      at: nic,
      driver: 'e1000e',
      group: 3,
      files: { reset_method: 'flr\n', 'net/lan0/operstate': 'down\n', 'net/lan0/flags': '0x1002\n' },
    }),
    ...pci({
      at: sata,
      ids: '1b21:0612',
      classCode: '010601',
      driver: 'ahci',
      group: 4,
      files: { reset_method: 'bus\n' },
    }),
    ...pci({
      at: 'pci0000:00/0000:00:1d.0',
      ids: '144d:a808',
      classCode: '010802',
      driver: 'nvme',
      group: 5,
    }),
    '/sys/class/iommu/dmar0/': '',
    '/sys/bus/pci/drivers/vfio-pci/': '',
    '/sys/bus/pci/drivers_probe': '',
    '/proc/meminfo': 'MemTotal:       16777216 kB\nMemAvailable:   16000000 kB\n',
    '/proc/cmdline': 'intel_iommu=on\n',
    '/proc/self/mountinfo': home,
    '/proc/swaps': 'Filename\n',
    '/proc/net/route': `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nmgmt0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n`,
    ...pci({
      at: 'pci0000:00/0000:00:1f.6',
      ids: '8086:15bc',
      driver: 'e1000e',
      group: 6,
      files: { 'net/mgmt0/operstate': 'up\n', 'net/mgmt0/flags': '0x1003\n', 'net/mgmt0/carrier': '1\n' },
    }),
    '/sys/class/net/lan0': `-> ../../devices/${nic}/net/lan0`,
    '/sys/class/net/mgmt0': '-> ../../devices/pci0000:00/0000:00:1f.6/net/mgmt0',
    '/proc/net/tcp': 'sl\n',
    '/proc/bus/input/devices': '',
    '/proc/consoles': '',
    '/sys/dev/block/259:1': '-> ../../devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1/nvme0n1p1',
    '/sys/class/block/nvme0n1p1': '-> ../../devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1/nvme0n1p1',
    '/sys/devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1/nvme0n1p1/dev': '259:1\n',
    '/sys/dev/block/8:1': `-> ../../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1`,
    '/sys/class/block/sda1': `-> ../../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1`,
    [`/sys/devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1/dev`]: '8:1\n',
  }
  for (const [path, text] of Object.entries(entries))
    if (path.endsWith('/')) fs.mkdirSync(join(root, path), { recursive: true })
    else if (text.startsWith('-> ')) {
      fs.mkdirSync(join(root, path, '..'), { recursive: true })
      fs.symlinkSync(text.slice(3), join(root, path))
    } else put(root, path, text)
  put(
    root,
    '/home.yaml',
    'version: 1\nvms:\n  box:\n    memory: 1 GiB\n    devices:\n      lan: { class: nic }\n      disks: { class: storage }\n',
  )
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

/** Answers writes until `end`; `seen` is told of each device that leaves a driver. */
function playKernel(seen: (address: string) => void): { end: () => void; unbound: string[] } {
  const unbound: string[] = []
  const folder = (place: string) => join(root, 'sys/devices', place)
  const take = (file: string): string => {
    if (!fs.existsSync(file)) return ''
    const text = fs.readFileSync(file, 'utf8').trim()
    if (text !== '') fs.writeFileSync(file, '')
    return text
  }
  const turn = () => {
    for (const driver of [...Object.values(drivers), 'vfio-pci']) {
      const address = take(join(root, 'sys/bus/pci/drivers', driver, 'unbind'))
      const place = Object.keys(drivers).find((one) => basename(one) === address)
      if (place === undefined) continue
      fs.rmSync(join(folder(place), 'driver'))
      unbound.push(`${address} ${driver}`)
      seen(address)
    }
    const probed = take(join(root, 'sys/bus/pci/drivers_probe'))
    const place = Object.keys(drivers).find((one) => basename(one) === probed)
    if (place === undefined) return
    const override = fs.readFileSync(join(folder(place), 'driver_override'), 'utf8').trim()
    const driver = override === '' || override === '(null)' ? (drivers[place] ?? '') : override
    fs.symlinkSync(
      relative(folder(place), join(root, 'sys/bus/pci/drivers', driver)),
      join(folder(place), 'driver'),
    )
  }
  for (const driver of [...Object.values(drivers), 'vfio-pci'])
    put(root, `/sys/bus/pci/drivers/${driver}/unbind`, '')
  const timer = setInterval(turn, 2)
  return { end: () => clearInterval(timer), unbound }
}

async function applyWhile(seen: (address: string) => void) {
  const kernel = playKernel(seen)
  const child = spawn('./handover', ['apply', join(root, 'home.yaml'), '--root', root, '--no-boot', '--yes'])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)))
  const status = await new Promise((done) => child.on('close', done))
  kernel.end()
  return { status, said, unbound: kernel.unbound }
}

const driverOf = (place: string) => basename(fs.readlinkSync(join(root, 'sys/devices', place, 'driver')))

describe('apply', () => {
  it('takes both devices when nothing happens', async () => {
    const { status, said } = await applyWhile(() => undefined)
    expect(said).toContain('applied as 0001')
    expect(status).toBe(0)
    expect([driverOf(nic), driverOf(sata)]).toEqual(['vfio-pci', 'vfio-pci'])
  })

  it.each([
    [
      'a disk behind it is mounted',
      () =>
        fs.appendFileSync(join(root, 'proc/self/mountinfo'), '40 22 8:1 / /backup rw - ext4 /dev/sda1 rw\n'),
      '/backup',
    ],
    [
      'a disk behind it is swapped to',
      () => put(root, '/proc/swaps', 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda1 partition 1 0 -2\n'),
      'swap',
    ],
    [
      'a mount comes that leads nowhere',
      () =>
        fs.appendFileSync(
          join(root, 'proc/self/mountinfo'),
          '41 22 253:7 / /srv rw - xfs /dev/mapper/gone rw\n',
        ),
      '/srv',
    ],
    [
      'mounts cannot be read any more',
      () => fs.rmSync(join(root, 'proc/self/mountinfo')),
      'can no longer be read',
    ],
  ])('stops before the second when %s, and takes the first back', async (_, work, words) => {
    let isDone = false
    const { status, said, unbound } = await applyWhile((address) => {
      // Going back to its driver it leaves vfio-pci, too.
      if (address === '0000:01:00.0' && !isDone) work()
      isDone = true
    })
    expect(said).toContain('0000:02:00.0 stays with the host')
    expect(said).toContain(words)
    expect(status).toBe(3)
    expect(unbound.filter((line) => line.startsWith('0000:02'))).toEqual([])
    expect([driverOf(nic), driverOf(sata)]).toEqual(['e1000e', 'ahci'])
    expect(fs.readFileSync(join(root, 'sys/devices', sata, 'driver_override'), 'utf8').trim()).toBe('')
  })
})

describe('what counts as new', () => {
  const system = () => linuxSystem({ root })
  const sataAt = at('02:00.0')
  const ask = (before: (host: Host) => Host) => () =>
    needsCheck(system(), before(readHost(system())), new Set([sataAt, at('01:00.0')]))(sataAt)
  const lost: LostNeed = { kind: 'disk', what: '/srv', chain: [], lost: 'x', why: '', couldBe: [sataAt] }
  beforeEach(() => {
    fs.appendFileSync(join(root, 'proc/self/mountinfo'), '40 22 8:1 / /backup rw - ext4 /dev/sda1 rw\n')
  })

  it('is no need that the plan knew', () => {
    expect(ask((host) => host)).not.toThrow()
    expect(ask((host) => ({ ...host, needs: [] }))).toThrow('needed for /backup')
  })

  it('is a half of a mirror of which no other half stays', () => {
    const half = (others: readonly string[]) => (host: Host) => ({
      ...host,
      needs: [{ ...need('02:00.0', '/backup', []), redundant: { set: 'md0', others: others.map(at) } }],
    })
    expect(ask(half(['00:1d.0']))).toThrow('needed for /backup')
    expect(ask(half(['01:00.0']))).not.toThrow()
  })

  it('is no doubt that was settled, and no name that led to a port which leaves', () => {
    fs.appendFileSync(join(root, 'proc/self/mountinfo'), '41 22 253:7 / /srv rw - xfs /dev/mapper/gone rw\n')
    expect(ask((host) => host)).not.toThrow()
    expect(ask((host) => ({ ...host, lostNeeds: [] }))).toThrow('may be needed for /srv')
    expect(ask((host) => ({ ...host, lostNeeds: [lost] }))).not.toThrow()
    const known = need('01:00.0', '/srv', [])
    expect(ask((host) => ({ ...host, lostNeeds: [], needs: [...host.needs, known] }))).not.toThrow()
  })
})
