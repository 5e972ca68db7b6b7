/**
 * Hosts whose boot entries are files, in a temporary tree, from "IOMMU off" to a confirmed trial and back:
 * systemd-boot with entries that kernel-install made on an ESP, and Fedora's GRUB with grubby. The generators
 * and bootctl are stand-ins that write what the real ones write; test/boot/ runs the real ones.
 */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { oneShotVariable } from '../../src/boot/loaders/loader-interface.ts'
import type { Host } from '../../src/host/host.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { kernel, loaderHost } from '../support/loader-host.ts'
import { nic, planOf, unplanned } from '../support/transactions.ts'

const token = '0123456789abcdef0123456789abcdef'

const machine = loaderHost()
const { at, put, changed, paths, system, read, end, remember, loaderVariable: efiVariable } = machine
const host = (facts: Partial<Host['boot']> = {}): Host => {
  const read = machine.host()
  return read.boot === undefined ? read : { ...read, boot: { ...read.boot, ...facts } }
}
const wish = { identities: [identityOf(nic)], trial: true }

const generators: Record<string, string> = {
  mkinitramfs: 'cat "$R"/etc/handover/bindings > "$R$2" 2>/dev/null || :',
  dracut: 'cat "$R"/etc/handover/bindings > "$R$2" 2>/dev/null || :',
  mv: 'exec /bin/mv -f "$R$2" "$R$3"',
  cp: 'exec /bin/cp -f "$R$2" "$R$3"',
  rm: 'exec /bin/rm -f "$R$2"',
  bootctl: `if [ -z "$2" ]; then /bin/rm -f "$R${oneShotVariable}"
    else { printf '\\007\\000\\000\\000'; printf '%s\\0' "$2" | sed 's/./&\\x00/g'; } > "$R${oneShotVariable}"; fi`,
  'proxmox-boot-tool': '[ -e "$R/broken" ] && exit 1; /bin/cp "$R/etc/kernel/cmdline" "$R/dev/copied"',
  'grub2-reboot': 'echo "next_entry=$1" > "$R/boot/grub2/grubenv"',
  grubby:
    'for i in "$R"/boot/loader/entries/*.conf; do for a in "$@"; do case $a in --args=*) sed -i "/^options/s/\\$/ ${a#--args=}/" "$i" ;; --remove-args=*) sed -i "s/ ${a#--remove-args=}//" "$i" ;; esac; done; done',
}

function begin(present: readonly string[], folders: readonly string[], cmdline: string): void {
  machine.begin(present, folders, { cmdline, generators })
}
afterEach(end)

/** The loader forgets its choice, and the kernel says which entry it was started with. */
function bootTrial(options: string): void {
  fs.rmSync(at(oneShotVariable), { force: true })
  machine.start(options)
}

