/**
 * A host made of originals, spread over every kind of file that is recorded: none of them is in the capture,
 * in no spelling, and nothing that looks like one is there without being a stand-in.
 */
import { describe, expect, it } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { redactorFor } from '../../../src/sources/capture/redact.ts'
import { emptyRecording } from '../../../src/sources/capture/recording.ts'
import { parseCapture } from '../../../src/sources/capture/parse-capture.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { hostWith } from '../../support/host-builder.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const mac = '9c6b00a1d2e3'
const wifi = 'd4d853b7c6f1'
const ids = {
  root: '7b1d4c0e-93aa-4f1e-8d57-5c0a2e6f9b13',
  esp: 'c3f0a7d2-11be-4e5c-b6a9-0d8e7f6a5b4c',
  luks: '5ad09c1f-2e77-4b83-a0c6-e1f2d3b4c596',
  machine: '4e1f9d3c7a6b4825b0c7d1e2f3a4b5c6',
  array: '8c1d2e3f:4a5b6c7d:8e9f0a1b:2c3d4e5f',
  volume: 'Zq3xT7-mK9b-Vw2c-Jd8e-Rf5g-Lh6n-Pq1sUv',
}
const serial = 'WD-WX72D41KJ9Y3'
const nvme = 'S5GXNX0T419862F'
const dsn = '9c6b00ffffa1d2e3'
const wwn = '5000c500d8e7f6a1'
const host = 'borghilde'
const address = '84.117.203.56'
const gateway = '84.117.200.1'
const lanGateway = '192.168.77.1'
const own = '192.168.77.23'
const client = '185.220.44.9'
const address6 = '2a02:908:4b60:a1c0:9e6b:ff:fea1:d2e3'
const gateway6 = 'fe80::9e6b:ff:fea1:d2e3'
const password = 'Tr0ub4dor-and-3'
const keyFile = 'geheimnis-von-edda.key'
const wireguard = 'aGVsbG8gdGhpcyBpcyBub3QgYSByZWFsIGtleSAhISE='
const pool = '13847502948571036284'
const iqn = 'iqn.2016-04.net.borghilde:tank0'

const colons = (hex: string) => (hex.match(/../g) ?? []).join(':')
const turned = (text: string) =>
  text
    .split('.')
    .toReversed()
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()
const plain6 = (text: string) => {
  const [head = '', tail = ''] = text.split('::')
  const [left, right] = [head, tail].map((part) => (part === '' ? [] : part.split(':')))
  const middle = Array.from({ length: 8 - (left?.length ?? 0) - (right?.length ?? 0) }, () => '0')
  return [...(left ?? []), ...middle, ...(right ?? [])].map((word) => word.padStart(4, '0')).join('')
}
const turned6 = (text: string) =>
  (plain6(text).match(/.{8}/g) ?? [])
    .map((word) => (word.match(/../g) ?? []).toReversed().join(''))
    .join('')
    .toUpperCase()
const idBytes = (id: string) => {
  const [a = '', b = '', c = '', ...rest] = id.split('-')
  return [a, b, c].map((part) => (part.match(/../g) ?? []).toReversed().join('')).join('') + rest.join('')
}
const eui64 = (hex: string) => `${hex.slice(0, 6)}fffe${hex.slice(6)}`
/** With the second bit of the first octet turned (RFC 4291). */
const interfaceId = (hex: string) =>
  (Number.parseInt(hex.slice(0, 2), 16) ^ 2).toString(16).padStart(2, '0') + eui64(hex).slice(2)

/**
 * Each original in every way it may be written; lower case, without what only separates where that is its own
 * spelling.
 */
