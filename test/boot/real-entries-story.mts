/**
 * Runs inside a throw-away copy of a Debian system (real-entries.sh made it): a trial on systemd-boot with
 * entries that kernel-install made and images that dracut or initramfs-tools makes, looked into, confirmed,
 * and taken back. Prints one JSON line per check.
 */
import * as fs from 'node:fs'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import type { BootFacts } from '../../src/host/boot-facts.ts'
import type { Host } from '../../src/host/host.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import type { Step } from '../../src/steps/step.ts'
import { fakeSysfs, put } from '../support/fake-kernel.ts'
import { check, hostWith, identities, planOf, remember, report, run, system } from './story.mts'

const release = process.argv[2] ?? ''
const isDracut = process.argv[3] === 'dracut'
const esp = '/boot/efi'
const entry = `${esp}/loader/entries/handover-test-${release}.conf`
const image = `${esp}/handover-test/${release}/${isDracut ? 'initrd' : `initrd.img-${release}`}`
const trialImage = `${esp}/handover-test/${release}/handover-trial.img`

const facts = (found: BootFacts): BootFacts => ({
  ...found,
  present: [...new Set([...found.present, '/run/systemd/system', '/sys/firmware/efi'])].filter(
    (path) => !(isDracut ? /grub|initramfs/ : /grub|dracut/).test(path),
  ),
  loaderInfo: 'systemd-boot 252.39-1~deb12u2',
  loaderEntries: { selected: `handover-test-${release}.conf` },
})
const hostNow = (cmdline: string, isOn: boolean): Host => hostWith(cmdline, isOn, release, facts)
const changed = remember()
const options = 'root=UUID=1111-2222 ro quiet'
const read = (path: string) => fs.readFileSync(path, 'utf8')
/** There are no EFI variables here: what chooses the trial is seen in the lab's real reboots. */
const withoutChoice = (steps: readonly Step[]) =>
  steps.filter((step) => !('argv' in step && step.argv[0] === 'bootctl'))

type ListedEntry = { readonly id: string; readonly options?: string }
/** One JSON object per line; which one is the default is only in the text for people (systemd 252). */
const bootctl = (...args: string[]) => run('bootctl', `--esp-path=${esp}`, ...args)
const listed = () =>
  bootctl('list', '--json=short')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ListedEntry)
const byDefault = () => /\(default\)[^]*?\bid: (\S+)/.exec(bootctl('list', '--no-pager'))?.[1]
/** A folder with what is inside an image. */
let images = 0
function unpack(path: string): string {
  const folder = `/tmp/unpacked${images++}`
  fs.mkdirSync(folder)
  if (isDracut) run('sh', '-c', `cd ${folder} && lsinitrd --unpack ${path}`)
  else run('unmkinitramfs', path, folder)
  return fs.existsSync(`${folder}/main`) ? `${folder}/main` : folder
}

check('kernel-install made the entry', read(entry).includes(`options    ${options}`), read(entry))
const trial = planBoot(hostNow(options, false), { identities, trial: true })
check('a trial is planned', trial.findings.length === 0 && trial.steps.length > 8, trial.findings)
check(
  'it is chosen by bootctl for one boot',
  trial.steps.some(
    (step) => 'argv' in step && step.argv.join(' ') === 'bootctl set-oneshot handover-trial.conf',
  ),
)
const applied = await apply(planOf(withoutChoice(trial.steps)), system, { report })
check('the trial is applied', applied.outcome === 'applied', applied)

const entries = listed()
const ours = entries.find(({ id }) => id === 'handover-trial.conf')
check(
  'bootctl reads our entry',
  ours?.options === `${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1`,
  entries,
)
check(
  'bootctl takes another by default',
  byDefault() === `handover-test-${release}.conf`,
  bootctl('list', '--no-pager'),
)
check(
  'the good entry and its initramfs are untouched',
  !changed().some((line) => line.startsWith(image) || line.startsWith(entry)),
)