describe('a host with systemd-boot', () => {
  const esp = '/boot/efi'
  const entries = `${esp}/loader/entries`
  const good = `${entries}/${token}-${kernel}+3-1.conf`
  const image = `${esp}/${token}/${kernel}/initrd.img-${kernel}`
  const trialEntry = `${entries}/handover-trial.conf`
  const trialImage = `${esp}/${token}/${kernel}/handover-trial.img`
  const options = 'root=UUID=1 ro quiet'

  beforeEach(() => {
    begin(
      ['/usr/bin/bootctl', '/usr/bin/kernel-install', '/usr/sbin/update-initramfs'],
      ['/etc/initramfs-tools', '/etc/kernel'],
      `initrd=\\${token}\\${kernel}\\initrd.img-${kernel} ${options}`,
    )
    put(`${esp}/loader/loader.conf`, 'timeout 3\n', 0o755)
    put(
      good,
      `title Debian\nversion ${kernel}\nsort-key debian\noptions ${options}\nlinux /${token}/${kernel}/linux\ninitrd /${token}/${kernel}/initrd.img-${kernel}\n`,
      0o755,
    )
    put(image, 'the good initramfs', 0o755)
    put(`/boot/initrd.img-${kernel}`, 'the good initramfs')
    efiVariable('LoaderInfo', 'systemd-boot 252.39-1~deb12u2')
    efiVariable('LoaderEntrySelected', `${token}-${kernel}+3.conf`)
    remember()
  })

  it('gets a trial beside the good entry, chosen by an EFI variable, and takes it all back', async () => {
    const plan = planBoot(host(), wish)
    expect(plan.findings).toEqual([])
    expect(await apply(planOf(plan.steps, { needsReboot: true }), system())).toMatchObject({
      outcome: 'applied',
      needsReboot: true,
    })
    expect(unplanned(changed(), plan.steps)).toEqual([])
    expect(paths()).toEqual(expect.arrayContaining([trialEntry, trialImage, oneShotVariable]))
    expect(paths()).not.toContain(good)
    expect(read(image)).toBe('the good initramfs')
    // A kernel installed meanwhile must not get the token from the running command line.
    expect(read('/etc/kernel/cmdline')).toBe(`${options}\n`)
    expect(read(trialImage)).toContain('only-with handover.trial=1')
    expect(read(trialEntry)).toContain(
      `options ${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1\n`,
    )
    expect(read(trialEntry)).toContain(`initrd /${token}/${kernel}/handover-trial.img\n`)
    expect(host().boot?.loaderEntries?.oneShot).toBe('handover-trial.conf')
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: true })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('gives back the choice that somebody had made for the next boot', async () => {
    efiVariable('LoaderEntryOneShot', 'memtest.conf')
    remember()
    await apply(planOf(planBoot(host(), wish).steps), system())
    expect(host().boot?.loaderEntries?.oneShot).toBe('handover-trial.conf')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('says so when the choice could not be taken back', async () => {
    await apply(planOf(planBoot(host(), wish).steps), system())
    put('/bin-fake/bootctl', '#!/bin/sh\nexit 0\n', 0o755)
    expect(await rollback(system(), undefined)).toMatchObject({
      outcome: 'rollback-incomplete',
      leftovers: [`${oneShotVariable} is not as before, although bootctl set-oneshot '' was run`],
    })
  })

  it('confirms it: entries, the template of new ones and the initramfs; then goes back to the beginning', async () => {
    const trial = planBoot(host(), wish)
    await apply(planOf(trial.steps), system())
    bootTrial(`${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1`)
    efiVariable('LoaderEntrySelected', 'handover-trial.conf')
    expect(planBoot(host(), wish).findings).toMatchObject([{ code: 'trial-unconfirmed' }])
    const confirm = planConfirm(host())
    expect(await apply(planOf(confirm.steps), system(), { continues: '0001' })).toMatchObject({
      outcome: 'applied',
    })
    expect(
      unplanned(changed(), [
        ...trial.steps,
        ...confirm.steps,
        {
          kind: 'sysfs',
          path: '/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f',
          before: '',
          after: '',
          why: '',
        },
      ]),
    ).toEqual([])
    expect(read(good)).toContain(`options ${options} intel_iommu=on\n`)
    expect(read('/etc/kernel/cmdline')).toBe(`${options} intel_iommu=on\n`)
    expect(read(image)).toContain('0000:00/1c.0/00.0 8086 10d3')
    expect(read(image)).not.toContain('only-with')
    expect(read(`/boot/initrd.img-${kernel}`)).toBe(read(image))
    expect(paths().join('\n')).not.toMatch(/trial|\.handover$/)
    bootTrial(`${options} intel_iommu=on`)
    efiVariable('LoaderEntrySelected', `${token}-${kernel}+3.conf`)
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: false })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    expect(changed()).toEqual([])
  })

  it('makes an initramfs again on the way back when somebody made it again since', async () => {
    await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
    put(image, 'of a newer driver package', 0o755)
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    // The stand-in puts nothing into it without bindings: what matters is that the bindings are not inside
    // any more.
    expect(paths().filter((path) => path !== image)).toEqual([])
    expect(read(image)).toBe('')
  })

  it.each<[string, () => Partial<Host['boot']>, string]>([
    [
      'the partition is nearly full',
      () => ({
        entriesFreeBytes: 20 << 20,
        entryImages: [{ entry: good, path: image, bytes: 40 << 20, release: kernel }],
      }),
      `the partition of ${entries} has 20 MiB left, and a second initramfs needs 58 MiB`,
    ],
    [
      'the last entry booted is booted again',
      () => (put(`${esp}/loader/loader.conf`, 'default @saved\n', 0o755), {}),
      'systemd-boot starts the entry again that was started last (default @saved)',
    ],
    [
      'another entry was booted than any that is there',
      () => (efiVariable('LoaderEntrySelected', 'gone.conf'), {}),
      `no single entry of ${entries} started the running kernel`,
    ],
    [
      'the entry was written again for another kernel',
      () => (put(good, read(good).replace(`version ${kernel}`, 'version 6.2'), 0o755), {}),
      `the entry that was booted is for 6.2 now, but ${kernel} is running`,
    ],
    [
      'there is no bootctl',
      () => (fs.rmSync(at('/usr/bin/bootctl')), {}),
      'there is no bootctl to choose an entry for one boot',
    ],
  ])('is refused a trial when %s, and told why', (_, change, reason) => {
    const facts = change()
    const plan = planBoot(host(facts), wish)
    expect(plan).toMatchObject({ steps: [], findings: [{ code: 'no-trial', severity: 'error' }] })
    expect(plan.findings[0]?.message).toContain(reason)
    expect(planBoot(host(facts), { ...wish, trial: false }).steps.length).toBeGreaterThan(0)
  })
})

