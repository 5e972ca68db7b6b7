import { describe, expect, it } from 'vitest'
import { devicesOfKey } from '../../../src/host/needs/disks/crypttab.ts'
import { numberOfName, pathOfName } from '../../../src/host/needs/disks/device-path.ts'
import { parseLoadOption } from '../../../src/host/needs/disks/boot-disks.ts'
import type { Host } from '../../../src/host/host.ts'
import { diskEntries, madeEntries, udevEntry } from '../../support/disk-entries.ts'
import { mounts, readTree as read, told } from '../../support/host-needs.ts'
import { efiVariable, loadOption } from '../../support/stacks/efi-variables.ts'
import { pci, type TreeEntries } from '../../support/sysfs-tree.ts'

const left = 'pci0000:00/0000:00:11.5'
const right = 'pci0000:00/0000:00:1b.4/0000:0a:00.0'
const b = '0000:0a:00.0'
const machine: TreeEntries = {
  ...pci({ at: left, classCode: '010601', driver: 'ahci', group: 3 }),
  ...pci({ at: right, classCode: '010700', driver: 'mpt3sas', group: 9 }),
  ...diskEntries(left, 'sda', 0, [1]),
  ...diskEntries(right, 'sdf', 80, [1, 2]),
  ...mounts('8:1 / / rw - ext4 /dev/sda1 rw'),
}
const id = '9d1e4c70-0b1f-4a57-8c55-aa00bb11cc22'
const linked: TreeEntries = {
  [`/dev/disk/by-uuid/${id}`]: '-> ../../sdf2',
  [`/dev/disk/by-partuuid/${id}`]: '-> ../../sdf2',
  '/dev/disk/by-label/Old\\x20Swap': '-> ../../sdf2',
  '/dev/disk/by-id/wwn-0x5000-part2': '-> ../../sdf2',
}
/** Every device was looked at by udev, and is something else. */
const looked = Object.assign(
  {},
  ...['8:0', '8:1', '8:80', '8:81', '8:82'].map((number) =>
    udevEntry(number, 'E:ID_FS_TYPE=ext4', `E:ID_FS_UUID=${number}`),
  ),
) as TreeEntries
const further = (host: Host) => told(host).filter((line) => !line.startsWith('/: '))
const lost = (host: Host) => (host.lostNeeds ?? []).map((need) => `${need.what}: ${need.lost}, ${need.why}`)

describe('names of devices', () => {
  it.each([
    ['UUID=1A2B-3C4D', '/dev/disk/by-uuid/1A2B-3C4D'],
    ['LABEL="My Disk"', '/dev/disk/by-label/My\\x20Disk'],
    ['"LABEL=My Disk"', '/dev/disk/by-label/My\\x20Disk'],
    ['PARTUUID=abc/PARTNROFF=-1', '/dev/disk/by-partuuid/abc'],
    ['/dev/disk/by-label/a\\x2fb', '/dev/disk/by-label/a\\x2fb'],
    ['/dev/../etc/shadow', undefined],
    ['nas:/export', undefined],
    ['UUID=', undefined],
    ['tmpfs', undefined],
  ])('%s', (name, path) => expect(pathOfName(name)).toBe(path))

  it.each([
    ['8:82', '8:82'],
    ['8:82:0', '8:82'],
    ['0x852', '8:82'],
    ['852', '8:82'],
    ['110305', '259:261'],
    ['swap', undefined],
    ['', undefined],
  ])('the number %s', (name, number) => expect(numberOfName(name)).toBe(number))

  it.each([
    ['/dev/disk/by-path/pci-0000:00:14.0-usb-0:2', '/dev/disk/by-path/pci-0000:00:14.0-usb-0:2'],
    ['/keys/root:LABEL=KEYS', 'LABEL=KEYS'],
    ['/keys/root:UUID=1-2:10', 'UUID=1-2'],
    ['/dev/disk/by-label/KEYS:/root.key:5', '/dev/disk/by-label/KEYS'],
    ['UUID=1-2:vfat:/root.key', 'UUID=1-2'],
  ])('the device of the key %s', (key, device) => expect(devicesOfKey(key)).toContain(device))

  it.each(['/etc/keys/root.key', 'none', '/dev/urandom', '/dev/random'])('no device in the key %s', (key) =>
    expect(devicesOfKey(key)).toEqual([]),
  )
})

