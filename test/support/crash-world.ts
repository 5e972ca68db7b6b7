/**
 * The world of the crash matrix: a real file tree with a sysfs that answers, under a disk that breaks; what a
 * power cut makes of it, and whether it is as it was.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'
import type { BreakingDisk } from './breaking-disk.ts'
import { putFiles, runProgram, type BootScenario } from './boot-world.ts'
import { fakeKernel, fakeSysfs, put, tempTree, type FakeDevice } from './fake-kernel.ts'
import { differences, snapshotTree } from './snapshot-tree.ts'
import { named, nic, sata } from './transactions.ts'

/** A card without virtual functions yet, and one with two. */
export const card: FakeDevice = {
  ...nic,
  address: '0000:03:00.0',
  place: 'pci0000:00/0000:00:1c.2/0000:03:00.0',
  device: '10c9',
  driver: 'igb',
  mac: '52:54:00:00:03:00',
  port: 'eth3',
  sriov: { total: 7, device: '10ca' },
}
export const shared: FakeDevice = {
  ...card,
  address: '0000:04:00.0',
  place: 'pci0000:00/0000:00:1c.3/0000:04:00.0',
  mac: '52:54:00:00:04:00',
  port: 'eth4',
  sriov: { total: 7, device: '10ca', numVfs: 2 },
}
const drivers = { e1000e: ['8086:10d3'], ahci: ['8086:2922'], igb: ['8086:10c9'], 'vfio-pci': [] }

/** Cards with virtual functions only where a scenario is about them, since they are most of the tree. */
function devicesFor(steps: readonly Step[]): FakeDevice[] {
  const isAsked = steps.some(
    (step) => step.kind === 'vf' || (step.kind === 'sysfs' && step.path.includes('sriov')),
  )
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
  for (const path of ['etc/default/other', 'etc/modprobe.d/old.conf'])
    fs.utimesSync(join(root, path), 1000, 1000)
}

/**
 * What update-grub and update-initramfs do, in their careless way: nothing is synced, and a link is replaced.
 */
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

/**
 * The machine under a breaking disk: attribute writes and programs are points where the world may end, too.
 */
export function machine(root: string, breaking: BreakingDisk): System {
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

const ours = ['/var/lib/handover', '/run/handover', '/proc']

export type World = { readonly root: string; readonly before: ReturnType<typeof snapshotTree> }

/**
 * Worlds of one scenario. One that came back whole is given back and is the next one's start, since building
 * one takes as long as an apply.
 */
export type Worlds = {
  readonly take: () => World
  readonly giveBack: (world: World) => void
  readonly end: () => void
}

export function worldsOf({ steps, files }: BootScenario): Worlds {
  const built: string[] = []
  const spare: World[] = []
  const make = (): World => {
    const root = tempTree()
    built.push(root)
    buildFiles(root)
    putFiles(root, files)
    build(root, 'boot-1', steps)
    return { root, before: snapshotTree(root, ours) }
  }
  return {
    take: () => spare.pop() ?? make(),
    giveBack: (world) => {
      for (const path of ours.slice(0, 2)) fs.rmSync(join(world.root, path), { recursive: true, force: true })
      put(world.root, '/proc/sys/kernel/random/boot_id', 'boot-1\n')
      spare.push(world)
    },
    end: () => {
      for (const root of built) fs.rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The next boot after a power cut: drivers and parameters are the kernel's own again. */
export function powerUp(root: string, steps: readonly Step[]): void {
  build(root, 'boot-2', steps)
  fs.rmSync(join(root, 'run'), { recursive: true })
  fs.mkdirSync(join(root, 'run'))
}

/** What differs from the beginning, our own state left out. */
export function changesIn({ root, before }: World): string[] {
  return differences(before, snapshotTree(root, ours))
}

export function expectAsBefore({ root, before }: World, steps: readonly Step[], at: string): void {
  const now = snapshotTree(root, ours)
  expect(differences(before, now), at).toEqual([])
  const isOwn = named(steps)
  for (const [path, entry] of before)
    if (!isOwn(path) && !path.startsWith('/sys'))
      expect(now.get(path)?.mtimeMs, `${at} ${path}`).toBe(entry.mtimeMs)
}
