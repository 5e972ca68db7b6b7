import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from '../../support/random.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { isCapture, parseCapture, parseHexLines } from '../../../src/sources/capture/parse-capture.ts'
import type { Host } from '../../../src/host/host.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { inspectDocument } from '../../../src/api/inspect-report.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import type { Reader } from '../../../src/machine/system.ts'
import { pci, tree } from '../../support/sysfs-tree.ts'

const corpus = join(import.meta.dirname, '../../../../shared/corpus/snapshots/hp-dl360g9-vgpu/sysfs.tar.gz')

/** A config image with a Device Serial Number at 0x100. */
function configWithSerial(): Uint8Array {
  const bytes = new Uint8Array(4096)
  bytes.set([0x86, 0x80, 0xd3, 0x10, 0, 0, 0x10, 0], 0)
  bytes.set([0, 0, 0, 2], 8)
  bytes[0x34] = 0x40
  bytes[0x40] = 0x10
  bytes.set([0x03, 0, 1, 0, 0x56, 0x34, 0x12, 0xff, 0xff, 0x00, 0x54, 0x52], 0x100)
  return bytes
}

const home = (): string =>
  tree(
    pci({ at: 'pci0000:00/0000:00:17.0', ids: '8086:a102', classCode: '010601', driver: 'ahci', group: 4 }),
    pci({
      at: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
      driver: 'e1000e',
      group: 5,
      config: configWithSerial(),
      files: {
        reset_method: 'flr bus\n',
        'net/eth0/address': 'a0:36:9f:12:34:56\n',
        'net/eth0/addr_assign_type': '0\n',
      },
    }),
    {
      '/proc/self/mountinfo':
        '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:20 / /home/alice/secret rw - tmpfs tmpfs rw\n',
      '/proc/cmdline': 'root=UUID=6f1c2f3e-1111-2222-3333-444455556666 hostname=tower-of-alice quiet\n',
      '/proc/sys/kernel/hostname': 'tower-of-alice\n',
      '/proc/sys/kernel/osrelease': '6.1.0-45-amd64\n',
      '/proc/net/route':
        'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n',
      '/proc/net/tcp':
        '  sl  local_address rem_address   st\n   0: 0A02000A:0016 08080808:C001 01 00000000:00000000\n   1: 0A02000A:C001 01010101:01BB 01 0\n',
      '/sys/class/net/eth0': '-> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth0',
      '/sys/dev/block/8:1': '-> ../../devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1',
      '/sys/class/block/sda1': '-> ../../devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1',
      '/sys/block/sda': '-> ../devices/pci0000:00/0000:00:17.0/ata1/block/sda',
      '/sys/devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1/partition': '1\n',
      '/sys/devices/pci0000:00/0000:00:17.0/ata1/block/sda/serial': 'WD-WCC4N1234567\n',
      '/sys/class/iommu/': '',
      '/etc/default/grub': 'GRUB_CMDLINE_LINUX="quiet"\n\n',
    },
  )

const report = (host: Host) => {
  const { source: _source, ...rest } = inspectDocument(host, judgeHost(host))
  return rest
}
const replay = (text: string): Host => {
  const reading = parseCapture(text, 'host.yaml')
  if (!reading.ok) throw new Error(reading.message)
  return reading.host
}