const hook = isDracut ? 'usr/lib/dracut/hooks/pre-udev/10-handover-bind.sh' : 'scripts/init-top/handover'
function lookInto(path: string, what: string): string {
  const folder = unpack(path)
  const names = [
    'etc/handover/bind',
    'etc/handover/bindings',
    'etc/udev/rules.d/10-handover.rules',
    hook,
    'usr/bin/od',
  ]
  for (const name of names) check(`${what} has ${name}`, fs.existsSync(`${folder}/${name}`))
  check(`${what} has vfio-pci`, run('find', folder, '-name', 'vfio-pci.ko*') !== '')
  return folder
}
const unpacked = lookInto(trialImage, 'the initramfs of the trial')
check(
  'the bindings inside are gated',
  read(`${unpacked}/etc/handover/bindings`).includes('only-with handover.trial=1'),
)
check(
  'the script inside parses in its own shell',
  run('chroot', unpacked, '/bin/sh', '-n', '/etc/handover/bind') === '',
)
if (isDracut) {
  const unit = read(`${unpacked}/usr/lib/systemd/system/dracut-pre-udev.service`)
  check(
    'hooks of pre-udev run before udev with systemd inside',
    /^Before=.*systemd-udevd\.service/m.test(unit),
    unit,
  )
  // The whole hook in the shell of the image, on a command line without the token: it binds nothing and ends
  // well.
  put(unpacked, '/proc/cmdline', 'quiet\n')
  check(
    'the hook is sourced without an error',
    run('chroot', unpacked, '/bin/sh', '-ec', `. /${hook}; echo sourced`) === 'sourced\n',
  )
  run('dracut', '--hostonly', '--force', '/tmp/hostonly.img', release)
  lookInto('/tmp/hostonly.img', 'an initramfs for this host only')
}
// The script with the image's own shell, od and readlink, on a bus that is played: the gate, the serial
// number, the binding.
const device = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  vendor: '8086',
  device: '10d3',
  driver: null,
}
/** 52:54:00:ff:fe:12:34:56 in the order of the register: the low half first, each little-endian. */
const serialBytes = '563412feff005452'
function bindInside(cmdline: string, serial: string): string {
  const top = `${unpacked}/played`
  if (!fs.existsSync(`${unpacked}/dev/null`)) put(unpacked, '/dev/null', '')
  fs.rmSync(top, { recursive: true, force: true })
  fakeSysfs(top, [device], { 'vfio-pci': [] })
  const config = Buffer.alloc(4096)
  config.write('03000100', 256, 'hex')
  config.write(serial, 260, 'hex')
  fs.writeFileSync(`${top}/sys/devices/${device.place}/config`, config)
  put(top, '/proc/cmdline', `${cmdline}\n`)
  put(top, '/dev/kmsg', '')
  // Nothing is loaded into the kernel that runs this.
  put(top, '/bin/modprobe', '#!/bin/sh\n', 0o755)
  put(top, '/etc/handover/bindings', read(`${unpacked}/etc/handover/bindings`))
  run('chroot', unpacked, '/bin/sh', '-c', 'HANDOVER_ROOT=/played PATH=/played/bin:$PATH /etc/handover/bind')
  return read(`${top}/sys/devices/${device.place}/driver_override`).trim()
}
check(
  'inside, it binds what is recorded',
  bindInside('quiet handover.trial=1', serialBytes) === 'vfio-pci',
  read(`${unpacked}/played/dev/kmsg`),
)
check('inside, it binds nothing without the token', bindInside('quiet', serialBytes) !== 'vfio-pci')
check(
  'inside, it binds nothing with another serial',
  bindInside('quiet handover.trial=1', '00'.repeat(8)) !== 'vfio-pci',
)
const confirm = planConfirm(
  hostNow(`${options} intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1`, true),
)
const confirmed = await apply(planOf(confirm.steps), system, { report, continues: '0001' })
check('the confirmation is applied', confirmed.outcome === 'applied', confirmed)
check(
  'the entry has the argument',
  read(entry).includes(`options    ${options} intel_iommu=on\n`),
  read(entry),
)
const goodInside = lookInto(image, 'the good initramfs')
check('its bindings have no gate', !read(`${goodInside}/etc/handover/bindings`).includes('only-with'))
check('nothing of the trial is left', !changed().some((line) => /trial|\.handover:/.test(line)), changed())
check(
  'the plan is empty then',
  planBoot(hostNow(`${options} intel_iommu=on`, true), { identities, trial: true }).steps.length === 0,
)

// What happens at the next update of the initramfs: the entry is written again, from the template that was
// made.
const kept = [entry, image, `/boot/initrd.img-${release}`].filter((path) => fs.existsSync(path))
for (const [index, path] of kept.entries()) fs.copyFileSync(path, `/tmp/kept${index}`)
// kernel-install names the copy after the file it is given.
fs.copyFileSync(image, '/tmp/initrd')
if (isDracut) run('kernel-install', 'add', release, `/boot/vmlinuz-${release}`, '/tmp/initrd')
else run('update-initramfs', '-u', '-k', release)
check(
  'an entry that is written again has the same arguments',
  read(entry).includes(`options    ${options} intel_iommu=on\n`) && !read(entry).includes('trial'),
  read(entry),
)
lookInto(image, 'the initramfs beside it')
for (const [index, path] of kept.entries()) fs.copyFileSync(`/tmp/kept${index}`, path)

for (const id of ['0002', '0001']) {
  const back = await rollback(system, id, { report })
  check(`${id} is taken back`, back.outcome === 'rolled-back', back)
}
check('every byte of /etc, /boot and dracut is as before', changed().length === 0, changed())
