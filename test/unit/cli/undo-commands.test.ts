/** confirm and rollback as a user meets them, on a Debian-shaped host in a temporary tree. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { confirmSchema } from '../../../src/api/confirm.ts'
import { journalSchema, journalsSchema } from '../../../src/api/journal.ts'
import { rollbackSchema } from '../../../src/api/rollback.ts'
import { apply } from '../../../src/apply/apply.ts'
import { readJournals } from '../../../src/apply/journal.ts'
import { runConfirm } from '../../../src/cli/commands/confirm.ts'
import { runJournal } from '../../../src/cli/commands/journal.ts'
import { runRollback } from '../../../src/cli/commands/rollback.ts'
import type { Step } from '../../../src/steps/step.ts'
import { planBoot } from '../../../src/plan/changes/plan-boot.ts'
import { debianHost, type DebianHost } from '../../support/debian-host.ts'
import { documentOf } from '../../support/documents.ts'
import { identityOf, put } from '../../support/fake-kernel.ts'
import { runCommand } from '../../support/run-command.ts'
import { nic, planOf } from '../../support/transactions.ts'

let debian: DebianHost
beforeEach(() => (debian = debianHost()))
afterEach(() => debian.end())

const confirm = (options: Parameters<typeof runConfirm>[1] = {}) =>
  runCommand(debian.system(), runConfirm, [], options)
const rollback = (args: readonly string[] = [], options: Parameters<typeof runRollback>[1] = { yes: true }) =>
  runCommand(debian.system(), runRollback, args, options)
const read = (path: string) => fs.readFileSync(join(debian.root, path), 'utf8')
const states = () => readJournals(debian.system()).map((one) => (one.ok ? one.journal.status : one.reason))

async function prepareTrial(): Promise<void> {
  const plan = planBoot(debian.host(), { identities: [identityOf(nic)], trial: true })
  await apply(planOf(plan.steps, { needsReboot: true }), debian.system(), { spec: '/root/home.yaml' })
}

async function bootTrial(health: string | undefined): Promise<void> {
  await prepareTrial()
  debian.boot(true)
  if (health !== undefined) put(debian.root, '/run/handover/trial-health', `${health}\n`)
}

describe('handover confirm', () => {
  it('has nothing to confirm where no trial was prepared', async () => {
    await expect(confirm()).rejects.toMatchObject({
      message: 'there is no trial boot to confirm',
      exitCode: 1,
    })
    expect(debian.changed()).toEqual([])
  })

  it('confirms nothing before the trial boot', async () => {
    await prepareTrial()
    await expect(confirm()).rejects.toThrow('this is not the trial boot, it is the one from before')
    expect(states()).toEqual(['applied'])
  })

  it('says why the trial was given up', async () => {
    await prepareTrial()
    put(
      debian.root,
      '/var/lib/handover/trial-result',
      'the trial boot was given up after 10 minutes: nobody came\n',
    )
    debian.boot(false)
    await expect(confirm()).rejects.toThrow('the trial boot was given up after 10 minutes: nobody came')
  })

  it.each([
    ['there is no default route', 'the trial boot is not healthy: there is no default route'],
    ['healthy, nearly', 'the trial boot is not healthy: healthy, nearly'],
    [undefined, 'the trial boot is not healthy: nothing has checked it'],
  ])('keeps nothing of a trial whose health is %j', async (health, words) => {
    await bootTrial(health)
    await expect(confirm()).rejects.toThrow(words)
    expect(states()).toEqual(['applied'])
    expect(fs.existsSync(join(debian.root, 'run/handover/confirmed'))).toBe(false)
  })

  it('runs no program of this machine for files of another tree', async () => {
    await bootTrial('healthy')
    const system = { ...debian.system(), root: debian.root }
    await expect(runCommand(system, runConfirm, [], {})).rejects.toThrow('would run here and not in')
    expect(states()).toEqual(['applied'])
    expect(fs.existsSync(join(debian.root, 'run/handover/confirmed'))).toBe(false)
  })

  it('keeps a healthy trial, as a transaction that is taken back with it', async () => {
    await bootTrial('healthy')
    const { code, out } = await confirm()
    expect([code, out]).toEqual([
      0,
      'confirmed: every later boot is like this one. To take it back: handover rollback\n',
    ])
    expect(read('boot/grub/grub.cfg')).toContain('intel_iommu=on')
    expect(fs.existsSync(join(debian.root, 'run/handover/confirmed'))).toBe(true)
    const [, second] = readJournals(debian.system())
    expect(second?.ok && second.journal.record).toMatchObject({ continues: '0001', spec: '/root/home.yaml' })
    expect((await rollback()).code).toBe(0)
    expect(states()).toEqual(['rolled-back', 'rolled-back'])
    expect(debian.changed()).toEqual([])
  })

  it('takes its own changes back and ends with 3 when a program fails', async () => {
    await bootTrial('healthy')
    const before = read('boot/grub/grub.cfg')
    put(debian.root, '/bin-fake/update-grub', '#!/bin/sh\nexit 3\n', 0o755)
    const { code, err, out } = await confirm()
    expect(out).toBe('')
    expect(err).toContain('update-grub')
    expect(err).toContain('the trial is not permanent: this boot stays as it is, the next one is as before')
    expect([code, read('boot/grub/grub.cfg')]).toEqual([3, before])
    expect(states()).toEqual(['applied', 'restored'])
  })

  it('prints one JSON document', async () => {
    await bootTrial('healthy')
    const { code, out } = await confirm({ json: true })
    expect(code).toBe(0)
    expect(documentOf(confirmSchema, out)).toMatchObject({ schema: 1, outcome: 'applied', id: '0002' })
    // What was made of the trial is in the document of its rollback: both parts of it.
    const undone = await rollback([], { yes: true, json: true })
    const part = (id: string) => ({ outcome: 'rolled-back', id, leftovers: [] })
    expect(documentOf(rollbackSchema, undone.out)).toEqual({
      ...{ schema: 1, ...part('0002'), parts: [part('0002'), part('0001')] },
    })
    expect(undone.code).toBe(0)
  })

  it('is not taken back as a whole while its trial is not', async () => {
    await bootTrial('healthy')
    await confirm()
    const system = debian.system()
    const remove = (path: string) => {
      if (path === '/etc/handover/trial')
        throw Object.assign(new Error('EIO: broken on purpose'), { code: 'EIO' })
      system.remove(path)
    }
    const undone = await runCommand({ ...system, remove }, runRollback, [], { yes: true, json: true })
    const document = documentOf(rollbackSchema, undone.out)
    expect(document).toMatchObject({ outcome: 'rollback-incomplete', id: '0002' })
    expect(document.parts?.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      '0002 rolled-back',
      '0001 rollback-incomplete',
    ])
    expect(document.leftovers.join()).toContain('broken on purpose')
    expect(undone.code).toBe(4)
  })
})

describe('handover journal', () => {
  const journal = (args: readonly string[], json = true) =>
    runCommand(debian.system(), runJournal, args, { json })

  it('lists nothing where nothing was applied', async () => {
    expect((await journal([], false)).out).toBe('nothing was applied on this host\n')
    expect(documentOf(journalsSchema, (await journal([])).out)).toEqual({
      schema: 1,
      journals: [],
      trial: null,
    })
  })

  it('lists what was done, and the trial that waits', async () => {
    await bootTrial('healthy')
    const { journals, trial } = documentOf(journalsSchema, (await journal([])).out)
    expect(journals).toMatchObject([{ id: '0001', status: 'applied', spec: '/root/home.yaml' }])
    expect(trial?.code).toBe('trial-unconfirmed')
  })

  it('shows one entry whole, and a damaged one with 1', async () => {
    await prepareTrial()
    const entry = documentOf(journalSchema, (await journal(['1'])).out)
    expect(entry).toMatchObject({ schema: 1, id: '0001', status: 'applied', needsReboot: true, damage: [] })
    put(debian.root, '/var/lib/handover/journal/0001/record.json', '{ torn')
    const torn = await journal(['1'])
    expect(torn.code).toBe(1)
    expect(documentOf(journalSchema, torn.out)).toMatchObject({ schema: 1, id: '0001', status: 'damaged' })
    const all = await journal([])
    expect(all.code).toBe(1)
    expect(documentOf(journalsSchema, all.out).journals).toMatchObject([{ id: '0001', status: 'damaged' }])
  })
})

describe('handover rollback', () => {
  it('has nothing to take back on a host that nothing was done to', async () =>
    expect(await rollback()).toEqual({
      ...{ code: 0, out: 'nothing is applied: there is nothing to take back\n', err: '' },
    }))

  it('shows what it takes back, newest first, and brings every file back', async () => {
    await prepareTrial()
    const { code, out, err } = await rollback()
    expect(code).toBe(0)
    expect(err).toMatch(/^rollback of 0001, applied \S+:\n {2}\S/)
    expect(out).toContain('0001 is taken back: everything it changed is as it was before')
    expect(out).toContain('reboot to be as before')
    expect(debian.changed()).toEqual([])
    expect((await rollback(['0001'])).out).toBe('0001 is already taken back\n')
  })

  it('changes nothing without a yes where nobody can be asked', async () => {
    await prepareTrial()
    const before = debian.changed()
    await expect(rollback([], {})).rejects.toMatchObject({
      help: expect.stringContaining('handover rollback 0001 --yes') as string,
    })
    expect(debian.changed()).toEqual(before)
    expect(states()).toEqual(['applied'])
  })

  it('refuses a journal that is not there', async () => {
    await prepareTrial()
    await expect(rollback(['7'])).rejects.toThrow('there is no journal 7')
    expect(states()).toEqual(['applied'])
  })

  it('takes back the one named where several are in force', async () => {
    await apply(
      planOf([{ kind: 'file', path: '/etc/a', before: null, after: { text: 'a', mode: 0o644 }, why: '' }]),
      debian.system(),
    )
    await apply(
      planOf([{ kind: 'file', path: '/etc/b', before: null, after: { text: 'b', mode: 0o644 }, why: '' }]),
      debian.system(),
    )
    expect((await rollback(['1'])).code).toBe(0)
    expect(states()).toEqual(['rolled-back', 'applied'])
    expect(fs.existsSync(join(debian.root, 'etc/a'))).toBe(false)
    expect(read('etc/b')).toBe('b')
  })

  const made: Step = {
    kind: 'file',
    path: '/etc/a',
    before: null,
    after: { text: 'a', mode: 0o644 },
    why: '',
  }

  it('runs no program of this machine for files of another tree', async () => {
    const marker = join(debian.root, 'marker')
    const undo = ['touch', marker]
    await apply(planOf([{ kind: 'command', argv: ['true'], outputs: [], undo, why: '' }]), debian.system())
    const { code, out } = await runCommand({ ...debian.system(), root: debian.root }, runRollback, [], {
      yes: true,
    })
    expect(out).toContain('touch')
    expect([code, fs.existsSync(marker)]).toEqual([4, false])
    expect([(await rollback()).code, fs.existsSync(marker)]).toEqual([0, true])
  })

  it('changes nothing where somebody else changed the file since', async () => {
    await apply(planOf([made]), debian.system())
    fs.writeFileSync(join(debian.root, 'etc/a'), 'changed by hand')
    await expect(rollback()).rejects.toThrow(
      /cannot be taken back[\s\S]*\/etc\/a exists, and did not exist before/,
    )
    expect([read('etc/a'), states()]).toEqual(['changed by hand', ['applied']])
  })

  it('says what is still different and ends with 4 where not all can be taken back', async () => {
    await apply(planOf([made]), debian.system())
    const broken = () => {
      throw Object.assign(new Error('EIO: broken on purpose'), { code: 'EIO' })
    }
    const { code, out } = await runCommand({ ...debian.system(), remove: broken }, runRollback, [], {
      yes: true,
    })
    expect(out).toMatch(/^0001 is not fully taken back; still different:\n {2}EIO: broken on purpose\n/)
    expect([code, states()]).toEqual([4, ['rollback-incomplete']])
    expect((await rollback()).out).toContain('0001 is taken back')
  })
})
