/**
 * What others do between an apply and its rollback: kernels come, files change, later applies stand on
 * earlier ones.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { journalFolder, readJournal } from '../../src/apply/journal.ts'
import { findEarlier, rollback } from '../../src/apply/rollback.ts'
import { sha256 } from '../../src/steps/saved.ts'
import { AppError } from '../../src/base/errors.ts'
import type { FileStep, Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { put, tempTree } from '../support/fake-kernel.ts'
import { differences, snapshotTree } from '../support/snapshot-tree.ts'
import { planOf as plan } from '../support/transactions.ts'

let root = ''
let before = new Map<string, { what: string; mtimeMs: number }>()
const ours = ['/var/lib/handover', '/run/handover', '/proc']
const changed = () => differences(before, snapshotTree(root, ours))
const planOf = (...steps: Step[]) => plan(steps)
const file = (path: string, from: string | null, to: string | null): FileStep => ({
  kind: 'file',
  path,
  before: from === null ? null : { text: from, mode: 0o644 },
  after: to === null ? null : { text: to, mode: 0o644 },
  why: '',
})
const edit = file('/etc/default/grub', 'A="quiet"\n', 'A="quiet iommu=pt"\n')

beforeEach(() => {
  root = tempTree()
  put(root, '/etc/default/grub', 'A="quiet"\n')
  fs.mkdirSync(join(root, 'boot'))
  fs.mkdirSync(join(root, 'etc/handover'))
  fs.mkdirSync(join(root, 'var/lib'), { recursive: true })
  fs.mkdirSync(join(root, 'run'))
  before = snapshotTree(root, ours)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe('outputs by pattern', () => {
  const images = (script: string): Step => ({
    kind: 'command',
    argv: ['sh', '-c', script, 'sh', join(root, 'boot')],
    outputs: ['/boot/initrd.img-*'],
    why: '',
  })
  /** As update-initramfs -k all: every kernel's image is made from what /etc/default/grub says. */
  const generator = 'for k in "$1"/vmlinuz-*; do cp "$1/../etc/default/grub" "$1/initrd.img-${k##*-}"; done'
  const image = (name: string) => fs.readFileSync(join(root, 'boot', name), 'utf8')
  beforeEach(() => {
    put(root, '/boot/vmlinuz-1', '')
    put(root, '/boot/initrd.img-1', 'A="quiet"\n')
    before = snapshotTree(root, ours)
  })

  it('are put back, and removed where they are new', async () => {
    put(root, '/boot/vmlinuz-2', '')
    before = snapshotTree(root, ours)
    await apply(planOf(edit, images(generator)), linuxSystem({ root }))
    expect(image('initrd.img-2')).toContain('iommu=pt')
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('are made again when a kernel came in between: old bytes would be stale, and its image must forget us', async () => {
    await apply(planOf(edit, images(generator)), linuxSystem({ root }))
    put(root, '/boot/vmlinuz-2', '')
    put(root, '/boot/initrd.img-2', 'A="quiet iommu=pt"\n')
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect([image('initrd.img-1'), image('initrd.img-2')]).toEqual(['A="quiet"\n', 'A="quiet"\n'])
  })

  /** As a power cut in the middle of the generator leaves it. */
  const cutOff = () => {
    const events = join(root, journalFolder, '0001/events.jsonl')
    const lines = fs.readFileSync(events, 'utf8').split('\n')
    fs.writeFileSync(events, lines.filter((line) => !/"outputs"|"end"/.test(line)).join('\n'))
    put(root, '/boot/initrd.img-1', 'A="qui')
  }

  it('of a generator that was cut off are put back, and what it began beside them is removed', async () => {
    await apply(planOf(edit, images(generator)), linuxSystem({ root }))
    cutOff()
    put(root, '/boot/initrd.img-1.new', 'half')
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('of a generator that was cut off never cost a kernel that came since its image', async () => {
    await apply(planOf(edit, images(`${generator}; [ ! -e "$1/fail" ]`)), linuxSystem({ root }))
    cutOff()
    put(root, '/boot/vmlinuz-2', '')
    put(root, '/boot/initrd.img-2', 'A="quiet iommu=pt"\n')
    put(root, '/boot/fail', '')
    const result = await rollback(linuxSystem({ root }), undefined)
    expect(result.outcome).toBe('rollback-incomplete')
    // Making it again ended badly: the torn image was put back before, and the new kernel kept a whole one.
    expect([image('initrd.img-1'), image('initrd.img-2')]).toEqual(['A="quiet"\n', 'A="quiet"\n'])
  })

  it('say so when making them again ends badly', async () => {
    await apply(planOf(edit, images(`${generator}; [ ! -e "$1/fail" ]`)), linuxSystem({ root }))
    put(root, '/boot/initrd.img-1', 'by a kernel update')
    put(root, '/boot/fail', '')
    const result = await rollback(linuxSystem({ root }), undefined)
    expect(result.outcome).toBe('rollback-incomplete')
    expect(result.leftovers[0]).toMatch(/since, and running it again failed: sh ended with status 1/)
  })
})

it('what a rollback wrote is read again before it says restored: a disk may take a write and keep something else', async () => {
  await apply(planOf(edit), linuxSystem({ root }))
  const real = linuxSystem({ root })
  const forgetful = {
    ...real,
    writeFile: (...given: Parameters<typeof real.writeFile>) => {
      if (given[0] !== '/etc/default/grub') real.writeFile(...given)
    },
  }
  expect(await rollback(forgetful, undefined)).toMatchObject({
    outcome: 'rollback-incomplete',
    leftovers: ['/etc/default/grub was restored, but is not as before when read again'],
  })
  expect(await rollback(real, undefined)).toMatchObject({ outcome: 'rolled-back' })
  expect(changed()).toEqual([])
})

it('a journal of the first release, without any field that came later, is taken back', async () => {
  const sysfs = { kind: 'sysfs', path: '/sys/module/kvm/parameters/x', before: 'N', after: 'Y', why: '' }
  const record = {
    schema: 1,
    id: '0001',
    createdAt: '2026-11-22T13:03:20.000Z',
    version: '0.1.0',
    bootId: 'boot-1',
    planHash: '0123456789abcdef',
    needsReboot: false,
    assignments: [],
    takenAlong: [],
    spare: ['0000:01:00.1'],
    startOrder: [],
    steps: [edit, sysfs, { kind: 'command', argv: ['update-grub'], outputs: ['/boot/grub.cfg'], why: '' }],
    saved: [
      {
        path: '/etc/default/grub',
        kind: 'file',
        blob: '0',
        sha256: await sha256('A="quiet"\n'),
        mode: 0o644,
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
      },
      { path: '/boot/grub.cfg', kind: 'absent' },
    ],
  }
  put(root, sysfs.path, 'N')
  before = snapshotTree(root, ours)
  put(root, '/etc/default/grub', 'A="quiet iommu=pt"\n')
  put(root, '/boot/grub.cfg', 'made')
  put(root, sysfs.path, 'Y')
  put(root, `${journalFolder}/0001/record.json`, JSON.stringify(record))
  put(root, `${journalFolder}/0001/saved/0`, 'A="quiet"\n')
  put(
    root,
    `${journalFolder}/0001/events.jsonl`,
    '{"at":"2026-11-22T13:03:21.000Z","event":"end","outcome":"applied"}\n',
  )
  expect(await rollback(linuxSystem({ root }), undefined)).toEqual({
    outcome: 'rolled-back',
    id: '0001',
    leftovers: [],
  })
  expect(changed()).toEqual([])
})

describe('from a rescue system, on the mounted tree', () => {
  const grub = 'echo "made from $(cat "$1/etc/default/grub")" > "$1/boot/grub.cfg"'
  const steps = (): Step[] => [
    edit,
    { kind: 'sysfs', path: '/sys/kernel/mm/x/nr_hugepages', before: '0', after: '8', partial: true, why: '' },
    { kind: 'command', argv: ['sh', '-c', grub, 'sh', root], outputs: ['/boot/grub.cfg'], why: '' },
  ]
  beforeEach(async () => {
    put(root, '/sys/kernel/mm/x/nr_hugepages', '0')
    put(root, '/proc/sys/kernel/random/boot_id', 'boot-1\n')
    put(root, '/boot/grub.cfg', 'old\n')
    before = snapshotTree(root, [...ours, '/sys'])
    const real = linuxSystem({ root })
    await apply(planOf(...steps()), {
      ...real,
      writeAttributeWithin: (path: string, text: string) => Promise.resolve(put(root, path, text)),
    })
    for (const path of ['sys', 'proc']) fs.rmSync(join(root, path), { recursive: true })
  })
  const left = () => differences(before, snapshotTree(root, [...ours, '/sys']))

  it('files come back by their bytes, and what lived in the kernel ended with it', async () => {
    expect(await rollback(linuxSystem({ root }), undefined, { elsewhere: true })).toMatchObject({
      outcome: 'rolled-back',
    })
    expect(left()).toEqual([])
  })

  it('no program runs on the rescue system: what needs one is named', async () => {
    put(root, '/boot/grub.cfg', 'by a kernel update\n')
    const result = await rollback(linuxSystem({ root }), undefined, { elsewhere: true })
    expect(result.outcome).toBe('rollback-incomplete')
    expect(result.leftovers).toEqual([expect.stringMatching(/run sh -c .* inside that system \(chroot\)$/)])
    expect(fs.readFileSync(join(root, 'boot/grub.cfg'), 'utf8')).toBe('by a kernel update\n')
  })
})

describe('an older apply with a newer one in force', () => {
  const system = () => linuxSystem({ root })
  const trial: Step = { ...file('/etc/handover/trial.conf', null, 'minutes 10\n'), purpose: 'trial' }
  const untrial = file('/etc/handover/trial.conf', 'minutes 10\n', null)

  it('that stands on it is refused, and the newer one is named', async () => {
    await apply(planOf(edit), system())
    await apply(planOf(file('/etc/default/grub', 'A="quiet iommu=pt"\n', 'B\n')), system())
    const error = (await rollback(system(), '1').catch((caught: unknown) => caught)) as AppError
    expect(error.help).toMatch(/^0002 came later, take it back first: handover rollback; or /)
  })

  it('that does not is taken back alone', async () => {
    await apply(planOf(edit), system())
    await apply(planOf(file('/etc/handover/other', null, 'x\n')), system())
    expect(await rollback(system(), '1')).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(changed()).toEqual([])
  })

  it('a trial is not taken back before what made it permanent, which holds its files', async () => {
    await apply(planOf(trial), system())
    await apply(planOf(untrial, edit), system(), { continues: '0001' })
    const error = (await rollback(system(), '1').catch((caught: unknown) => caught)) as AppError
    expect(error).toMatchObject({
      message: 'journal 0001 is the trial that 0002 made permanent; nothing was changed',
      help: 'take both back: handover rollback 0002',
    })
    await rollback(system(), '2')
    expect(await rollback(system(), '1')).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('a confirmed trial goes with the trials that it replaced before any was booted', async () => {
    await apply(planOf(trial), system())
    await apply(planOf(file('/etc/handover/trial.conf', 'minutes 10\n', 'minutes 20\n')), system())
    await apply(planOf(file('/etc/handover/trial.conf', 'minutes 20\n', null), edit), system(), {
      continues: '0002',
    })
    const order: string[] = []
    for (let next: string | undefined = '0003'; next !== undefined;) {
      const read = readJournal(system(), next)
      order.push((await rollback(system(), next)).id)
      next = read?.ok ? findEarlier(system(), read.journal.record, order.length > 1) : undefined
    }
    expect(order).toEqual(['0003', '0002', '0001'])
    expect(changed()).toEqual([])
  })

  it('the verdict on an earlier trial does not speak about a new one', async () => {
    put(root, '/var/lib/handover/trial-result', 'the trial boot was given up after 10 minutes\n')
    await apply(planOf(trial), system())
    expect(fs.existsSync(join(root, 'var/lib/handover/trial-result'))).toBe(false)
  })

  it.each([
    ['quiet handover.trial=1', true],
    ['quiet', false],
  ])(
    'a trial that is taken back on a boot with %j is not ended by its clock: %s',
    async (cmdline, isMarked) => {
      await apply(planOf(trial), system())
      put(root, '/proc/cmdline', `${cmdline}\n`)
      await rollback(system(), undefined)
      expect(fs.existsSync(join(root, 'run/handover/confirmed'))).toBe(isMarked)
    },
  )
})
