/**
 * The crash matrix (test/support/crash-matrix.ts) of drivers, attributes, virtual functions, files and
 * generators.
 */
import type { Step } from '../../src/steps/step.ts'
import type { BootScenario } from '../support/boot-world.ts'
import { expectCrashMatrix } from '../support/crash-matrix.ts'
import { card, shared } from '../support/crash-world.ts'
import { address, identityOf } from '../support/fake-kernel.ts'
import { nic, sata, toVfio } from '../support/transactions.ts'

const edit: Step = {
  kind: 'file',
  path: '/etc/default/grub',
  before: { text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n', mode: 0o640 },
  after: { text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n', mode: 0o640 },
  why: 'turn the IOMMU on',
}
const create: Step = {
  kind: 'file',
  path: '/etc/initramfs-tools/scripts/init-top/handover',
  before: null,
  after: { text: '#!/bin/sh\n', mode: 0o755 },
  why: 'bind early',
}
const remove: Step = {
  kind: 'file',
  path: '/etc/modprobe.d/old.conf',
  before: { text: 'options vfio-pci ids=8086:10d3\n', mode: 0o644 },
  after: null,
  why: 'ids take too much',
}
const parameter: Step = {
  kind: 'sysfs',
  path: '/sys/module/kvm/parameters/x',
  before: 'N',
  after: 'Y',
  why: '',
}
const hugepages: Step = {
  kind: 'sysfs',
  path: '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages',
  before: '16',
  after: '1024',
  partial: true,
  why: '',
}
const resets: Step = {
  kind: 'sysfs',
  path: `/sys/bus/pci/devices/${nic.address}/reset_method`,
  of: { address: address(nic.address), identity: identityOf(nic) },
  before: 'flr bus',
  after: 'bus',
  why: '',
}
const ofCard = (name: string, before: string, after: string, more: { partial?: true } = {}): Step => ({
  kind: 'sysfs',
  path: `/sys/bus/pci/devices/${card.address}/${name}`,
  of: { address: address(card.address), identity: identityOf(card) },
  before,
  after,
  ...more,
  why: '',
})
const setUp = (number: number, after: { mac?: string; vlan: number; trust: boolean }): Step => ({
  kind: 'vf',
  address: address(shared.address),
  identity: identityOf(shared),
  number,
  before: { ...(after.mac === undefined ? {} : { mac: '00:00:00:00:00:00' }), vlan: 0, trust: false },
  after,
  why: '',
})
const bindFunction: Step = {
  kind: 'driver',
  address: address('0000:04:10.1'),
  identity: { path: `${identityOf(shared).path}/vf1`, vendorId: '8086', deviceId: '10ca' },
  before: { driver: null, driverOverride: null },
  after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
  why: '',
}
const generate: Step = {
  kind: 'command',
  argv: ['update-grub'],
  outputs: ['/boot/grub/grub.cfg', '/boot/grub/grub.cfg.new', '/boot/initrd.img', '/boot/vmlinuz'],
  why: 'make the new command line known',
}

const plain = (steps: readonly Step[]): BootScenario => ({ steps, files: [] })

expectCrashMatrix({
  'binds two devices': plain([toVfio(nic), toVfio(sata)]),
  'edits, creates and removes files, and generates': plain([edit, create, remove, generate]),
  'sets huge pages aside and chooses a reset': plain([hugepages, create, resets, toVfio(nic)]),
  'makes virtual functions': plain([
    ofCard('sriov_drivers_autoprobe', '1', '0'),
    ofCard('sriov_numvfs', '0', '4', { partial: true }),
    create,
  ]),
  'sets virtual functions up and gives one away': plain([
    setUp(0, { mac: '52:54:00:aa:00:00', vlan: 20, trust: false }),
    setUp(1, { vlan: 30, trust: true }),
    bindFunction,
  ]),
  'does everything': plain([parameter, edit, generate, toVfio(nic), create]),
})
