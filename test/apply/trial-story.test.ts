/**
 * A Debian-shaped host in a temporary tree, from "IOMMU off" to a confirmed trial and back: the planner, the transaction,
 * the scripts in a real shell, and stand-ins for Debian's generators. Every changed path must be one that the plan names.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { readJournals } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { readHost } from '../../src/host/read-host.ts'
import { planBoot, planConfirm } from '../../src/plan/plan-boot.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import { fakeSysfs, identityOf, put, tempTree } from '../support/fake-kernel.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'
import { fakePrograms, nic, planOf, unplanned } from '../support/transactions.ts'

const kernel = '6.1.0-9-amd64'
const grubCfg = `menuentry 'Debian' {
	linux	/boot/vmlinuz-${kernel} root=UUID=1 ro quiet
	initrd	/boot/initrd.img-${kernel}
}
source $prefix/custom.cfg
`

let root = ''
let programs: ReturnType<typeof fakePrograms>
let before = new Map<string, TreeEntry>()
const ours = ['/var/lib/handover', '/run', '/proc', '/sys', '/bin-fake', '/dev']
const changed = () => differences(before, snapshotTree(root, ours))
const system = () => linuxSystem({ root })
const host = () => readHost(system())
const wish = { identities: [identityOf(nic)], trial: true }

/** Images are made from what is in /etc/handover, entries from what is in /etc/default/grub.d; nothing is synced. */
const generators: Record<string, string> = {
  mkinitramfs: 'cat "$R"/etc/handover/* > "$R$2"',
  'update-initramfs':
    'for i in "$R"/boot/initrd.img-*; do { echo base; cat "$R"/etc/handover/bindings; } > "$i"; done 2>/dev/null',
  'update-grub':
    'cat "$R"/etc/default/grub.d/*.cfg > "$R/boot/grub/grub.cfg.new"; mv "$R/boot/grub/grub.cfg.new" "$R/boot/grub/grub.cfg"',
  'grub-reboot': 'echo "next_entry=$1" > "$R/boot/grub/grubenv"',
  rm: 'exec /bin/rm -f "$R$2"',
}

beforeEach(() => {
  root = tempTree()
  fakeSysfs(root, [nic], { e1000e: ['8086:10d3'], 'vfio-pci': [] })
  put(root, '/sys/firmware/acpi/tables/DMAR', 'DMAR')
  put(root, '/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz-${kernel} root=UUID=1 ro quiet\n`)
  put(root, '/proc/sys/kernel/osrelease', `${kernel}\n`)
  put(root, '/proc/version', `Linux version ${kernel}\n`)
  put(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
  put(root, '/dev/kmsg', '')
  for (const path of ['/usr/sbin/update-grub', '/usr/sbin/update-initramfs']) put(root, path, '', 0o755)
  for (const path of ['/run/systemd/system', '/etc/initramfs-tools', '/etc/default/grub.d', '/etc/udev', '/var/lib'])
    fs.mkdirSync(join(root, path), { recursive: true })
  put(root, '/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
  put(root, '/boot/grub/grub.cfg', grubCfg)
  put(root, '/boot/grub/grubenv', 'saved_entry=0\n')
  put(root, `/boot/initrd.img-${kernel}`, 'the good initramfs')
  programs = fakePrograms(root, generators)
  before = snapshotTree(root, ours)
})
afterEach(() => programs.end())

/** The next boot: through the trial entry (its initramfs runs the early binding, the IOMMU is on), or the old one. */
function boot(isTrial: boolean): void {
  const entry = fs.existsSync(join(root, 'boot/grub/custom.cfg'))
    ? fs.readFileSync(join(root, 'boot/grub/custom.cfg'), 'utf8')
    : ''
  const args = isTrial ? (/linux \S+ (.*)/.exec(entry)?.[1] ?? '') : 'root=UUID=1 ro quiet'
  put(root, '/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz-${kernel} ${args}\n`)
  // GRUB forgets its one-shot choice by itself.
  put(root, '/boot/grub/grubenv', 'saved_entry=0\nnext_entry=\n')
  put(root, '/proc/uptime', '20.0 1.0\n')
  put(root, '/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n')
  put(root, '/proc/net/route', 'Iface\n')
  fs.rmSync(join(root, 'sys/devices'), { recursive: true })
  fs.rmSync(join(root, 'sys/bus'), { recursive: true })
  fs.rmSync(join(root, 'run'), { recursive: true })
  fs.mkdirSync(join(root, 'run/systemd/system'), { recursive: true })
  fakeSysfs(root, [{ ...nic, driver: null, ...(isTrial ? { group: 1 } : {}) }], {
    e1000e: ['8086:10d3'],
    'vfio-pci': [],
  })
  if (fs.existsSync(join(root, 'etc/handover/bind')))
    execFileSync('sh', [join(root, 'etc/handover/bind')], { env: { PATH: programs.oldPath, HANDOVER_ROOT: root } })
  const device = join(root, 'sys/devices', nic.place)
  const isKept = fs.readFileSync(join(device, 'driver_override'), 'utf8').trim() === 'vfio-pci'
  fs.symlinkSync(`../../../../bus/pci/drivers/${isKept ? 'vfio-pci' : 'e1000e'}`, join(device, 'driver'))
}
const driver = () =>
  fs
    .readlinkSync(join(root, 'sys/devices', nic.place, 'driver'))
    .split('/')
    .at(-1)

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
    expect(fs.readFileSync(join(root, `boot/initrd.img-${kernel}`), 'utf8')).toContain('0000:00/1c.0/00.0 8086 10d3')
    expect(changed().join('\n')).not.toMatch(/trial|custom\.cfg/)
    put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    // GRUB itself wrote its environment block when it forgot the one-shot choice; nothing else in it had changed.
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
        { code: 'trial-failed', message: 'the trial boot was given up after 10 minutes: there is no default route' },
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