describe('where hibernation resumes from', () => {
  const by = (cmdline: string, ...more: readonly TreeEntries[]) =>
    further(read(machine, linked, { '/proc/cmdline': `quiet ${cmdline}\n` }, ...more))
  const need = [`hibernation (resume=): sdf2 > ${b}`]
  it.each([
    [`resume=UUID=${id}`],
    [`resume=PARTUUID=${id.toUpperCase()}`],
    ['resume="LABEL=Old Swap"'],
    ['resume=/dev/sdf2 resume_offset=12'],
    ['resume=/dev/sda1 resume=8:82'],
    ['resume=0x852'],
    ['resume=/dev/disk/by-id/wwn-0x5000-part2'],
  ])('%s', (cmdline) => expect(by(cmdline)).toEqual(need))

  it('is nowhere with noresume', () => expect(by('resume=/dev/sdf2 noresume')).toEqual([]))

  it('is what the kernel keeps, and what the initramfs has in a file', () => {
    expect(by('', { '/sys/power/resume': '8:82\n' })).toEqual(need)
    expect(by('', { '/sys/power/resume': '0:0\n' })).toEqual([])
    expect(
      by('', { '/etc/initramfs-tools/conf.d/resume': '# x\nRESUME=/dev/sda1\nRESUME=UUID=' + id + '\n' }),
    ).toEqual([`hibernation (RESUME=): sdf2 > ${b}`])
  })

  it('is lost where nothing says which device it is, and nowhere where every device is another', () => {
    const stale = { '/proc/cmdline': 'resume=UUID=00000000-1111-4222-8333-444444444444\n' }
    expect(lost(read(machine, stale))).toHaveLength(1)
    expect(lost(read(machine, looked, stale))).toEqual([])
  })
})