function spellings(): string[] {
  const ofMac = (hex: string) => [
    hex,
    colons(hex),
    colons(hex).replaceAll(':', '-'),
    eui64(hex),
    interfaceId(hex),
    hex.replace(/(.{4})(.{4})/, '$1.$2.'),
  ]
  const words6 = (hex: string) => interfaceId(hex).replace(/(.{4})(.{4})(.{4})/, '$1:$2:$3:')
  const ofId = (id: string) => [id, id.replaceAll('-', ''), idBytes(id)]
  const of4 = (text: string) => [text, turned(text), turned(text).match(/../g)?.toReversed().join('') ?? '']
  const of6 = (text: string) => [text, plain6(text), turned6(text)]
  return [
    ...[mac, wifi].flatMap(ofMac),
    ...['9e6b:ff:fea1:d2e3', words6(wifi)],
    ...[ids.root, ids.esp, ids.luks].flatMap(ofId),
    ...[ids.machine, ids.array, ids.array.replaceAll(':', ''), ids.volume, ids.volume.replaceAll('-', '')],
    ...[serial, nvme, dsn, wwn, host, password, 'edda', wireguard, pool, BigInt(pool).toString(16), iqn],
    ...[address, gateway, lanGateway, own, client].flatMap(of4),
    ...[address6, gateway6].flatMap(of6),
  ].map((text) => text.toLowerCase())
}

function configWithSerial(): Uint8Array {
  const bytes = new Uint8Array(4096)
  bytes.set([0x86, 0x80, 0x33, 0x15, 0, 0, 0x10, 0], 0)
  bytes[0x34] = 0x40
  bytes[0x40] = 0x10
  bytes.set([0x03, 0, 1, 0, ...Buffer.from(dsn, 'hex').toReversed()], 0x100)
  return bytes
}

/** A boot entry: attributes, length of its path, its name, a partition, the card it came over, an address. */
function bootEntry(): Uint8Array {
  const partition = Buffer.concat([
    Buffer.from([4, 1, 42, 0, 1, 0, 0, 0]),
    Buffer.alloc(16),
    Buffer.from(idBytes(ids.esp), 'hex'),
    Buffer.from([2, 2]),
  ])
  const card = Buffer.concat([
    Buffer.from([3, 11, 37, 0]),
    Buffer.from(mac, 'hex'),
    Buffer.alloc(26),
    Buffer.from([1]),
  ])
  const bytes = (text: string) => Buffer.from(text.split('.').map(Number))
  const ip = Buffer.concat([
    Buffer.from([3, 12, 27, 0]),
    bytes(own),
    bytes(client),
    Buffer.alloc(7),
    bytes(lanGateway),
    bytes('255.255.255.0'),
  ])
  const path = Buffer.concat([partition, card, ip, Buffer.from([0x7f, 0xff, 4, 0])])
  const name = Buffer.from(`debian on ${host} ${serial}\0`, 'utf16le')
  return Buffer.concat([
    Buffer.from([7, 0, 0, 0, 1, 0, 0, 0, path.length & 0xff, path.length >> 8]),
    name,
    path,
  ])
}

function poolCache(): Uint8Array {
  const pad = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc((4 - (text.length % 4)) % 4)])
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(pool))
  const word = (value: number) => Buffer.from([0, 0, value >> 8, value & 0xff])
  const text = (value: string) => Buffer.concat([word(value.length), pad(value)])
  return Buffer.concat([
    ...[word(9), text('pool_guid').subarray(4), word(8), word(1), number],
    ...[
      text('hostname'),
      text(host),
      text('path'),
      text(`/dev/disk/by-id/ata-WDC_WD80EFPX-68C4ZN0_${serial}-part1`),
    ],
  ])
}

const cmdline = [
  `BOOT_IMAGE=/boot/vmlinuz-6.1.0-9 root=UUID=${ids.root} ro resume=PARTUUID=${ids.esp.toUpperCase()}`,
  `rd.luks.uuid=${ids.luks} rd.luks.key=${ids.luks}=/keys/${keyFile}:UUID=${ids.esp} cryptdevice=UUID=${ids.luks}:root`,
  `ip=${own}::${lanGateway}:255.255.255.0:${host}:eth0:none netconsole=6665@${own}/eth0,6666@${client}/${colons(wifi)}`,
  `rd.iscsi.password=${password} rd.iscsi.initiator=${iqn} BOOTIF=01-${colons(mac).replaceAll(':', '-')} systemd.machine_id=${ids.machine}`,
  `luks.key=${password} some.option=${password} quiet intel_iommu=on`,
].join(' ')

