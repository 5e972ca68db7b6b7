import { describe, expect, it } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { parseCapture } from '../../../src/sources/capture/parse-capture.ts'
import type { Host } from '../../../src/host/host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { readTree as read, told } from '../../support/host-needs.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const at = 'pci0000:00/0000:00:1d.4/0000:05:00.0'
const address = '0000:05:00.0'
const held = (driver = 'vfio-pci'): TreeEntries => pci({ at, driver, group: 31 })

function process(pid: number, args: readonly string[], ...nodes: readonly string[]): TreeEntries {
  const [program = ''] = args
  return {
    [`/proc/${pid}/comm`]: `${program.slice(program.lastIndexOf('/') + 1).slice(0, 15)}\n`,
    [`/proc/${pid}/cmdline`]: `${args.join('\0')}\0`,
    ...Object.fromEntries(nodes.map((node, index) => [`/proc/${pid}/fd/${index + 20}`, `-> ${node}`])),
  }
}

const reasons = (host: Host, ownVms: readonly string[] = []) => {
  const [device] = judgeHost(host, { ownVms }).devices
  return [
    device?.verdict,
    ...(device?.reasons ?? []).filter(({ severity }) => severity !== 'note').map(({ code }) => code),
  ]
}

describe('functions that VFIO handed to a running program', () => {
  it.each<[string, TreeEntries, string]>([
    [
      'by the group that a monitor of another make has open',
      process(700, ['crosvm', 'run'], '/dev/kvm', '/dev/vfio/31'),
      `a VM of crosvm: process 700 > /dev/vfio/31 > ${address}`,
    ],
    [
      'by the single device',
      {
        ...process(
          701,
          ['/usr/bin/kvm', '-name', 'guest=films'],
          'anon_inode:kvm-vm',
          '/dev/vfio/devices/vfio2',
        ),
        '/sys/class/vfio-dev/vfio2': `-> ../../devices/${at}/vfio-dev/vfio2`,
      },
      `running VM films: process 701 > /dev/vfio/devices/vfio2 > ${address}`,
    ],
    [
      'by the folder that QEMU was given',
      process(702, [
        'qemu-system-x86_64',
        '-name',
        'nas',
        '-device',
        `vfio-pci,sysfsdev=/sys/bus/pci/devices/${address}`,
      ]),
      `running VM nas: process 702 > ${address}`,
    ],
    [
      'by arguments as JSON',
      process(703, ['qemu', '-device', `{"driver":"vfio-pci","host":"${address}"}`]),
      `a VM of qemu: process 703 > ${address}`,
    ],
    [
      'by the arguments of a monitor that names folders',
      process(
        704,
        ['cloud-hypervisor', '--device', `path=/sys/bus/pci/devices/${address}/,iommu=on`],
        '/dev/kvm',
      ),
      `a VM of cloud-hypervisor: process 704 > ${address}`,
    ],
    [
      'by a program that drives it itself',
      process(705, ['packet-engine'], '/dev/vfio/31'),
      `program packet-engine: process 705 > /dev/vfio/31 > ${address}`,
    ],
  ])('%s', (_, running, expected) => {
    const host = read(held(), running)
    expect(told(host)).toEqual([expected])
    expect(reasons(host)[0]).toBe('refused')
  })

  it('knows the drivers of makers as well as the common one', () => {
    for (const driver of ['mlx5_vfio_pci', 'xe-vfio-pci', 'hisi-acc-vfio-pci']) {
      const host = read(
        held(driver),
        process(7, ['qemu', '-name', 'a', '-device', `vfio-pci,host=${address}`]),
      )
      expect(told(host)).toEqual([`running VM a: process 7 > ${address}`])
    }
    expect(read(held('igb'), process(7, ['qemu', '-device', `vfio-pci,host=${address}`])).needs).toEqual([])
  })

  it('does not believe an editor that has the folder of a function in its arguments', () => {
    const editor = process(8, ['vi', `/sys/bus/pci/devices/${address}/numa_node`])
    expect(read(held(), editor).needs).toEqual([])
  })

  it('a group that is none of those that are shown may be that of any held function', () => {
    const host = read(held(), process(9, ['qemu'], '/dev/kvm', '/dev/vfio/77'))
    expect(host.lostNeeds).toMatchObject([{ kind: 'vm', lost: '/dev/vfio/77', couldBe: [address] }])
    expect(reasons(host)[0]).toBe('unknown')
  })

  it('a member without a driver goes with its group, and a bridge does not', () => {
    const host = read(
      held(),
      pci({ at: 'pci0000:00/0000:00:1d.4/0000:05:00.1', classCode: '040300', group: 31 }),
      pci({ at: 'pci0000:00/0000:00:1d.4', classCode: '060400', driver: 'pcieport', group: 31 }),
      { '/sys/devices/pci0000:00/0000:00:1d.4/0000:05:00.1/driver_override': '(null)\n' },
      process(10, ['qemu', '-name', 'a'], '/dev/kvm', '/dev/vfio/31'),
    )
    expect(host.needs.map((need) => need.device)).toEqual(['0000:05:00.0', '0000:05:00.1'])
  })

  it('by the folder of VFIO below the function, where no class names the device', () => {
    const host = read(held(), process(13, ['qemu', '-name', 'a'], '/dev/kvm', '/dev/vfio/devices/vfio5'), {
      [`/sys/devices/${at}/vfio-dev/vfio5/dev`]: '511:5\n',
    })
    expect(told(host)).toEqual([`running VM a: process 13 > /dev/vfio/devices/vfio5 > ${address}`])
  })

  it('a part of a graphics card that a guest has is a use of the card', () => {
    const gpu = 'pci0000:00/0000:00:02.0'
    const part = '11111111-2222-4333-8444-555555555555'
    const host = read(
      pci({ at: gpu, classCode: '030000', driver: 'i915', group: 1 }),
      { [`/sys/kernel/iommu_groups/40/devices/${part}`]: `-> ../../../../devices/${gpu}/${part}` },
      process(14, ['qemu', '-name', 'desk'], '/dev/kvm', '/dev/vfio/40'),
    )
    expect(told(host)).toEqual(['running VM desk: process 14 > /dev/vfio/40 > 0000:00:02.0'])
  })

  it('and so is a disk or a USB device that a guest has', () => {
    const disk = 'pci0000:00/0000:00:17.0/ata3/host2/block/sdc'
    const usb = 'pci0000:00/0000:00:14.0/usb2/2-3'
    const host = read(
      pci({ at: 'pci0000:00/0000:00:17.0', classCode: '010601', driver: 'ahci', group: 3 }),
      pci({ at: 'pci0000:00/0000:00:14.0', classCode: '0c0330', driver: 'xhci_hcd', group: 4 }),
      {
        '/sys/class/block/sdc': `-> ../../devices/${disk}`,
        [`/sys/devices/${disk}/size`]: '9\n',
        '/sys/bus/usb/devices/2-3': `-> ../../../devices/${usb}`,
        [`/sys/devices/${usb}/busnum`]: '2\n',
        [`/sys/devices/${usb}/devnum`]: '6\n',
      },
      process(11, ['qemu', '-name', 'attic'], '/dev/kvm', '/dev/sdc', '/dev/bus/usb/002/006'),
    )
    expect(told(host).toSorted()).toEqual([
      'running VM attic: /dev/bus/usb/002/006 > 0000:00:14.0',
      'running VM attic: process 11 > sdc > 0000:00:17.0',
    ])
  })

  it('and a tape drive or a port that is handed on as it is', () => {
    const hba = 'pci0000:00/0000:00:1c.0/0000:09:00.0'
    const host = read(
      pci({ at: hba, classCode: '010700', driver: 'mpt3sas', group: 8 }),
      held('mlx5_core'),
      {
        '/sys/class/scsi_generic/sg4': `-> ../../devices/${hba}/host3/target3:0:1/3:0:1:0/scsi_generic/sg4`,
        '/sys/class/vhost-vdpa/vhost-vdpa-0': `-> ../../devices/${at}/vdpa0/vhost-vdpa-0`,
      },
      process(15, ['qemu', '-name', 'vault'], '/dev/kvm', '/dev/sg4', '/dev/vhost-vdpa-0'),
    )
    expect(host.needs.map(({ kind, weight, device }) => [kind, weight, device])).toEqual([
      ['vm', 'vital', '0000:09:00.0'],
      ['vm', 'vital', address],
    ])
  })

  it('a capture says the same of them', () => {
    const root = tree(
      held(),
      process(12, ['qemu', '-name', 'guest=films,x=y', '-uuid', 'secret'], '/dev/kvm', '/dev/vfio/31'),
    )
    const system = linuxSystem({ root })
    const { text, host } = captureHost(system, 'test')
    const capture = parseCapture(text, 'a capture')
    expect(text).not.toContain('secret')
    expect(capture.ok && told(capture.host)).toEqual(told(host))
  })
})