describe('keys and headers of encrypted volumes', () => {
  it.each<[string, TreeEntries, string]>([
    [
      'a key file on a device',
      { '/etc/crypttab': `vault /dev/sda1 /k:UUID=${id} luks\n` },
      'key of vault in /etc/crypttab',
    ],
    [
      'a key that is a device',
      { '/etc/crypttab': 'vault /dev/sda1 /dev/sdf2 luks\n' },
      'key of vault in /etc/crypttab',
    ],
    [
      "Debian's passdev",
      { '/etc/crypttab': 'vault /dev/sda1 /dev/disk/by-label/Old\\x20Swap:/k:5 luks,keyscript=passdev\n' },
      'key of vault in /etc/crypttab',
    ],
    [
      'a header',
      { '/etc/crypttab': `vault /dev/sda1 none luks,header=/h:UUID=${id}\n` },
      'header of vault in /etc/crypttab',
    ],
    [
      'a volume that opens at every start',
      { '/etc/crypttab': `vault PARTUUID=${id} none luks\n` },
      'encrypted volume vault in /etc/crypttab',
    ],
    [
      'rd.luks.key of systemd',
      { '/proc/cmdline': `rd.luks.key=11111111-2222-3333-4444-555555555555=/k:UUID=${id}\n` },
      'key of an encrypted volume (rd.luks.key=)',
    ],
    [
      'rd.luks.key of dracut',
      { '/proc/cmdline': `rd.luks.key=/k:UUID=${id}:UUID=abc\n` },
      'key of an encrypted volume (rd.luks.key=)',
    ],
    [
      'a header in rd.luks.options',
      {
        '/proc/cmdline': `rd.luks.options=11111111-2222-3333-4444-555555555555=discard,header=/h:UUID=${id}\n`,
      },
      'header of an encrypted volume (rd.luks.options=)',
    ],
    [
      'a volume in rd.luks.uuid',
      { '/proc/cmdline': `rd.luks.uuid=luks-${id.toUpperCase()}\n` },
      'encrypted volume (rd.luks.uuid=)',
    ],
    [
      'a volume in rd.luks.name',
      { '/proc/cmdline': `rd.luks.name=${id}=vault\n` },
      'encrypted volume (rd.luks.name=)',
    ],
    [
      'cryptkey of Arch',
      { '/proc/cmdline': 'cryptkey=/dev/sdf2:vfat:/k\n' },
      'key of an encrypted volume (cryptkey=)',
    ],
  ])('%s', (_, entries, what) =>
    expect(further(read(machine, linked, entries))).toContain(`${what}: sdf2 > ${b}`),
  )

  it('a volume of the command line that is unlocked is told by what it became', () => {
    const uuid = `CRYPT-LUKS2-${id.replaceAll('-', '')}-root`
    const open = madeEntries('dm-0', '253:0', { 'dm/name': 'root\n', 'dm/uuid': `${uuid}\n` }, ['sda1'])
    const host = read(machine, open, {
      '/proc/cmdline': `rd.luks.uuid=${id} rd.luks.name=${id}=root rd.luks.uuid=9d1e\n`,
    })
    expect(lost(host)).toEqual([])
    expect(further(host).join()).not.toContain('rd.luks')
  })

  it('a volume that waits for somebody is only spoken for, and one that is unlocked is told by what it became', () => {
    expect(further(read(machine, linked, { '/etc/crypttab': `vault UUID=${id} none noauto\n` }))).toEqual([
      `(spoken for) encrypted volume vault in /etc/crypttab: sdf2 > ${b}`,
    ])
    const open = madeEntries('dm-0', '253:0', { 'dm/name': 'vault\n', 'dm/uuid': 'CRYPT-LUKS2-x\n' }, [
      'sdf2',
    ])
    expect(lost(read(machine, open, { '/etc/crypttab': 'vault UUID=none none luks\n' }))).toEqual([])
  })
})

describe('what is mounted now and then', () => {
  it.each<[string, TreeEntries, string]>([
    [
      'a label with a blank in /etc/fstab',
      { '/etc/fstab': 'LABEL=Old\\040Swap /old\\040things ext4 noauto 0 0\n' },
      '(spoken for) /old things in /etc/fstab',
    ],
    [
      'the EFI partition in /etc/fstab',
      { '/etc/fstab': `PARTUUID=${id.toUpperCase()} /efi vfat noauto 0 0\n` },
      '/efi in /etc/fstab',
    ],
    [
      'a mount unit',
      {
        '/etc/systemd/system/mnt-archive.mount': `[Mount]\nWhat=/dev/disk/by-uuid/${id}\nWhere=/mnt/archive\n`,
      },
      '(spoken for) /mnt/archive in mnt-archive.mount',
    ],
    [
      'a swap unit',
      { '/run/systemd/system/dev-x.swap': '[Swap]\nWhat=/dev/sdf2\n' },
      '(spoken for) swap in dev-x.swap',
    ],
    [
      'a map of the automounter',
      { '/etc/auto.master': '/- /etc/auto.sticks\n', '/etc/auto.sticks': 'usb -fstype=vfat :/dev/sdf2\n' },
      '(spoken for) usb in /etc/auto.sticks',
    ],
    [
      'the target of crash dumps',
      { '/etc/kdump.conf': 'path /x\nxfs /dev/sdf2\n' },
      '(spoken for) crash dumps in /etc/kdump.conf',
    ],
    [
      'the raw target of crash dumps',
      { '/etc/kdump.conf': `raw /dev/disk/by-partuuid/${id}\n` },
      '(spoken for) crash dumps in /etc/kdump.conf',
    ],
    [
      'a mount on the command line',
      { '/proc/cmdline': `systemd.mount-extra=UUID=${id}:/extra:ext4\n` },
      '(spoken for) /extra on the command line',
    ],
  ])('%s', (_, entries, what) =>
    expect(further(read(machine, linked, entries))).toEqual([`${what}: sdf2 > ${b}`]),
  )

  it('a server and memory are no disks', () => {
    const entries = {
      '/etc/fstab': 'nas:/x /x nfs defaults 0 0\ntmpfs /t tmpfs defaults 0 0\n//pc/c /c cifs x 0 0\n',
      '/etc/kdump.conf': 'nfs nas:/dumps\nssh root@nas\npath /var/crash\n',
    }
    const host = read(machine, entries)
    expect([further(host), lost(host)]).toEqual([[], []])
  })

  it('an entry that is mounted needs no name, and one that is not there today no function', () => {
    expect(lost(read(machine, { '/etc/fstab': 'UUID=unknown / ext4 defaults 0 1\n' }))).toEqual([])
    const backup = {
      '/etc/fstab': 'UUID=backup-stick /backup ext4 nofail 0 0\n/dev/sdz1 /z ext4 noauto 0 0\n',
    }
    expect(lost(read(machine, looked, backup))).toEqual([])
    expect(lost(read(machine, backup))).toEqual([
      '/backup in /etc/fstab: UUID=backup-stick, nothing says which device /dev/disk/by-uuid/backup-stick is',
    ])
  })

  it('a name that one device alone could have leaves that one open', () => {
    const { '/run/udev/data/b8:82': _, ...others } = looked
    const host = read(machine, others, { '/etc/fstab': 'UUID=backup-stick /backup ext4 nofail 0 0\n' })
    expect(host.lostNeeds?.map(({ couldBe }) => couldBe)).toEqual([[b]])
  })
})