const nic = 'pci0000:00/0000:00:1c.0/0000:01:00.0'
const sata = 'pci0000:00/0000:00:17.0'
const drive = 'pci0000:00/0000:00:1d.0/0000:03:00.0'
const sda = `/sys/devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda`

const files: TreeEntries = {
  '/proc/cmdline': `${cmdline}\n`,
  '/etc/default/grub': `# key=${password}\nGRUB_CMDLINE_LINUX="root=UUID=${ids.root} wg.private_key=${wireguard} x.password=${password}"\n`,
  '/etc/kernel/cmdline': `${cmdline}\n`,
  '/etc/modprobe.d/net.conf': `options wl key=${password} mac=${colons(mac)}\noptions vfio-pci ids=10de:1b80\n#options wifi psk="${password}"\n`,
  '/boot/grub/grub.cfg': `set superusers="edda"\npassword_pbkdf2 edda grub.pbkdf2.sha512.10000.${password}\nmenuentry 'x' {\n linux /vmlinuz ${cmdline}\n}\n`,
  '/boot/efi/loader/loader.conf': 'timeout 3\n',
  [`/boot/efi/loader/entries/${ids.machine}-6.1.conf`]: `title ${host}\nmachine-id ${ids.machine}\noptions ${cmdline}\n`,
  '/etc/machine-id': `${ids.machine}\n`,
  '/etc/hostname': `${host}\n`,
  '/proc/sys/kernel/hostname': `${host}.example.net\n`,
  '/proc/sys/kernel/osrelease': '6.1.0-9-amd64\n',
  '/etc/fstab': `UUID=${ids.root} / ext4 defaults 0 1\n//${client}/share /srv cifs username=edda,password=${password} 0 0\n`,
  '/etc/crypttab': `root UUID=${ids.luks} none luks\n`,
  '/proc/self/mountinfo': `22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:50 / /mnt rw - nfs4 ${client}:/export rw,addr=${client},clientaddr=${own}\n`,
  '/proc/swaps': 'Filename\n',
  '/proc/bus/input/devices': `N: Name="Keyboard"\nP: Phys=${colons(wifi)}\nU: Uniq=${colons(wifi)}\nH: Handlers=kbd\n`,
  '/proc/net/route': `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nenx${mac}\t00000000\t${turned(gateway)}\t0003\t0\t0\t0\t00000000\neth1\t${turned('192.168.77.0')}\t00000000\t0001\t0\t0\t0\t00FFFFFF\neth1\t00000000\t${turned(lanGateway)}\t0003\t0\t0\t9\t00000000\n`,
  '/proc/net/ipv6_route': `${plain6('::')} 00 ${plain6('::')} 00 ${plain6(gateway6)} 00000400 00000001 00000000 00000003 enx${mac}\n${plain6('2a02:908:4b60:a1c0::')} 40 ${plain6('::')} 00 ${plain6('::')} 00000100 00000001 00000000 00000001 enx${mac}\n`,
  '/proc/net/if_inet6': `${plain6(address6)} 02 40 00 00 enx${mac}\n${plain6(gateway6)} 02 40 20 80 enx${mac}\n`,
  '/proc/net/fib_trie': `Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- ${own}\n        /32 host LOCAL\n     |-- ${address}\n        /32 host LOCAL\n`,
  '/proc/net/tcp': `  sl  local_address rem_address   st\n   0: ${turned(own)}:0016 ${turned(client)}:C001 01 00000000:00000000 00:00000000 00000000 0 0 4711\n`,
  '/proc/net/tcp6': `  sl  local_address rem_address   st\n   0: ${turned6(address6)}:0016 ${turned6('2a02:908:4b60:a1c0::77')}:C001 01 00000000:00000000 00:00000000 00000000 0 0 4712\n`,
  '/proc/net/pppoe': `Id       Address              Device\n0000B1A2 ${colons(wifi).toUpperCase()} eth1\n`,
  '/proc/mdstat': `md0 : active raid1 sda1[0]\n`,
  '/sys/firmware/efi/efivars/Boot0001-8be4df61-93ca-11d2-aa0d-00e098032b8c': bootEntry(),
  '/sys/firmware/efi/efivars/BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c': Uint8Array.from([
    6, 0, 0, 0, 1, 0,
  ]),
  '/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f': Buffer.concat([
    Buffer.from([6, 0, 0, 0]),
    Buffer.from(`${ids.esp.toUpperCase()}\0`, 'utf16le'),
  ]),
  '/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f': Buffer.concat([
    Buffer.from([6, 0, 0, 0]),
    Buffer.from(`${ids.machine}-6.1.conf\0`, 'utf16le'),
  ]),
  '/etc/zfs/zpool.cache': poolCache(),
  [`/run/udev/data/b8:1`]: `S:disk/by-id/ata-WDC_WD80EFPX-68C4ZN0_${serial}-part1\nS:disk/by-id/wwn-0x${wwn}-part1\nS:disk/by-uuid/${ids.root}\nE:ID_SERIAL=WDC_WD80EFPX-68C4ZN0_${serial}\nE:ID_SERIAL_SHORT=${serial}\nE:ID_WWN=0x${wwn}\nE:ID_FS_UUID=${ids.root}\nE:ID_FS_UUID_SUB=${pool}\nE:ID_FS_TYPE=zfs_member\n`,
  [`${sda}/dev`]: '8:0\n',
  [`${sda}/sda1/dev`]: '8:1\n',
  [`${sda}/device/wwid`]: `naa.${wwn}\n`,
  [`${sda}/device/vpd_pg80`]: Buffer.concat([
    Buffer.from([0, 0x80, 0, 20]),
    Buffer.from(serial.padStart(20)),
  ]),
  '/sys/class/block/sda': `-> ../../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda`,
  '/sys/class/block/sda1': `-> ../../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1`,
  '/sys/block/sda': `-> ../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda`,
  '/sys/dev/block/8:1': `-> ../../devices/${sata}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1`,
  [`/dev/disk/by-id/ata-WDC_WD80EFPX-68C4ZN0_${serial}-part1`]: '-> ../../sda1',
  [`/dev/disk/by-uuid/${ids.root}`]: '-> ../../sda1',
  [`/dev/disk/by-partuuid/${ids.esp}`]: '-> ../../sda1',
  '/dev/sda1': '',
  [`/sys/class/net/enx${mac}`]: `-> ../../devices/${nic}/net/enx${mac}`,
  [`/sys/devices/${nic}/net/enx${mac}/address`]: `${colons(mac)}\n`,
  [`/sys/devices/${nic}/net/enx${mac}/addr_assign_type`]: '0\n',
  [`/sys/devices/${drive}/nvme/nvme0/serial`]: `${nvme}     \n`,
  [`/sys/devices/${drive}/nvme/nvme0/nvme0n1/wwid`]: `nvme.144d-${Buffer.from(nvme).toString('hex')}-53616d73756e67-00000001\n`,
  '/sys/class/nvme/nvme0': `-> ../../devices/${drive}/nvme/nvme0`,
}

