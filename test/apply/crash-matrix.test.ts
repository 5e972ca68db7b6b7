/**
 * Every moment at which the world can end during apply and during rollback, for several scenarios on a real file tree;
 * afterwards one `rollback` must bring every byte, mode and owner back, and leave untouched files untouched.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { apply, type ApplyResult } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { AppError } from '../../src/errors.ts'
import type { Step } from '../../src/plan/step.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import type { System } from '../../src/system/system.ts'
import { breakingDisk, type BreakingDisk, type Ending } from '../support/breaking-disk.ts'
import { confirmOf, putFiles, runProgram, trialOf, type BootScenario } from '../support/boot-world.ts'
import { address, fakeKernel, fakeSysfs, identityOf, put, tempTree, type FakeDevice } from '../support/fake-kernel.ts'
import { differences, snapshotTree } from '../support/snapshot-tree.ts'
import { named, nic, planOf, sata, toVfio } from '../support/transactions.ts'

/** A card without virtual functions yet, and one with two. */
const card: FakeDevice = {
  ...nic,
  address: '0000:03:00.0',
  place: 'pci0000:00/0000:00:1c.2/0000:03:00.0',
  device: '10c9',
  driver: 'igb',
  mac: '52:54:00:00:03:00',
  port: 'eth3',
  sriov: { total: 7, device: '10ca' },
}
const shared: FakeDevice = {
  ...card,
  address: '0000:04:00.0',
  place: 'pci0000:00/0000:00:1c.3/0000:04:00.0',
  mac: '52:54:00:00:04:00',
  port: 'eth4',
  sriov: { total: 7, device: '10ca', numVfs: 2 },
}
const drivers = { e1000e: ['8086:10d3'], ahci: ['8086:2922'], igb: ['8086:10c9'], 'vfio-pci': [] }

