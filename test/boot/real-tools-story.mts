/**
 * Runs inside a throw-away copy of a Debian system (real-tools.sh made it): plans a trial with the real planner, applies it
 * with the real transaction and the distribution's own mkinitramfs, grub-mkconfig and grub-reboot, looks into what they
 * made, confirms, and takes everything back. Prints one JSON line per check.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { findBootEntry } from '../../src/boot/trial-grub.ts'
import { readBoot } from '../../src/host/read-boot.ts'
import type { Host } from '../../src/host/host.ts'
import { planBoot, planConfirm } from '../../src/plan/plan-boot.ts'
import type { Step } from '../../src/plan/step.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'

const release = process.argv[2] ?? ''
const system = linuxSystem()
const check = (what: string, ok: boolean, evidence: unknown = '') => console.log(JSON.stringify({ what, ok, evidence }))
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
const snapshot = () => {
  const both = new Map<string, TreeEntry>()
  for (const folder of ['/etc', '/boot'])
    for (const [path, entry] of snapshotTree(folder)) both.set(`${folder}${path}`, entry)
  return both
}

const ownFiles = [
  '/etc/handover/bind',
  '/etc/handover/bindings',
  '/etc/handover/trial',
  '/etc/handover/trial.conf',
  '/etc/udev/rules.d/10-handover.rules',
  '/etc/modules-load.d/handover.conf',
  '/etc/initramfs-tools/hooks/handover',
  '/etc/initramfs-tools/scripts/init-top/handover',
  '/etc/systemd/system/handover-trial.service',
  '/etc/systemd/system/sysinit.target.d/handover.conf',
  '/etc/default/grub',
  '/etc/default/grub.d/zz-handover.cfg',
]

/** The host as it would be on hardware: what this copy has of boot files, and an IOMMU that is off or on. */
function hostNow(cmdline: string, isOn: boolean): Host {
  const files = ownFiles
    .filter((path) => fs.existsSync(path))
    .map((path) => ({ path, text: fs.readFileSync(path, 'utf8'), mode: fs.statSync(path).mode & 0o7777 }))
  const found = readBoot(system)
  const grubCfg = fs.readFileSync('/boot/grub/grub.cfg', 'utf8')
  const entry = findBootEntry(grubCfg, `/boot/vmlinuz-${release}`)
  const boot = {
    ...found,
    present: [...new Set([...found.present, '/run/systemd/system'])].filter((path) => !path.includes('dracut')),
    grubFilesystem: { type: 'ext4', device: '/dev/sda1' },
    ...(entry === undefined ? {} : { grubEntry: entry }),
  }
  return {
    schema: 1,
    source: { kind: 'live' },
    kernel: { release, cmdline },
    cpu: {},
    memory: {},
    iommu: { state: isOn ? 'on' : 'off', kind: 'intel' },
    devices: [],
    groups: [],
    needs: [],
    boot,
    files,
    findings: [],
  }
}

const identities = [
  { path: '0000:00/1c.0/00.0', vendorId: '8086', deviceId: '10d3', deviceSerialNumber: '525400fffe123456' },
]
const planOf = (steps: readonly Step[]) => ({
  assignments: [],
  takenAlong: [],
  spare: [],
  staying: [],
  findings: [],
  steps,
  needsReboot: true,
  memory: { pinnedMiB: 0, hostTotalMiB: null },
  startOrder: [],
})
const report = (event: { kind: string; phase?: string; note?: string }) => {
  if (event.phase === 'failed' || event.kind === 'warning') console.log(JSON.stringify(event))
}

const before = snapshot()
const changed = () => differences(before, snapshot())
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
check('the script inside parses in its own busybox', run('chroot', top, '/bin/sh', '-n', '/etc/handover/bind') === '')
check('GRUB accepts the entry', run('grub-script-check', '/boot/grub/custom.cfg') === '')
check(
  'GRUB is told of the trial',
  run('grub-editenv', '/boot/grub/grubenv', 'list').includes('next_entry=handover-trial'),
)
check('the old entry is untouched', !changed().some((line) => /^\/boot\/(?:grub\/grub\.cfg|initrd\.img)/.test(line)))

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