const machine = () =>
  tree(
    pci({ at: sata, ids: '8086:a102', classCode: '010601', driver: 'ahci', group: 1 }),
    pci({
      at: nic,
      ids: '8086:1533',
      classCode: '020000',
      driver: 'igb',
      group: 2,
      config: configWithSerial(),
    }),
    pci({ at: drive, ids: '144d:a808', classCode: '010802', driver: 'nvme', group: 3 }),
    files,
  )

/** Binary files as one run of digits, so that what lies across two lines of the file is found. */
function searchable(text: string): string {
  const bytes = text.slice(text.indexOf('\nbytes:')).replaceAll(/\n\s+[0-9a-f]{3,6}: /g, '')
  return `${text}\n${bytes}`.toLowerCase()
}

describe('a capture of a host full of originals', () => {
  const withSession = () => {
    const env = (name: string) => (name === 'SSH_CONNECTION' ? `${client} 50022 ${own} 22` : undefined)
    return { ...linuxSystem({ root: machine() }), live: true, env }
  }

  it('records the files they are in', () => {
    const { text } = captureHost(withSession(), 'test')
    for (const path of [
      'Boot0001',
      'zpool.cache',
      'b8:1',
      'if_inet6',
      'ipv6_route',
      'modprobe.d/net.conf',
      'grub.cfg',
      'tcp6',
    ])
      if (!/zpool|if_inet6/.test(path)) expect(text).toContain(path)
    expect(text.split('\n').length).toBeGreaterThan(60)
  })

  it('holds none of them, in no spelling', () => {
    const found = searchable(captureHost(withSession(), 'test').text)
    expect(spellings().filter((original) => found.includes(original))).toEqual([])
  })

  it('holds nothing that looks like one and is no stand-in', () => {
    const { text } = captureHost(withSession(), 'test')
    const kept = /^(?:0\.0\.0\.0|255\.255\.255\.0|8be4df61-.*|4a67b082-.*|10de:.*)$/i
    const looks = [
      [/(?<![0-9a-f:])[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![0-9a-f:])/gi, /^02:/],
      [/(?<![0-9a-f-])[0-9a-f]{2}(?:-[0-9a-f]{2}){5,6}(?![0-9a-f-])/gi, /^(?:01-)?02-/],
      [/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi, /^00000000-0000-4000-8000-/],
      [/(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g, /^(?:24\d|25[0-4]|10|192\.168)\./],
      [
        /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:.])/gi,
        /^(?:2001:db8:|fe80::|[0-9a-f]{4}:[0-9a-f]{2}:|02:|::$|\d+:\d+:\d+|8:)/i,
      ],
      [/[0-9a-f]{2}(?:[0-9a-f]{4})?fffe[0-9a-f]{6}/gi, /^$/],
    ] as const
    for (const [pattern, standIn] of looks)
      for (const [token] of text.matchAll(pattern)) if (!kept.test(token)) expect(token).toMatch(standIn)
  })

  it('gives the same host when it is read back', () => {
    const system = withSession()
    const replayed = parseCapture(captureHost(system, 'test').text, 'x')
    const direct = readHost(system)
    const told = (host: typeof direct) => ({
      needs: host.needs.map(({ kind, device, weight, chain }) => [kind, device, weight, chain.length]),
      lost: (host.lostNeeds ?? []).map(({ kind, couldBe }) => [kind, couldBe]),
      own: host.ownAddresses?.length,
      entry: host.boot?.loaderEntries?.selected?.length,
    })
    expect(replayed.ok && told(replayed.host)).toEqual(told(direct))
    expect(replayed.ok && replayed.host.devices.map(({ address: at }) => at)).toEqual(
      direct.devices.map(({ address: at }) => at),
    )
  })
})

