/**
 * A Debian-shaped host in a temporary tree, from "IOMMU off" to a confirmed trial and back: the planner, the
 * transaction, the scripts in a real shell, and stand-ins for Debian's generators. Every changed path must be
 * one that the plan names.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { readJournals } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import { debianHost, grubCfg, kernel, type DebianHost } from '../support/debian-host.ts'
import { identityOf, put } from '../support/fake-kernel.ts'
import { nic, planOf, unplanned } from '../support/transactions.ts'

let debian: DebianHost
let root = ''
beforeEach(() => {
  debian = debianHost()
  root = debian.root
})
afterEach(() => debian.end())
const changed = () => debian.changed()
const system = () => debian.system()
const host = () => debian.host()
const boot = (isTrial: boolean) => debian.boot(isTrial)
const driver = () => debian.driver()
const wish = { identities: [identityOf(nic)], trial: true }

describe('a host whose IOMMU is off', () => {
  it('gets a trial that leaves the good entry and the good initramfs alone, and takes it all back', async () => {
    const plan = planBoot(host(), wish)
    expect(plan.findings).toEqual([])
    expect(plan.needsReboot).toBe(true)
    expect(await apply(planOf(plan.steps, { needsReboot: true }), system())).toMatchObject({
      outcome: 'applied',
      needsReboot: true,
    })
    expect(unplanned(changed(), plan.steps)).toEqual([])
    expect(changed().map((line) => line.split(': ')[0])).not.toContain('/boot/grub/grub.cfg')
    expect(fs.readFileSync(join(root, `boot/initrd.img-${kernel}`), 'utf8')).toBe('the good initramfs')
    expect(fs.readFileSync(join(root, 'boot/grub/grubenv'), 'utf8')).toBe('next_entry=handover-trial\n')
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: true })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('boots the trial, confirms it, keeps it, and goes back to the beginning', async () => {
    const trial = planBoot(host(), wish)
    await apply(planOf(trial.steps), system())
    boot(true)
    expect(driver()).toBe('vfio-pci')
    expect(planBoot(host(), wish).findings).toMatchObject([{ code: 'trial-unconfirmed' }])
    const confirm = planConfirm(host())
    expect(await apply(planOf(confirm.steps), system(), { continues: '0001' })).toMatchObject({
      outcome: 'applied',
      id: '0002',
    })
    expect(unplanned(changed(), [...trial.steps, ...confirm.steps])).toEqual([])
    expect(fs.readFileSync(join(root, 'boot/grub/grub.cfg'), 'utf8')).toContain('intel_iommu=on')
    expect(fs.readFileSync(join(root, `boot/initrd.img-${kernel}`), 'utf8')).toContain(
      '0000:00/1c.0/00.0 8086 10d3',
    )
    expect(changed().join('\n')).not.toMatch(/trial|custom\.cfg/)
    put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    // GRUB itself wrote its environment block when it forgot the one-shot choice; nothing else in it had
    // changed.
    expect(changed()).toEqual([])
    boot(false)
    expect(driver()).toBe('e1000e')
  })

  it('tries a further argument on a host that is as planned, and a failed trial leaves its bindings in force', async () => {
    await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
    boot(false)
    put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
    put(root, '/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz-${kernel} root=UUID=1 ro quiet intel_iommu=on\n`)
    put(root, '/boot/grub/grub.cfg', grubCfg)
    const more = { ...wish, arguments: ['iommu=pt'] }
    const trial = planBoot(host(), more)
    expect(trial.findings).toEqual([])
    expect(await apply(planOf(trial.steps), system())).toMatchObject({ outcome: 'applied' })
    expect(fs.readFileSync(join(root, 'boot/grub/custom.cfg'), 'utf8')).toContain(' quiet iommu=pt panic=30 ')
    expect(fs.readFileSync(join(root, 'etc/handover/bindings'), 'utf8')).not.toContain('only-with')
    expect(planBoot(host(), more)).toEqual({ steps: [], findings: [], needsReboot: true })
    boot(false)
    expect(driver()).toBe('vfio-pci')
  })

  it('tries early binding alone where the IOMMU is on already, and a device more later', async () => {
    const isOn = () => put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
    isOn()
    expect(planBoot(host(), { ...wish, trial: false }).needsReboot).toBe(false)
    const trial = planBoot(host(), wish)
    expect(trial).toMatchObject({ findings: [], needsReboot: true })
    await apply(planOf(trial.steps), system())
    expect(unplanned(changed(), trial.steps)).toEqual([])
    expect(fs.readFileSync(join(root, `boot/initrd.img-${kernel}`), 'utf8')).toBe('the good initramfs')
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: true })
    boot(true)
    isOn()
    expect(driver()).toBe('vfio-pci')
    await apply(planOf(planConfirm(host()).steps), system(), { continues: '0001' })
    boot(false)
    isOn()
    expect(driver()).toBe('vfio-pci')
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: false })
    const second = { ...identityOf(nic), path: '0000:00/1c.0/00.1' }
    const more = { ...wish, identities: [second, ...wish.identities] }
    await apply(planOf(planBoot(host(), more).steps), system())
    const lines = fs
      .readFileSync(join(root, 'etc/handover/bindings'), 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0])
    expect(lines).toEqual(['#', '0000:00/1c.0/00.0', 'only-with', '0000:00/1c.0/00.1', ''])
    expect(planBoot(host(), more)).toEqual({ steps: [], findings: [], needsReboot: true })
    boot(false)
    expect(driver()).toBe('vfio-pci')
  })

  it('makes early binding at once, and says so, where no trial can be had', () => {
    put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
    put(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/mapper/vg-root rw\n')
    const plan = planBoot(host(), wish)
    expect(plan).toMatchObject({ findings: [{ code: 'no-trial', severity: 'warning' }], needsReboot: false })
    expect(plan.steps.length).toBeGreaterThan(0)
  })

  it('goes back by itself: the old entry gives every device to its own driver, and the reason is told', async () => {
    await apply(planOf(planBoot(host(), wish).steps), system())
    boot(true)
    put(
      root,
      '/var/lib/handover/trial-result',
      'the trial boot was given up after 10 minutes: there is no default route\n',
    )
    boot(false)
    expect(driver()).toBe('e1000e')
    expect(planBoot(host(), wish)).toMatchObject({
      steps: [],
      findings: [
        {
          code: 'trial-failed',
          message: 'the trial boot was given up after 10 minutes: there is no default route',
        },
      ],
    })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
    // The next trial starts with a clean slate, and the journal keeps the reason.
    expect(planBoot(host(), wish).steps.length).toBeGreaterThan(0)
    const [read] = readJournals(system())
    expect(read?.ok && read.journal.events.at(-1)).toMatchObject({
      note: expect.stringContaining('there is no default route'),
    })
  })

  it('leaves the environment block alone when somebody set more in it since', async () => {
    await apply(planOf(planBoot(host(), wish).steps), system())
    put(root, '/boot/grub/grubenv', 'saved_entry=2\nnext_entry=\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(fs.readFileSync(join(root, 'boot/grub/grubenv'), 'utf8')).toBe('saved_entry=2\nnext_entry=\n')
  })

  it.each<[string, () => void, string]>([
    [
      'GRUB cannot forget',
      () => put(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/mapper/vg-root rw\n'),
      'GRUB cannot write its environment block on /dev/mapper/vg-root (ext4), so a bad trial would be started again and again',
    ],
    [
      'custom.cfg is someone else’s',
      () => put(root, '/boot/grub/custom.cfg', 'menuentry x {\n}\n'),
      '/boot/grub/custom.cfg belongs to someone else',
    ],
    [
      'there is no systemd',
      () => fs.rmSync(join(root, 'run/systemd'), { recursive: true }),
      'there is no systemd to check the trial boot',
    ],
  ])('is refused a trial when %s, and told why', (_, change, reason) => {
    change()
    const plan = planBoot(host(), wish)
    expect(plan).toMatchObject({ steps: [], findings: [{ code: 'no-trial', severity: 'error' }] })
    expect(plan.findings[0]?.message).toContain(reason)
    expect(planBoot(host(), { ...wish, trial: false }).steps.length).toBeGreaterThan(0)
  })
})
