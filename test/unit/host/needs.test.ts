import { describe, expect, it } from 'vitest'
import { framebufferOwners } from '../../../src/host/needs/users/screen.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { pci, type TreeEntries } from '../../support/sysfs-tree.ts'
import { bootScreen, mounts, readTree as read, told } from '../../support/host-needs.ts'

const sata = 'pci0000:00/0000:00:17.0'
const sas = 'pci0000:00/0000:00:1d.0/0000:03:00.0'
const controllers: TreeEntries = {
  ...pci({ at: sata, classCode: '010601', driver: 'ahci', group: 1 }),
  ...pci({ at: sas, classCode: '010700', driver: 'mpt3sas', group: 2 }),
}

/** A disk with its links; `parts` are partition names. */
function disk(below: string, name: string, number: number, parts: readonly string[] = []): TreeEntries {
  const place = `${below}/ata${number}/host0/block/${name}`
  const one = (entry: string, path: string, minor: number): TreeEntries => ({
    [`/sys/class/block/${entry}`]: `-> ../../devices/${path}`,
    [`/sys/dev/block/8:${minor}`]: `-> ../../devices/${path}`,
    [`/dev/${entry}`]: '',
  })
  return {
    [`/sys/devices/${place}/size`]: '1000\n',
    [`/sys/block/${name}`]: `-> ../devices/${place}`,
    ...one(name, place, number * 16),
    ...Object.assign(
      {},
      ...parts.map((part, index) => ({
        [`/sys/devices/${place}/${part}/partition`]: '1\n',
        ...one(part, `${place}/${part}`, number * 16 + 1 + index),
      })),
    ),
  }
}

/** A device-mapper, md or loop device on top of others. */
function virtual(
  name: string,
  number: string,
  files: TreeEntries,
  slaves: readonly string[] = [],
): TreeEntries {
  const place = `/sys/devices/virtual/block/${name}`
  return {
    [`/sys/class/block/${name}`]: `-> ../../devices/virtual/block/${name}`,
    [`/sys/dev/block/${number}`]: `-> ../../devices/virtual/block/${name}`,
    [`/dev/${name}`]: '',
    ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`${place}/${file}`, text])),
    ...Object.fromEntries(
      slaves.map((slave) => [`${place}/slaves/${slave}`, `-> ../../../../class/block/${slave}`]),
    ),
  }
}

const inSync = (...members: readonly string[]): TreeEntries =>
  Object.fromEntries(members.map((name) => [`md/dev-${name}/state`, 'in_sync\n']))