describe('a file that no reader reads today', () => {
  const redacted = (path: string, content: string | Uint8Array) => {
    const recording = emptyRecording(true)
    recording.files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
    const redactor = redactorFor(recording, { host: hostWith(), hostNames: [host], key: 'key' })
    const [bytes] = redactor.recording(recording).files.values()
    return Buffer.from(bytes ?? []).toString('latin1')
  }

  it('has its originals replaced as well, each by the same in all spellings', () => {
    const lines = [
      colons(mac),
      colons(mac).toUpperCase(),
      `enx${mac}`,
      colons(mac).replaceAll(':', '-'),
      mac,
      `8000.${mac}`,
    ]
    const drawn = redacted('/proc/some/table', lines.join('\n')).split('\n')
    expect(
      new Set(
        drawn.map((line) =>
          line
            .toLowerCase()
            .replace(/^(?:enx|8000\.)/, '')
            .replaceAll(/[:-]/g, ''),
        ),
      ).size,
    ).toBe(1)
    expect(drawn[1]).toBe(drawn[0]?.toUpperCase())
    const [dashed = '', bare = '', upper = ''] = redacted(
      '/x',
      [ids.luks, ids.luks.replaceAll('-', ''), ids.luks.toUpperCase()].join('\n'),
    ).split('\n')
    expect(bare).toBe(dashed.replaceAll('-', ''))
    expect(upper).toBe(dashed.toUpperCase())
    expect(redacted('/x', `PrivateKey = ${wireguard}`)).not.toContain(wireguard)
    expect(redacted('/x', `LVM-${ids.volume.replaceAll('-', '').repeat(2)} ${ids.volume}`)).not.toContain(
      'Zq3xT7',
    )
  })

  it('keeps addresses on the PCI bus, ids, versions, masks and times as they are', () => {
    const kept =
      '0000:01:00.0 10000:e1:00.0 pci:v00008086d00001533sv 8086:1533 0x5000 6.1.0-9-amd64 255.255.255.0 0.0.0.0 127.0.0.1 ::1 ff02::1 12:30:45 0:0:0:0 input3::capslock 1-2:1.0 usb-0000:00:14.0-3 c12a7328-f81f-11d2-ba4b-00c04fd430c9'
    expect(redacted('/some/file', kept)).toBe(kept)
  })

  it('has its secrets replaced where they are stated, and an ordinary word only there', () => {
    const line = redacted(
      '/proc/cmdline',
      'root=/dev/sda1 x.password=root y.token=abc splash netroot=iscsi:edda:1234@192.0.2.1::::iqn.x',
    )
    expect(line).toMatch(
      /^root=\/dev\/sda1 x\.password=redacted\d+ y\.token=redacted\d+ splash netroot=iscsi:redacted\d+:redacted\d+@24\d|25[0-4]/,
    )
    expect(redacted('/sys/class/iscsi_session/session1/password', `${password}\n`)).not.toContain(password)
    expect(
      redacted('/proc/self/mountinfo', '23 22 0:50 / /srv rw - cifs //nas/x rw,username=edda,password=abc'),
    ).toMatch(/rw,username=redacted\d+,password=redacted\d+$/)
    const settings = 'SecureBootPrivateKey=/etc/kernel/secure-boot-private.key\n'
    expect(redacted('/etc/kernel/uki.conf', settings)).toMatch(
      /^SecureBootPrivateKey=\/etc\/kernel\/redacted\d+\n$/,
    )
  })

  it('has its originals replaced in the cache of ZFS and in tables of hex numbers', () => {
    const cache = redacted('/etc/zfs/zpool.cache', poolCache())
    expect(cache.length).toBe(poolCache().length)
    const found = `${cache}${Buffer.from(cache, 'latin1').toString('hex')}`.toLowerCase()
    expect([host, BigInt(pool).toString(16)].filter((original) => found.includes(original))).toEqual([])
    expect(redacted('/run/udev/data/b8:1', `E:ID_FS_UUID=${pool}\n`)).toContain(
      `=${BigInt(`0x${Buffer.from(cache, 'latin1').subarray(24, 32).toString('hex')}`)}\n`,
    )
    expect(redacted('/proc/net/if_inet6', `${plain6(address6)} 02 40 00 00 enx${mac}\n`)).toMatch(
      /^20010db8[0-9a-f]{24} 02 40 00 00 enx02[0-9a-f]{10}\n$/,
    )
  })

  it('keeps its length where it is no text', () => {
    const binary = Buffer.concat([
      Buffer.from([0, 1, 2]),
      Buffer.from(`${host} ${own} ${ids.root} ${colons(mac)}`),
      Buffer.from([0]),
    ])
    const after = redacted('/some/binary', binary)
    expect(after.length).toBe(binary.length)
    expect(after).not.toMatch(new RegExp(`${host}|${ids.root}|${colons(mac)}`))
  })

  it('says of addresses which are near each other, and what they are', () => {
    const [a = '', b = '', c = '', d = ''] = redacted(
      '/x',
      '203.0.113.5 203.0.113.200 203.0.114.5 192.168.3.4',
    ).split(' ')
    const head = (text: string, parts: number) => text.split('.').slice(0, parts).join('.')
    expect(head(a, 3)).toBe(head(b, 3))
    expect(head(a, 2)).toBe(head(c, 2))
    expect(head(a, 3)).not.toBe(head(c, 3))
    expect(d).toMatch(/^192\.168\./)
    expect(redacted('/x', '203.0.113.0/24 10.0.0.0/8 2000::/3 fe80::/64 2a02:908:4b60::/48')).toMatch(
      /^\d+\.\d+\.\d+\.0\/24 10\.0\.0\.0\/8 2000::\/3 fe80::\/64 2001:db8:[0-9a-f]+::\/48$/,
    )
  })
})