describe('the disk the firmware started', () => {
  const folder = '/sys/firmware/efi/efivars'
  const global = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
  const current = { [`${folder}/BootCurrent-${global}`]: efiVariable(Uint8Array.of(0x1a, 0)) }
  const entry = (path: Uint8Array): TreeEntries => ({
    ...current,
    [`${folder}/Boot001A-${global}`]: efiVariable(path),
  })
  /** A device path of hardware: root bridge, then functions. */
  const hardware = (...functions: readonly (readonly [device: number, fn: number])[]) =>
    option([
      2,
      1,
      12,
      0,
      0xd0,
      0x41,
      3,
      0x0a,
      0,
      0,
      0,
      0,
      ...functions.flatMap(([device, fn]) => [1, 1, 6, 0, fn, device]),
    ])
  const option = (path: readonly number[]) =>
    Uint8Array.of(1, 0, 0, 0, path.length + 4, 0, 0x55, 0, 0, 0, ...path, 0x7f, 0xff, 4, 0)

  it.each<[string, TreeEntries, string]>([
    [
      'by the partition in its entry',
      entry(loadOption('Linux Boot Manager', id)),
      `boot entry 001A of the firmware: sdf2 > ${b}`,
    ],
    [
      'by the functions in its entry',
      entry(hardware([0x1b, 4], [0, 0])),
      `boot entry 001A of the firmware: ${b}`,
    ],
    [
      'by what the boot loader left',
      {
        [`${folder}/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`]: efiVariable(
          Uint8Array.from(Array.from(id.toUpperCase(), (char) => [char.charCodeAt(0), 0]).flat()),
        ),
      },
      `partition of the boot loader: sdf2 > ${b}`,
    ],
  ])('%s', (_, entries, need) => expect(further(read(machine, linked, entries))).toEqual([need]))

  it('by the signature of an MBR and the number of the partition', () => {
    const node = [
      4,
      1,
      42,
      0,
      2,
      0,
      0,
      0,
      ...Array.from({ length: 16 }, () => 0),
      0x78,
      0x56,
      0x34,
      0x12,
      ...Array.from({ length: 12 }, () => 0),
      1,
      1,
    ]
    expect(parseLoadOption(option(node))?.partition).toBe('12345678-02')
  })

  it('an entry that cannot be read is lost, one of the network or of the firmware itself is none', () => {
    expect(lost(read(machine, current))).toEqual([
      'boot entry 001A of the firmware: Boot001A, the entry that the firmware started cannot be read',
    ])
    expect(lost(read(machine, entry(hardware([0x1f, 7]))))).toHaveLength(1)
    for (const node of [
      [3, 11, 4, 0],
      [4, 6, 4, 0],
    ])
      expect(lost(read(machine, entry(option(node))))).toEqual([])
  })

  it.each<[string, string | Uint8Array | undefined]>([
    ['half', loadOption('x', id).subarray(0, 30)],
    ['nothing', new Uint8Array()],
    ['a length of zero', Uint8Array.of(1, 0, 0, 0, 8, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0)],
  ])('%s of an entry is not read', (_, bytes) => {
    expect(parseLoadOption(bytes as Uint8Array)?.partition).toBeUndefined()
  })

  it.each<[string, TreeEntries, string]>([
    [
      'the link of the BIOS disk 0x80',
      { '/sys/firmware/edd/int13_dev80/pci_dev': `-> ../../../devices/${right}` },
      b,
    ],
    ['the bus it states', { '/sys/firmware/edd/int13_dev80/host_bus': 'PCI \t0a:00.0  channel: 0\n' }, b],
    [
      'the signature of its MBR',
      {
        '/sys/firmware/edd/int13_dev80/mbr_signature': '0x00c0ffee\n',
        ...udevEntry('8:80', 'E:ID_PART_TABLE_UUID=00c0ffee'),
      },
      `sdf > ${b}`,
    ],
  ])('%s', (_, entries, end) =>
    expect(further(read(machine, entries))).toEqual([`the disk that the BIOS starts: ${end}`]),
  )

  describe('a signature that udev knows of no disk', () => {
    const edd = { '/sys/firmware/edd/int13_dev80/mbr_signature': '0x00c0ffee\n' }
    const size = (sda: number, sdf: number, sectors: number): TreeEntries => ({
      [`/sys/devices/${left}/host0/target0:0:0/0:0:0:0/block/sda/size`]: `${sda}\n`,
      [`/sys/devices/${right}/host80/target80:0:0/80:0:0:0/block/sdf/size`]: `${sdf}\n`,
      '/sys/firmware/edd/int13_dev80/sectors': `${sectors}\n`,
    })
    const table = (number: string, ...words: string[]) =>
      udevEntry(number, ...words.map((one) => `E:ID_PART_TABLE_${one}`))
    const couldBe = (host: Host) => (host.lostNeeds ?? []).flatMap((need) => need.couldBe.map(String))

    it('may be any that udev did not look at', () => expect(couldBe(read(machine, edd))).toContain(b))
    it('may be any with a GPT', () => {
      const seen = { ...table('8:0', 'TYPE=gpt'), ...table('8:80', 'TYPE=gpt', `UUID=${id}`) }
      expect(couldBe(read(machine, { ...edd, ...seen }))).toContain(b)
    })
    it('is none with another signature', () => {
      const seen = { ...table('8:0', 'TYPE=gpt'), ...table('8:80', 'TYPE=dos', 'UUID=0badcafe') }
      expect(couldBe(read(machine, { ...edd, ...seen }))).toEqual([])
    })
    it('is the one of the size that the BIOS states', () => {
      expect(further(read(machine, { ...edd, ...size(2000, 3000, 3000) }))).toEqual([
        `the disk that the BIOS starts: sdf > ${b}`,
      ])
      expect(couldBe(read(machine, { ...edd, ...size(2000, 3000, 9) }))).toContain(b)
    })
  })

  it('a BIOS disk without a word of where it is is lost', () => {
    expect(lost(read(machine, { '/sys/firmware/edd/int13_dev80/version': '0x30\n' }))).toHaveLength(1)
  })
})