describe('disks the host lives on', () => {
  it('through LUKS on LVM on a mirror, both halves, each said to be one of two', () => {
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1', 'sda2']),
      disk(sas, 'sdb', 2, ['sdb2']),
      virtual('md0', '9:0', { 'md/level': 'raid1\n', ...inSync('sda2', 'sdb2') }, ['sda2', 'sdb2']),
      virtual('dm-0', '253:0', { 'dm/name': 'vg0-root\n', 'dm/uuid': 'LVM-x\n' }, ['md0']),
      virtual('dm-1', '253:1', { 'dm/name': 'cryptroot\n', 'dm/uuid': 'CRYPT-LUKS2-x\n' }, ['dm-0']),
      mounts('253:1 / / rw - ext4 /dev/mapper/cryptroot rw', '8:17 / /boot rw - vfat /dev/sda1 rw'),
    )
    expect(told(host)).toEqual([
      '/: cryptroot > vg0/root > md0 > sda2 > 0000:00:17.0',
      '/: cryptroot > vg0/root > md0 > sdb2 > 0000:03:00.0',
      '/boot: sda1 > 0000:00:17.0',
    ])
    expect(host.needs.map((n) => n.redundant)).toEqual([
      { set: 'md0', others: ['0000:03:00.0'] },
      { set: 'md0', others: ['0000:00:17.0'] },
      undefined,
    ])
  })

  it('all members of a btrfs, a loop file and a swap file', () => {
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1']),
      disk(sas, 'sdb', 2),
      virtual('loop0', '7:0', { 'loop/backing_file': '/srv/image.raw\n' }),
      {
        '/sys/fs/btrfs/6f0c8a52-8a5b-4f0e-9d3e-2b1a7c5d4e3f/devices/sda1': '-> ../../../../class/block/sda1',
        '/sys/fs/btrfs/6f0c8a52-8a5b-4f0e-9d3e-2b1a7c5d4e3f/devices/sdb': '-> ../../../../class/block/sdb',
        '/proc/swaps':
          'Filename Type Size Used Priority\n/srv/swap\\040file file 1 0 -2\n/dev/zram0 partition 1 0 5\n',
      },
      mounts(
        '0:30 / / rw - btrfs /dev/sda1 rw',
        '8:32 / /srv rw - xfs /dev/sdb rw',
        '7:0 / /mnt rw - ext4 /dev/loop0 rw',
        '0:5 / /proc rw - proc proc rw',
      ),
    )
    expect(told(host)).toEqual([
      '/: sda1 > 0000:00:17.0',
      '/: sdb > 0000:03:00.0',
      '/mnt: loop0 > /srv/image.raw > sdb > 0000:03:00.0',
      '/srv: sdb > 0000:03:00.0',
      'swap: /srv/swap file > sdb > 0000:03:00.0',
    ])
  })

  it('an NVMe namespace with multipath, which has no PCI function in its path', () => {
    const nvme = 'pci0000:00/0000:00:1d.0/0000:04:00.0'
    const subsystem = '/sys/devices/virtual/nvme-subsystem/nvme-subsys0'
    const host = read(pci({ at: nvme, classCode: '010802', driver: 'nvme', group: 3 }), {
      [`${subsystem}/nvme0n1/nvme0n1p2/partition`]: '2\n',
      [`${subsystem}/nvme0n1/size`]: '4096\n',
      [`${subsystem}/nvme0`]: `-> ../../../${nvme}/nvme/nvme0`,
      '/sys/class/nvme-subsystem/nvme-subsys0': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0',
      '/sys/class/nvme/nvme0': `-> ../../devices/${nvme}/nvme/nvme0`,
      [`/sys/devices/${nvme}/nvme/nvme0/transport`]: 'pcie\n',
      [`/sys/devices/${nvme}/nvme/nvme0/address`]: '0000:04:00.0\n',
      [`/sys/devices/${nvme}/nvme/nvme0/serial`]: 'S4EWNX0R123456      \n',
      '/sys/class/block/nvme0n1p2': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2',
      '/sys/class/block/nvme0n1': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1',
      '/sys/block/nvme0n1': '-> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1',
      '/sys/dev/block/259:2': '-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2',
      ...mounts('259:2 / / rw - ext4 /dev/nvme0n1p2 rw'),
    })
    expect(told(host)).toEqual(['/: nvme0n1p2 > nvme0 > 0000:04:00.0'])
    expect(host.devices[0]).toMatchObject({
      nvmeSerial: 'S4EWNX0R123456',
      disks: [{ name: 'nvme0n1', sizeBytes: 2_097_152 }],
    })
  })

  it("what is not mounted now and still the host's: the ESP in fstab, Proxmox's twin of it, the place to resume from", () => {
    const uuids = { sda1: '1A2B-3C4D', sdb1: '5E6F-7A8B' }
    const host = read(
      controllers,
      disk(sata, 'sda', 1, ['sda1', 'sda2']),
      disk(sas, 'sdb', 2, ['sdb1', 'sdb2']),
      mounts('8:18 / / rw - ext4 /dev/sda2 rw'),
      Object.fromEntries(
        Object.entries(uuids).map(([name, uuid]) => [`/dev/disk/by-uuid/${uuid}`, `-> ../../${name}`]),
      ),
      {
        '/etc/fstab':
          '# a comment\nUUID=1A2B-3C4D /boot/efi vfat umask=0077 0 1\n/dev/sda2 / ext4 defaults 0 1\n/dev/sdb2 /media xfs noauto 0 0\nnas:/x /nas nfs password=x 0 0\n',
        '/etc/kernel/proxmox-boot-uuids': '1A2B-3C4D\n5E6F-7A8B\n',
        '/proc/cmdline': 'quiet resume=/dev/sdb2\n',
      },
    )
    expect(told(host)).toEqual([
      '/: sda2 > 0000:00:17.0',
      '/boot/efi in /etc/fstab: sda1 > 0000:00:17.0',
      '(spoken for) /media in /etc/fstab: sdb2 > 0000:03:00.0',
      'boot partition of proxmox-boot-tool: sda1 > 0000:00:17.0',
      'boot partition of proxmox-boot-tool: sdb1 > 0000:03:00.0',
      'hibernation (resume=): sdb2 > 0000:03:00.0',
    ])
  })

  it('a stack that goes round in circles ends', () => {
    const host = read(
      controllers,
      virtual('dm-0', '253:0', { 'dm/name': 'a\n' }, ['dm-1']),
      virtual('dm-1', '253:1', { 'dm/name': 'b\n' }, ['dm-0']),
      virtual('loop0', '7:0', { 'loop/backing_file': '/on-itself\n' }),
      mounts('253:0 / /a rw - ext4 /dev/dm-0 rw', '7:0 / / rw - ext4 /dev/loop0 rw'),
    )
    expect(told(host)).toEqual([])
  })
})

