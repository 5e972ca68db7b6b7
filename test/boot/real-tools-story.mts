/**
 * Runs inside a throw-away copy of a Debian system (real-tools.sh made it): plans a trial with the real
 * planner, applies it with the real transaction and the distribution's own mkinitramfs, grub-mkconfig and
 * grub-reboot, looks into what they made, confirms, and takes everything back. Prints one JSON line per
 * check.
 */
import * as fs from 'node:fs'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { findBootEntry } from '../../src/boot/loaders/grub-menu.ts'
import type { BootFacts } from '../../src/host/boot-facts.ts'
import type { Host } from '../../src/host/host.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import { check, hostWith, identities, planOf, remember, report, run, system } from './story.mts'

const release = process.argv[2] ?? ''

const facts = (found: BootFacts): BootFacts => {
  const grubCfg = fs.readFileSync('/boot/grub/grub.cfg', 'utf8')
  const entry = findBootEntry(grubCfg, `/boot/vmlinuz-${release}`)
  return {
    ...found,
    present: [...new Set([...found.present, '/run/systemd/system'])].filter(
      (path) => !path.includes('dracut'),
    ),
    grubFilesystem: { type: 'ext4', device: '/dev/sda1' },
    ...(entry === undefined ? {} : { grubEntry: entry }),
  }
}
/** The host as it would be on hardware: what this copy has of boot files, and an IOMMU that is off or on. */
const hostNow = (cmdline: string, isOn: boolean): Host => hostWith(cmdline, isOn, release, facts)

const changed = remember()
const quiet = `BOOT_IMAGE=/boot/vmlinuz-${release} quiet`

const trial = planBoot(hostNow(quiet, false), { identities, trial: true })
check('a trial is planned', trial.findings.length === 0 && trial.steps.length > 8, trial.findings)
const applied = await apply(planOf(trial.steps), system, { report })
check('the trial is applied', applied.outcome === 'applied', applied)
const image = '/boot/handover-trial.img'
const names = run('lsinitramfs', image).split('\n')
for (const name of [
  'etc/handover/bind',
  'etc/handover/bindings',
  'etc/udev/rules.d/10-handover.rules',
  'scripts/init-top/handover',
  'usr/bin/od',
])
  check(`the initramfs has ${name}`, names.includes(name))
check(
  'the initramfs has vfio-pci',
  names.some((name) => name.endsWith('/vfio-pci.ko')),
)
run('unmkinitramfs', image, '/tmp/unpacked')
const top = fs.existsSync('/tmp/unpacked/main') ? '/tmp/unpacked/main' : '/tmp/unpacked'
const order = fs
  .readFileSync(`${top}/scripts/init-top/ORDER`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('/'))
const at = (name: string) => order.findIndex((line) => line.startsWith(`/scripts/init-top/${name}`))
check('it runs before udev', at('handover') >= 0 && at('handover') < at('udev'), order)
check(
  'the bindings inside are gated',
  fs.readFileSync(`${top}/etc/handover/bindings`, 'utf8').includes('only-with handover.trial=1'),
)
check(
  'the script inside parses in its own busybox',
  run('chroot', top, '/bin/sh', '-n', '/etc/handover/bind') === '',
)
check('GRUB accepts the entry', run('grub-script-check', '/boot/grub/custom.cfg') === '')
check(
  'GRUB is told of the trial',
  run('grub-editenv', '/boot/grub/grubenv', 'list').includes('next_entry=handover-trial'),
)
check(
  'the old entry is untouched',
  !changed().some((line) => /^\/boot\/(?:grub\/grub\.cfg|initrd\.img)/.test(line)),
)

run('grub-editenv', '/boot/grub/grubenv', 'unset', 'next_entry')
const confirm = planConfirm(hostNow(`${quiet} intel_iommu=on handover.trial=1`, true))
const confirmed = await apply(planOf(confirm.steps), system, { report, continues: '0001' })
check('the confirmation is applied', confirmed.outcome === 'applied', confirmed)
const grubCfg = fs.readFileSync('/boot/grub/grub.cfg', 'utf8')
check('grub-mkconfig reads our drop-in', /^\s*linux\s.*\bintel_iommu=on\b/m.test(grubCfg))
check(
  'every initramfs binds early',
  run('lsinitramfs', `/boot/initrd.img-${release}`).includes('etc/handover/bindings'),
)
check('nothing of the trial is left', !changed().some((line) => /trial|custom\.cfg/.test(line)), changed())
check(
  'the plan is empty then',
  planBoot(hostNow(`${quiet} intel_iommu=on`, true), { identities, trial: true }).steps.length === 0,
)

for (const id of ['0002', '0001']) {
  const back = await rollback(system, id, { report })
  check(`${id} is taken back`, back.outcome === 'rolled-back', back)
}
// GRUB's environment block was written by "GRUB" in between.
const left = changed().filter((line) => !line.startsWith('/boot/grub/grubenv'))
check('every byte of /etc and /boot is as before', left.length === 0, left)