const edit: Step = {
  kind: 'file',
  path: '/etc/default/grub',
  before: { text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n', mode: 0o640 },
  after: { text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n', mode: 0o640 },
  why: 'turn the IOMMU on',
}
const create: Step = {
  kind: 'file',
  path: '/etc/initramfs-tools/scripts/init-top/handover',
  before: null,
  after: { text: '#!/bin/sh\n', mode: 0o755 },
  why: 'bind early',
}
const remove: Step = {
  kind: 'file',
  path: '/etc/modprobe.d/old.conf',
  before: { text: 'options vfio-pci ids=8086:10d3\n', mode: 0o644 },
  after: null,
  why: 'ids take too much',
}
const parameter: Step = { kind: 'sysfs', path: '/sys/module/kvm/parameters/x', before: 'N', after: 'Y', why: '' }
const hugepages: Step = {
  kind: 'sysfs',
  path: '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages',
  before: '16',
  after: '1024',
  partial: true,
  why: '',
}
const resets: Step = {
  kind: 'sysfs',
  path: `/sys/bus/pci/devices/${nic.address}/reset_method`,
  of: { address: address(nic.address), identity: identityOf(nic) },
  before: 'flr bus',
  after: 'bus',
  why: '',
}
const ofCard = (name: string, before: string, after: string, more: { partial?: true } = {}): Step => ({
  kind: 'sysfs',
  path: `/sys/bus/pci/devices/${card.address}/${name}`,
  of: { address: address(card.address), identity: identityOf(card) },
  before,
  after,
  ...more,
  why: '',
})
const setUp = (number: number, after: { mac?: string; vlan: number; trust: boolean }): Step => ({
  kind: 'vf',
  address: address(shared.address),
  identity: identityOf(shared),
  number,
  before: { ...(after.mac === undefined ? {} : { mac: '00:00:00:00:00:00' }), vlan: 0, trust: false },
  after,
  why: '',
})
const bindFunction: Step = {
  kind: 'driver',
  address: address('0000:04:10.1'),
  identity: { path: `${identityOf(shared).path}/vf1`, vendorId: '8086', deviceId: '10ca' },
  before: { driver: null, driverOverride: null },
  after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
  why: '',
}
const generate: Step = {
  kind: 'command',
  argv: ['update-grub'],
  outputs: ['/boot/grub/grub.cfg', '/boot/grub/grub.cfg.new', '/boot/initrd.img', '/boot/vmlinuz'],
  why: 'make the new command line known',
}

const identities = [identityOf(nic)]
const plain = (steps: readonly Step[]): BootScenario => ({ steps, files: [] })
const scenarios: Record<string, BootScenario> = {
  'binds two devices': plain([toVfio(nic), toVfio(sata)]),
  'edits, creates and removes files, and generates': plain([edit, create, remove, generate]),
  'sets huge pages aside and chooses a reset': plain([hugepages, create, resets, toVfio(nic)]),
  'makes virtual functions': plain([
    ofCard('sriov_drivers_autoprobe', '1', '0'),
    ofCard('sriov_numvfs', '0', '4', { partial: true }),
    create,
  ]),
  'sets virtual functions up and gives one away': plain([
    setUp(0, { mac: '52:54:00:aa:00:00', vlan: 20, trust: false }),
    setUp(1, { vlan: 30, trust: true }),
    bindFunction,
  ]),
  'does everything': plain([parameter, edit, generate, toVfio(nic), create]),
  'prepares a trial on systemd-boot': trialOf('systemd-boot', identities),
  'confirms one on systemd-boot': confirmOf('systemd-boot', identities),
  'prepares a trial on a GRUB with entries': trialOf('grub', identities),
  'confirms one on a GRUB with entries': confirmOf('grub', identities),
  'prepares a trial of a unified kernel image': trialOf('unified', identities),
  'confirms one of a unified kernel image': confirmOf('unified', identities),
}

/** Cards with virtual functions only where a scenario is about them: every tree is built thousands of times. */
function devicesFor(steps: readonly Step[]): FakeDevice[] {
  const isAsked = steps.some((step) => step.kind === 'vf' || (step.kind === 'sysfs' && step.path.includes('sriov')))
  return isAsked ? [nic, sata, card, shared] : [nic, sata]
}

function build(root: string, boot: string, steps: readonly Step[]): void {
  fs.rmSync(join(root, 'sys'), { recursive: true, force: true })
  fakeSysfs(root, devicesFor(steps), drivers)
  put(root, '/sys/module/kvm/parameters/x', 'N')
  put(root, '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '16\n')
  put(root, `/sys/devices/${nic.place}/reset_method`, 'flr bus\n')
  put(root, '/proc/sys/kernel/random/boot_id', `${boot}\n`)
  fs.mkdirSync(join(root, 'sys/firmware/efi/efivars'), { recursive: true })
}

function buildFiles(root: string): void {
  put(root, '/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n', 0o640)
  if (process.getuid?.() === 0) fs.chownSync(join(root, 'etc/default/grub'), 0, 4)
  put(root, '/etc/default/other', 'leave me\n', 0o604)
  put(root, '/etc/modprobe.d/old.conf', 'options vfio-pci ids=8086:10d3\n')
  put(root, '/boot/grub/grub.cfg', 'linux quiet\n'.repeat(50), 0o444)
  put(root, '/boot/initrd.img', 'old image')
  fs.symlinkSync('vmlinuz-6.1', join(root, 'boot/vmlinuz'))
  fs.mkdirSync(join(root, 'var/lib'), { recursive: true })
  fs.mkdirSync(join(root, 'run'))
  for (const path of ['etc/default/other', 'etc/modprobe.d/old.conf']) fs.utimesSync(join(root, path), 1000, 1000)
}

/** What update-grub and update-initramfs do, in their careless way: nothing is synced, and a link is replaced. */
function generator(root: string, breaking: BreakingDisk): void {
  const write = (path: string, text: string) => {
    const fd = breaking.disk.open(join(root, path), 'create')
    try {
      breaking.disk.write(fd, text)
    } finally {
      breaking.disk.close(fd)
    }
  }
  write('/boot/grub/grub.cfg.new', 'linux quiet intel_iommu=on\n'.repeat(50))
  breaking.disk.rename(join(root, '/boot/grub/grub.cfg.new'), join(root, '/boot/grub/grub.cfg'))
  write('/boot/initrd.img', 'a new image, longer than the old one')
  breaking.disk.unlink(join(root, '/boot/vmlinuz'))
  breaking.disk.makeLink(join(root, '/boot/vmlinuz'), 'vmlinuz-6.2')
}

/** The machine under a breaking disk: attribute writes and programs are points where the world may end, too. */
function machine(root: string, breaking: BreakingDisk): System {
  const kernel = fakeKernel(root, drivers, () => true, linuxSystem({ root, disk: breaking.disk }))
  return {
    ...kernel,
    lock: () => ({ ok: true, release: () => undefined }),
    writeAttribute: (path, text) => {
      breaking.point()
      kernel.writeAttribute(path, text)
      breaking.point()
    },
    writeAttributeWithin: async (path, text, seconds) => {
      breaking.point()
      await kernel.writeAttributeWithin(path, text, seconds)
      breaking.point()
    },
    exec: async (argv, options) => {
      breaking.point()
      const result = await kernel.exec(argv, options)
      breaking.point()
      return result
    },
    start: (argv) => {
      breaking.point()
      let status = 0
      try {
        if (!runProgram(root, breaking, argv)) generator(root, breaking)
      } catch (error) {
        if (breaking.isDead()) throw error
        status = 1
      }
      const ended = Promise.resolve({ status, signal: undefined })
      return Promise.resolve({ pid: 0, ended, tail: () => '', stop: () => Promise.resolve() })
    },
  }
}

const whole = () => breakingDisk(0, { kind: 'kill' })
const ours = ['/var/lib/handover', '/run/handover', '/proc']

type World = { readonly root: string; readonly before: ReturnType<typeof snapshotTree> }
const roots: string[] = []
afterAll(() => {
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true })
})

function newWorld({ steps, files }: BootScenario): World {
  const root = tempTree()
  roots.push(root)
  buildFiles(root)
  putFiles(root, files)
  build(root, 'boot-1', steps)
  return { root, before: snapshotTree(root, ours) }
}

/** The next boot after a power cut: drivers and parameters are the kernel's own again. */
function powerUp(root: string, steps: readonly Step[]): void {
  build(root, 'boot-2', steps)
  fs.rmSync(join(root, 'run'), { recursive: true })
  fs.mkdirSync(join(root, 'run'))
}

function expectAsBefore(world: World, steps: readonly Step[], at: string): void {
  const now = snapshotTree(world.root, ours)
  expect(differences(world.before, now), at).toEqual([])
  const isOwn = named(steps)
  for (const [path, entry] of world.before)
    if (!isOwn(path) && !path.startsWith('/sys')) expect(now.get(path)?.mtimeMs, `${at} ${path}`).toBe(entry.mtimeMs)
}

async function attempt<T>(run: () => Promise<T>, breaking: BreakingDisk): Promise<T | AppError | undefined> {
  try {
    return await run()
  } catch (error) {
    if (breaking.isDead()) return undefined
    if (error instanceof AppError || (error as NodeJS.ErrnoException).code !== undefined) return error as AppError
    throw error
  }
}

async function countCalls(scenario: BootScenario): Promise<{ apply: number; rollback: number }> {
  const { root } = newWorld(scenario)
  const first = whole()
  expect(await apply(planOf(scenario.steps), machine(root, first))).toMatchObject({ outcome: 'applied' })
  const second = whole()
  expect(await rollback(machine(root, second), undefined)).toMatchObject({ outcome: 'rolled-back' })
  return { apply: first.count(), rollback: second.count() }
}

let points = 0

async function endDuringApply(scenario: BootScenario, at: number, ending: Ending): Promise<void> {
  const label = `${ending.kind} at ${at}`
  const { steps } = scenario
  const world = newWorld(scenario)
  const breaking = breakingDisk(at, ending)
  await attempt(() => apply(planOf(steps), machine(world.root, breaking)), breaking)
  expect(breaking.isDead(), label).toBe(true)
  points += 1
  if (ending.kind === 'power') powerUp(world.root, steps)
  if (at % 3 === 0) {
    // Running apply again instead: it goes through, or it says that a rollback comes first.
    const again = await attempt(() => apply(planOf(steps), machine(world.root, whole())), whole())
    if (again instanceof AppError) expect(again.message, label).toContain('was interrupted half-way')
  }
  const back = await rollback(machine(world.root, whole()), undefined)
  expect(back.outcome, label).not.toBe('rollback-incomplete')
  expectAsBefore(world, steps, label)
  fs.rmSync(world.root, { recursive: true })
}

async function endDuringRollback(scenario: BootScenario, at: number, ending: Ending): Promise<void> {
  const label = `rollback, ${ending.kind} at ${at}`
  const { steps } = scenario
  const world = newWorld(scenario)
  await apply(planOf(steps), machine(world.root, whole()))
  const breaking = breakingDisk(at, ending)
  await attempt(() => rollback(machine(world.root, breaking), undefined), breaking)
  expect(breaking.isDead(), label).toBe(true)
  points += 1
  if (ending.kind === 'power') powerUp(world.root, steps)
  expect((await rollback(machine(world.root, whole()), undefined)).outcome, label).not.toBe('rollback-incomplete')
  expectAsBefore(world, steps, label)
  fs.rmSync(world.root, { recursive: true })
}

async function failDuringApply(scenario: BootScenario, at: number, ending: Ending): Promise<void> {
  const label = `${JSON.stringify(ending)} at ${at}`
  const { steps } = scenario
  const world = newWorld(scenario)
  const breaking = breakingDisk(at, ending)
  const result = await attempt<ApplyResult>(() => apply(planOf(steps), machine(world.root, breaking)), breaking)
  points += 1
  const outcome = result !== undefined && 'outcome' in result ? result.outcome : 'stopped'
  if (outcome === 'stopped' || outcome === 'restored') {
    // "restored" was claimed: it must be true now, before anything else is run (but for a temporary file that could not be removed).
    const now = differences(world.before, snapshotTree(world.root, ours)).filter((line) => !line.includes('.handover-'))
    expect(now, `${label}: ${outcome}`).toEqual([])
  }
  if (outcome === 'not-restored') expect(result, label).toHaveProperty('leftovers.length')
  await rollback(machine(world.root, whole()), undefined)
  const left = differences(world.before, snapshotTree(world.root, ours)).filter((line) => !line.includes('.handover-'))
  expect(left, `${label}: ${outcome}, then rolled back`).toEqual([])
  fs.rmSync(world.root, { recursive: true })
}

describe.each(Object.entries(scenarios))('an apply that %s', (_, scenario) => {
  it.each(['kill', 'power'] as const)('comes back whole from every %s', async (kind) => {
    const calls = await countCalls(scenario)
    for (let at = 1; at <= calls.apply; at += 1) await endDuringApply(scenario, at, { kind })
    for (let at = 1; at <= calls.rollback; at += 1) await endDuringRollback(scenario, at, { kind })
  })

  it.each([
    ['ENOSPC', true, 1],
    ['EIO', false, 2],
    ['EROFS', true, 5],
  ])('says the truth about the host after %s (lasting: %s, every call in %i)', async (code, lasting, stride) => {
    const calls = await countCalls(scenario)
    for (let at = 1; at <= calls.apply; at += stride)
      await failDuringApply(scenario, at, { kind: 'errno', code, lasting })
  })
})

it('had at least 1000 points', () => {
  console.log(`the crash matrix ended the world at ${points} points`)
  expect(points).toBeGreaterThanOrEqual(1000)
})