describe('screen, keyboard and running machines', () => {
  const gpu = bootScreen
  const usb = pci({ at: 'pci0000:00/0000:00:14.0', classCode: '0c0330', driver: 'xhci_hcd', group: 2 })
  const person: TreeEntries = {
    '/sys/class/graphics/fb0': '-> ../../devices/pci0000:00/0000:00:02.0/graphics/fb0',
    '/proc/bus/input/devices':
      'N: Name="Power Button"\nS: Sysfs=/devices/LNXSYSTM:00/input/input0\nH: Handlers=kbd event0\n\nN: Name="A Keyboard"\nS: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/input/input5\nH: Handlers=sysrq kbd leds event5\n\n',
  }

  it('are vital where they are the only way in', () => {
    const host = read(gpu, usb, person, { '/sys/class/tty/console/active': 'tty0\n' })
    expect(told(host)).toEqual([
      'boot display: 0000:00:02.0',
      'text console: fb0 > 0000:00:02.0',
      'keyboard: A Keyboard > 0000:00:14.0',
    ])
    expect(judgeHost(host).devices.map((one) => one.verdict)).toEqual(['refused', 'refused'])
  })

  it('are only spoken for beside a serial console', () => {
    const host = read(gpu, usb, person, { '/sys/class/tty/console/active': 'tty0 ttyS0\n' })
    expect(host.needs.map((n) => n.weight)).toEqual(['spoken-for', 'spoken-for', 'spoken-for'])
  })

  it('finds the framebuffer of the firmware inside a BAR, even where addresses are hidden', () => {
    const text =
      '00000000-00000000 : PCI Bus 0000:00\n  00000000-00000000 : 0000:00:02.0\n    00000000-00000000 : BOOTFB\n00000000-00000000 : BOOTFB\n'
    expect(framebufferOwners(text)).toEqual([{ owner: '0000:00:02.0', name: 'BOOTFB' }])
  })

  it('names the VM that holds a function', () => {
    const host = read(pci({ at: 'pci0000:00/0000:00:1c.0/0000:01:00.0', driver: 'vfio-pci', group: 5 }), {
      '/proc/1234/cmdline':
        '/usr/bin/qemu-system-x86_64\0-name\0guest=firewall,debug-threads=on\0-device\0vfio-pci,host=0000:01:00.0,id=wan\0',
      '/proc/77/cmdline': 'bash\0',
    })
    expect(told(host)).toEqual(['running VM firewall: process 1234 > 0000:01:00.0'])
  })
})