describe('a host whose GRUB reads entries', () => {
  const entry = `/boot/loader/entries/${token}-${kernel}.conf`
  const rescue = `/boot/loader/entries/${token}-0-rescue.conf`
  const options = 'root=UUID=1 ro rhgb quiet'

  beforeEach(() => {
    begin(
      ['/usr/sbin/grub2-mkconfig', '/usr/sbin/grubby', '/usr/bin/dracut'],
      ['/etc/dracut.conf.d'],
      `BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${kernel} ${options}`,
    )
    put('/etc/default/grub', `GRUB_CMDLINE_LINUX="rhgb quiet"\n`)
    put('/boot/grub2/grub.cfg', 'insmod blscfg\nblscfg\nsource $prefix/custom.cfg\n')
    put('/boot/grub2/grubenv', 'saved_entry=0\n')
    const text = (name: string) =>
      `title Fedora\nversion ${name}\nlinux /vmlinuz-${name}\ninitrd /initramfs-${name}.img\noptions ${options}\n`
    put(entry, text(kernel))
    put(rescue, text('0-rescue'))
    put(`/boot/initramfs-${kernel}.img`, 'the good initramfs')
    put('/boot/initramfs-0-rescue.img', 'the rescue initramfs')
    remember()
  })

  it('gets a trial in custom.cfg, which is read after the entries, and takes it all back', async () => {
    const plan = planBoot(host(), wish)
    expect(plan.findings).toEqual([])
    expect(await apply(planOf(plan.steps), system())).toMatchObject({ outcome: 'applied' })
    expect(unplanned(changed(), plan.steps)).toEqual([])
    expect(paths().filter((path) => path.startsWith('/boot/'))).toEqual([
      '/boot/grub2/custom.cfg',
      '/boot/grub2/grubenv',
      '/boot/handover-trial.img',
    ])
    expect(read('/boot/grub2/custom.cfg')).toContain(
      `\tlinux /vmlinuz-${kernel} ${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1\n\tinitrd /handover-trial.img\n`,
    )
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: true })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('confirms it by grubby, leaves the rescue initramfs alone, and goes back to the beginning', async () => {
    const trial = planBoot(host(), wish)
    await apply(planOf(trial.steps), system())
    bootTrial(
      `BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${kernel} ${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1`,
    )
    const confirm = planConfirm(host())
    expect(confirm.steps).toContainEqual(
      expect.objectContaining({
        kind: 'command',
        argv: ['grubby', '--update-kernel=ALL', '--args=intel_iommu=on'],
      }),
    )
    expect(await apply(planOf(confirm.steps), system(), { continues: '0001' })).toMatchObject({
      outcome: 'applied',
    })
    expect(unplanned(changed(), [...trial.steps, ...confirm.steps])).toEqual([])
    expect(read(entry)).toContain(`options ${options} intel_iommu=on\n`)
    expect(read(`/boot/initramfs-${kernel}.img`)).toContain('0000:00/1c.0/00.0 8086 10d3')
    expect(read('/boot/initramfs-0-rescue.img')).toBe('the rescue initramfs')
    bootTrial(`BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${kernel} ${options} intel_iommu=on`)
    expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: false })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    expect(changed()).toEqual([])
  })

  it('takes the choice back where the environment block is a link to the ESP', async () => {
    fs.rmSync(at('boot/grub2/grubenv'))
    put('/boot/efi/EFI/fedora/grubenv', 'saved_entry=0\n')
    fs.symlinkSync('../efi/EFI/fedora/grubenv', at('boot/grub2/grubenv'))
    remember()
    const plan = planBoot(host(), wish)
    await apply(planOf(plan.steps), system())
    expect(unplanned(changed(), plan.steps)).toEqual([])
    expect(read('/boot/efi/EFI/fedora/grubenv')).toBe('next_entry=handover-trial\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('takes the argument out of entries that came later, when it is taken back', async () => {
    await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
    const later = `/boot/loader/entries/${token}-6.9.conf`
    put(later, `title Fedora\nversion 6.9\nlinux /vmlinuz-6.9\noptions ${options} intel_iommu=on\n`)
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(paths()).toEqual([later])
    expect(read(later)).toContain(`options ${options}\n`)
  })
})

describe('a host with proxmox-boot-tool', () => {
  beforeEach(() => {
    begin(['/usr/sbin/proxmox-boot-tool'], ['/etc/kernel'], 'root=ZFS=rpool/ROOT/pve-1 boot=zfs')
    put('/etc/kernel/proxmox-boot-uuids', '1111-2222\n')
    put('/etc/kernel/cmdline', 'root=ZFS=rpool/ROOT/pve-1 boot=zfs\n')
    remember()
  })

  it('has the partitions refreshed once more when everything else is taken back', async () => {
    await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
    expect(read('/dev/copied')).toBe('root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(read('/dev/copied')).toBe('root=ZFS=rpool/ROOT/pve-1 boot=zfs\n')
    expect(changed()).toEqual([])
  })

  it('is not called restored when the refresh fails, and a second rollback makes it good', async () => {
    await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
    put('/broken', '')
    expect(await rollback(system(), undefined)).toMatchObject({
      outcome: 'rollback-incomplete',
      leftovers: [
        'saved bytes cannot take everything back, and proxmox-boot-tool refresh failed: proxmox-boot-tool ended with status 1',
      ],
    })
    fs.rmSync(at('broken'))
    expect(await rollback(system(), '0001')).toMatchObject({ outcome: 'rolled-back' })
    expect(read('/dev/copied')).toBe('root=ZFS=rpool/ROOT/pve-1 boot=zfs\n')
    expect(changed()).toEqual([])
  })
})