describe('VMs of our own', () => {
  const record = (name: string, pid: number): TreeEntries => ({
    [`/run/handover/vm/${name}/vm.json`]: JSON.stringify({ schema: 1, name, pid, functions: [] }),
  })
  const ours = (pid: number, name: string) =>
    process(
      pid,
      ['qemu-system-x86_64', '-name', `${name},process=handover-${name}`],
      '/dev/kvm',
      '/dev/vfio/31',
    )

  it('keep what they hold, for the plan that they are part of alone', () => {
    const host = read(held(), record('router', 60), ours(60, 'router'))
    expect(host.needs).toMatchObject([{ kind: 'vm', vm: 'router', weight: 'vital' }])
    expect(reasons(host)).toContain('vm-running')
    expect(reasons(host)[0]).toBe('refused')
    expect(reasons(host, ['router'])[0]).not.toBe('refused')
    expect(reasons(host, ['other'])[0]).toBe('refused')
  })

  it('are known by the recorded process, not by a name that another claims', () => {
    const other = read(held(), record('router', 60), ours(61, 'router'))
    expect(other.needs.map(({ vm }) => vm)).toEqual([undefined])
    expect(reasons(other, ['router'])[0]).toBe('refused')
    const reused = read(
      held(),
      record('router', 60),
      process(60, ['qemu', '-name', 'router'], '/dev/kvm', '/dev/vfio/31'),
    )
    expect(reasons(reused, ['router'])[0]).toBe('refused')
    const broken = read(held(), { '/run/handover/vm/router/vm.json': '{"name":"rou' }, ours(60, 'router'))
    expect(reasons(broken, ['router'])[0]).toBe('refused')
  })
})
