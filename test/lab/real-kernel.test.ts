/**
 * What Linux really does with the attributes we write, and what our boot scripts make of it: virtual
 * functions on QEMU's NVMe controller (its network cards have none in 7.2), huge pages, reset methods. The
 * rest of SR-IOV is shown on trees.
 */
import { initramfsTools } from '../../src/boot/initramfs/initramfs-tools.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { earlyBindingFiles } from '../../src/boot/early-binding.ts'
import { virtualFunctionFiles } from '../../src/boot/virtual-functions.ts'
import { askRealKernel } from '../support/real-kernel.ts'
import { lacks } from '../support/tools.ts'

const card = {
  path: '0000:00/1c.0/00.0',
  vendorId: '1b36',
  deviceId: '0010',
  subsystemVendorId: '1af4',
  subsystemId: '1100',
}
const second = { path: `${card.path}/vf1`, vendorId: '1b36', deviceId: '0010' }

const devices = [
  ...[
    '-device',
    'pcie-root-port,id=port1,bus=pcie.0,addr=1c.0,chassis=1,slot=1',
    '-device',
    'nvme-subsys,id=subsystem',
  ],
  '-device',
  'nvme,subsys=subsystem,serial=card,bus=port1,max_ioqpairs=16,msix_qsize=17,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4',
]

const script = `
cd /sys/bus/pci/devices
card=0000:01:00.0
try() { echo "$2" > "$3" 2>/tmp/why; result=$?; say "$1" "$(cat "$3")" "$([ $result = 0 ] || sed 's/.*: //' /tmp/why)"; }
driver() { basename "$(readlink "$1/driver")"; }
tries=0
while [ "$(driver $card)" != nvme ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
for wrong in 1 2; do
  [ $wrong = 1 ] && sed 's/0010/0011/' /etc/handover/virtual-functions > /tmp/list && mv /etc/handover/virtual-functions /tmp/right && cp /tmp/list /etc/handover/virtual-functions
  [ $wrong = 2 ] && mv /tmp/right /etc/handover/virtual-functions
  /etc/handover/make-virtual-functions $card
  say made$wrong $(cat $card/sriov_numvfs) $(cat $card/sriov_drivers_autoprobe)
done
say first $(basename $(readlink $card/virtfn0)) $(driver $card/virtfn0)
say second $(basename $(readlink $card/virtfn1)) $(driver $card/virtfn1)
say kmsg $(dmesg | grep -c 'handover: 0000:01:00')
/etc/handover/make-virtual-functions $card
say again $(dmesg | grep -c 'handover: 0000:01:00')
try four-over-two 4 $card/sriov_numvfs
try none 0 $card/sriov_numvfs
say gone $(ls -d $card/virtfn* 2>/dev/null | wc -l)
try too-many 99 $card/sriov_numvfs
try resets 'flr bus' $card/reset_method
try only-bus bus $card/reset_method
try nonsense nonsense $card/reset_method
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
try pages 16 $pages
try more-pages 100000 $pages
try no-pages 0 $pages
printf '#!/bin/sh\\necho "$ACTION $DEVPATH" >> /tmp/events\\n' > /tmp/on-event
chmod +x /tmp/on-event
: > /tmp/events
uevent /tmp/on-event &
sleep 1
echo $card > $card/driver/unbind
try no-driver 1 $card/sriov_numvfs
echo $card > /sys/bus/pci/drivers_probe
sleep 1
say events $(sed -n 's|^\\([a-z]*\\) .*/0000:01:00.0$|\\1|p' /tmp/events)
`

const home = `version: 1
host:
  reserve: 64 MiB
  hugepages: 2 MiB
  virtual-functions:
    disks: { physical-function: { class: nvme }, count: 2 }
vms:
  box:
    memory: 64 MiB
    hugepages: true
    devices:
      disk: { virtual-function: disks, number: 1 }
`