describe('a capture', () => {
  it('holds no secret of the machine, and the same stand-in wherever one stood', () => {
    const { text } = captureHost(linuxSystem({ root: home() }), 'handover test', undefined)
    for (const secret of [
      'a0:36:9f',
      '6f1c2f3e',
      'tower-of-alice',
      'WD-WCC4N',
      '525400ff',
      '5634',
      'secret',
      '01010101',
      '08080808',
    ])
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase())
    const host = replay(text)
    expect(host.devices[1]?.networkInterfaces?.[0]?.permanentMac).toMatch(/^02(:[0-9a-f]{2}){5}$/)
    expect(host.devices[1]?.deviceSerialNumber).toMatch(/^0000[0-9a-f]{12}$/)
    expect(host.devices[0]?.disks?.[0]?.serial).toMatch(/^S\d{14}$/)
    expect(host.kernel.cmdline).toMatch(
      /^root=UUID=00000000-0000-4000-8000-[0-9a-f]{12} hostname=host\d+ quiet$/,
    )
    expect(host.needs.map((need) => need.what)).toEqual([
      '/',
      'default route',
      expect.stringMatching(
        /^SSH session from 24\d\.\d+\.\d+\.\d+$|^SSH session from 25[0-4]\.\d+\.\d+\.\d+$/,
      ),
    ])
    expect(host.files).toEqual([
      { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="quiet"\n\n', mode: 0o644 },
    ])
  })

  it('holds no machine id, which names boot entries, and keeps which entry was booted', () => {
    const own = '0123456789abcdef0123456789abcdef'
    const other = 'fedcba9876543210fedcba9876543210'
    const third = '00112233445566778899aabbccddeeff'
    const entry = (id: string) =>
      `title Linux\nversion 6.1\nmachine-id ${id}\nlinux /${id}/6.1/linux\ninitrd /${id}/6.1/initrd\noptions systemd.machine_id=${id}\n`
    const variable = (text: string) => Uint8Array.from([6, 0, 0, 0, ...Buffer.from(`${text}\0`, 'utf16le')])
    const efivars = '/sys/firmware/efi/efivars'
    const guid = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'
    const root = tree({
      '/etc/machine-id': `${own}\n`,
      '/proc/cmdline': `quiet systemd.machine_id=${own}\n`,
      '/boot/efi/loader/loader.conf': `default ${own}-*\n`,
      [`/boot/efi/loader/entries/${own}-6.1.conf`]: entry(own),
      [`/boot/efi/loader/entries/${other}-6.1.conf`]: entry(other),
      [`/boot/efi/${own}/6.1/initrd`]: 'x',
      [`/boot/efi/EFI/Linux/${other}-6.1.efi`]: 'x',
      [`/boot/efi/EFI/Linux/linux-6.1-${third}.efi`]: 'x',
      [`${efivars}/LoaderInfo-${guid}`]: variable('systemd-boot 252.39'),
      [`${efivars}/LoaderEntrySelected-${guid}`]: variable(`${own}-6.1+3.conf`),
    })
    const { text } = captureHost(linuxSystem({ root }), 'handover test', undefined)
    for (const id of [own, other, third]) {
      expect(text).not.toContain(id)
      expect(text.replaceAll(/\s/g, '')).not.toContain(Buffer.from(id, 'utf16le').toString('hex'))
    }
    const host = replay(text)
    const selected = host.boot?.loaderEntries?.selected ?? ''
    expect(selected).toMatch(/^0{12}40008000[0-9a-f]{12}-6\.1\+3\.conf$/)
    expect(host.files?.map(({ path }) => path)).toContain(
      `/boot/efi/loader/entries/${selected.replace('+3', '')}`,
    )
    expect(host.boot?.loaderInfo).toBe('systemd-boot 252.39')
    expect(host.boot?.unified?.images).toHaveLength(2)
  })

  it('is the same text again when captured from itself, and differs by lines only', () => {
    const system = linuxSystem({ root: home() })
    const first = captureHost(system, 'handover test', undefined).text
    expect(captureHost(system, 'handover test', undefined).text).toBe(first)
    expect(first).toContain('\n  /sys/devices/pci0000:00/0000:00:17.0/vendor: 0x8086\n')
  })

  it('says of unreadable files what the machine said', () => {
    const system: Reader = linuxSystem({ root: home() })
    const denied: Reader = {
      ...system,
      readText: (path, limit) =>
        path.endsWith('/vendor')
          ? { ok: false, reason: 'unreadable', code: 'EACCES' }
          : system.readText(path, limit),
    }
    const live = readHost(denied)
    const host = replay(captureHost(denied, 'handover test', undefined).text)
    expect(host.findings).toEqual(live.findings)
    expect(host.findings[0]?.message).toMatch(/vendor and 1 more like it cannot be read \(EACCES\)/)
  })

  it('gives the same inspect output as this very machine', () => {
    const live = readHost(linuxSystem())
    const text = captureHost(linuxSystem(), 'handover test', undefined).text
    const shape = (host: Host) =>
      report(host).devices.map(({ name: _name, serial: _serial, neededBy, ...rest }) => ({
        ...rest,
        needs: neededBy.length,
      }))
    expect(shape(replay(text))).toEqual(shape(live))
  })

  it.skipIf(!existsSync(corpus) && !process.env['CI'])(
    'gives the same inspect output as a real server (needs ../shared/corpus)',
    () => {
      const root = mkdtempSync(join(tmpdir(), 'handover-corpus-'))
      onTestFinished(() => rmSync(root, { recursive: true, force: true }))
      execFileSync('tar', ['-C', root, '-xzf', corpus])
      const system = linuxSystem({ root })
      const { text, host } = captureHost(system, 'handover test', undefined)
      const hide = (value: object) =>
        JSON.stringify(value).replaceAll(/"serial":"[0-9a-f]{16}"/g, '"serial":"-"')
      expect(hide(report(replay(text)))).toBe(hide(report(host)))
      expect(host.devices).toHaveLength(226)
      expect(text.length).toBeLessThan(3_000_000)
    },
  )
})

describe('reading a capture', () => {
  it.each([
    ['handover: capture\nversion: 2\n', /another version/],
    ['handover: capture\nfiles: [\n', /broken YAML/],
    ['handover: capture\nversion: 1\nx: &a [*a, *a]\n', /broken YAML|cannot/],
  ])('refuses %j with a reason', (text, message) => {
    const reading = parseCapture(text, 'x.yaml')
    expect(reading.ok ? '' : reading.message).toMatch(message)
  })

  it('is recognised by content only', () => {
    expect(isCapture('# a comment\nhandover: capture\nversion: 1\n')).toBe(true)
    expect(isCapture('handover: plan\n')).toBe(false)
  })

  it('names entries it cannot use and keeps the rest', () => {
    const text =
      'handover: capture\nversion: 1\nfiles:\n  /../etc/x: y\n  /proc/cmdline: quiet\nbytes:\n  /a/config: zz\n'
    const host = replay(text)
    expect(host.kernel.cmdline).toBe('quiet')
    expect(host.findings.at(-1)?.message).toContain('2 entries cannot be used')
  })

  it('reads hex lines back, whatever they hold', () => {
    expect(parseHexLines('4 bytes\n000: 0102\n')).toEqual(Uint8Array.from([1, 2, 0, 0]))
    expect(parseHexLines('2 bytes\n001: 0102\n')).toBeUndefined()
    expect(parseHexLines('99999999 bytes\n')).toBeUndefined()
  })

  it('never throws, whatever is damaged', () => {
    const text = captureHost(linuxSystem({ root: home() }), 'handover test', undefined).text
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string(), (at, cut, put) => {
        const reading = parseCapture(text.slice(0, at) + put + text.slice(at + cut), 'x.yaml')
        if (reading.ok) judgeHost(reading.host)
      }),
      { numRuns: Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 150) },
    )
  })
})