const story = `
mkdir -p /var/lib /run/systemd/system /etc/udev/rules.d /etc/tmpfiles.d
cd /sys/bus/pci/devices
card=0000:01:00.0
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
state() { say $1 $(cat $pages) $(cat $card/sriov_drivers_autoprobe) $(cat $card/sriov_numvfs) $(for f in $card/virtfn*; do basename "$(readlink $f/driver)"; done); }
tool() { node /tool/handover.cjs "$@" >/tmp/out 2>&1; echo $?; }
tries=0
while [ "$(basename "$(readlink $card/driver)")" != nvme ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
state before
say apply1 $(tool apply /home.yaml --yes) $(tail -n 1 /tmp/out)
cat /tmp/out
state made
say apply2 $(tool apply /home.yaml --yes) $(tail -n 1 /tmp/out)
cat /tmp/out
state given
say files $(ls /etc/handover /etc/tmpfiles.d /etc/udev/rules.d)
echo 0 > $card/sriov_numvfs
echo 1 > $card/sriov_drivers_autoprobe
/etc/handover/make-virtual-functions $card
state anew
say rollback2 $(tool rollback --yes) $(tail -n 1 /tmp/out)
cat /tmp/out
say rollback1 $(tool rollback --yes) $(tail -n 1 /tmp/out)
cat /tmp/out
state after
say left $(ls /etc/handover /etc/tmpfiles.d /etc/udev/rules.d 2>/dev/null | grep -v :)
`

const isLacking = lacks('qemu-system-x86_64', 'busybox')

/**
 * One start answers both: first the tool, which leaves the machine as it was, then the facts, whose files are
 * put in place only then.
 */
let said: Readonly<Record<string, string>> = {}
beforeAll(async () => {
  if (isLacking) return
  const facts = [
    ...virtualFunctionFiles([{ identity: card, count: 2, functions: [] }]),
    ...earlyBindingFiles(initramfsTools, { identities: [second] }),
  ]
  said = await askRealKernel({
    modules: ['nvme', 'vfio', 'vfio_iommu_type1', 'vfio-pci'],
    files: [
      { path: '/home.yaml', text: home, mode: 0o644 },
      ...facts.map((file) => ({ ...file, path: `/facts${file.path}` })),
    ],
    devices,
    script: `${story}\ncp -a /facts/. /\n${script}`,
    withTool: true,
  })
})

describe.skipIf(isLacking)('a real kernel', () => {
  it('makes virtual functions by our script, on the recorded card only, and leaves them without a driver of the host', () => {
    expect([said['made1'], said['made2']]).toEqual(['0 1', '2 0'])
    expect(said['first']).toBe('0000:01:00.1')
  })

  it('lets the early binding give one away by its place, although drivers are not to be tried', () =>
    expect(said['second']).toBe('0000:01:00.2 vfio-pci'))

  it('is left alone by the script when they are there', () => expect(said['again']).toBe(said['kmsg']))

  it('changes their number over 0 only, and says why not', () => {
    expect(said['four-over-two']).toBe('2 Device or resource busy')
    expect([said['none'], said['gone']]).toEqual(['0', '0'])
    expect(said['too-many']).toBe('0 Numerical result out of range')
    expect(said['no-driver']).toBe('0 No such file or directory')
  })

  it('tells udev when the driver is there: the moment our rule waits for', () =>
    expect(said['events']).toBe('unbind bind'))

  it('takes a list of reset methods and gives it back, and refuses what it does not know', () => {
    expect([said['resets'], said['only-bus']]).toEqual(['flr bus', 'bus'])
    expect(said['nonsense']).toBe('bus Invalid argument')
  })

  it('gives fewer huge pages than asked without an error, which is why the number is read again', () => {
    expect([said['pages'], said['no-pages']]).toEqual(['16', '0'])
    expect(Number(said['more-pages'])).toBeGreaterThan(16)
    expect(Number(said['more-pages'])).toBeLessThan(100_000)
  })
})

describe.skipIf(isLacking)('the tool on a real kernel', () => {
  it('sets huge pages aside, makes virtual functions, gives one away, and takes it all back', () => {
    expect(said['before']).toBe('0 1 0')
    expect(said['apply1']).toMatch(/^0 applied as 0001: the virtual functions are there/)
    expect(said['made']).toMatch(/^32 0 2/)
    expect(said['apply2']).toMatch(/^0 applied as 0002; the machine was read again and is as planned/)
    expect(said['given']).toBe('32 0 2 vfio-pci')
    // What the apply wrote makes the same functions on the same card, by the identity it read from the
    // machine.
    expect(said['anew']).toBe('32 0 2')
    expect([said['rollback2']?.[0], said['rollback1']?.[0]]).toEqual(['0', '0'])
    expect(said['after']).toBe('0 1 0')
    expect(said['left']).toBe('')
  })
})
