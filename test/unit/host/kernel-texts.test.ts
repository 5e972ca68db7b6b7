import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { volumeName } from '../../../src/host/needs/disks/block-stack.ts'
import { interfacesTowards, parseRoutes4, parseRoutes6 } from '../../../src/host/needs/network/routes.ts'
import { parseProcAddress } from '../../../src/host/needs/network/connections.ts'
import { parseMounts } from '../../../src/host/needs/disks/mounts.ts'
import { placeOf } from '../../../src/host/read/device-place.ts'
import { barsOf } from '../../../src/host/read/read-bars.ts'
import { parseReservedRegions } from '../../../src/host/read/read-groups.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { addToTree, emptyTree, treeReader } from '../../../src/sources/tree.ts'
import { at } from '../../support/host-builder.ts'

describe('texts of the kernel', () => {
  it.each([
    ['0702000A', '10.0.2.7'],
    ['0000000000000000FFFF00000702000A', '10.0.2.7'],
    ['B80D0120000000000000000001000000', '2001:db8:0:0:0:0:0:1'],
    ['xyz', undefined],
  ])('reads the address %s', (hex, address) => expect(parseProcAddress(hex)).toBe(address))

  it.each([
    ['vg0-root', 'vg0/root'],
    ['my--vg-lv--1', 'my-vg/lv-1'],
    ['plain', 'plain'],
  ])('reads the volume %s', (name, shown) => expect(volumeName(name)).toBe(shown))

  it('prefers the longest prefix, then the lowest metric', () => {
    const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n'
    const routes = parseRoutes4(
      `${head}a\t00000000\t0\t0003\t0\t0\t9\t00000000\nb\t00000000\t0\t0003\t0\t0\t5\t00000000\nc\t000A0A0A\t0\t0001\t0\t0\t0\t00FFFFFF\nd\t000B0A0A\t0\t0200\t0\t0\t0\t00FFFFFF\n`,
    )
    expect(
      ['8.8.8.8', '10.10.10.1', '10.10.11.1'].flatMap((address) => interfacesTowards(routes, address)),
    ).toEqual(['b', 'c', 'b'])
    const six = parseRoutes6(
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 0 0 00000003 eth0\nfe800000000000000000000000000000 40 0 00 0 00000100 0 0 00000001 eth1\n',
    )
    expect(six).toHaveLength(1)
    expect(interfacesTowards(six, '2001:db8::1')).toEqual(['eth0'])
  })

  it('reads octal escapes of mount points', () => {
    expect(
      parseMounts(
        '1 1 8:1 / /a\\040b rw - ext4 /dev/sda1 rw\n2 1 8:1 / / rw - ext4 /dev/sda1 rw\nrubbish\n',
      ).map((m) => m.point),
    ).toEqual(['/a b', '/'])
  })

  it('reads regions, BARs and places', () => {
    expect(
      parseReservedRegions(
        '0x00000000fee00000 0x00000000feefffff msi\n0x0000000000000000 0x0000000000ffffff direct\n',
      ),
    ).toEqual([
      { start: 'fee00000', end: 'feefffff', type: 'msi' },
      { start: '0', end: 'ffffff', type: 'direct' },
    ])
    expect(barsOf('0x0000004000000000 0x00000040000fffff 0x000000000014220c\n')).toEqual({
      bars: [
        { index: 0, kind: 'memory', base: '4000000000', size: 1_048_576, is64Bit: true, prefetchable: true },
      ],
    })
    expect(placeOf(at('01:00.0'), '../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0')?.facts).toEqual({
      path: '0000:00/1c.0/00.0',
      parent: '0000:00:1c.0',
    })
    expect(placeOf(at('01:00.0'), '../elsewhere')).toBeUndefined()
  })
})

describe('whatever sysfs says', () => {
  /** Paths a host is read from, with values as wrong as they come. */
  const paths = [
    '/sys/bus/pci/devices/0000:01:00.0/uevent',
    '/sys/bus/pci/devices/0000:01:00.0/config',
    '/sys/bus/pci/devices/0000:01:00.0/resource',
    '/sys/bus/pci/devices/0000:01:00.0/reset_method',
    '/sys/bus/pci/devices/0000:01:00.0/driver_override',
    '/sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs',
    '/sys/bus/pci/devices/zzz/vendor',
    '/sys/bus/pci/slots/1/address',
    '/sys/kernel/iommu_groups/7/devices/0000:01:00.0',
    '/sys/kernel/iommu_groups/7/reserved_regions',
    '/sys/kernel/iommu_groups/x/type',
    '/sys/class/net/eth0/address',
    '/sys/block/sda/device/vpd_pg80',
    '/sys/firmware/acpi/tables/DMAR',
    '/sys/firmware/acpi/tables/IVRS',
    '/proc/self/mountinfo',
    '/proc/swaps',
    '/proc/net/route',
    '/proc/net/ipv6_route',
    '/proc/net/tcp6',
    '/proc/iomem',
    '/proc/cpuinfo',
    '/proc/meminfo',
    '/proc/bus/input/devices',
    '/etc/os-release',
    '/etc/modprobe.d/x.conf',
  ] as const
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      '0x8086\n',
      '-1\n',
      '8:1 / / rw - ext4 /dev/sda1 rw\n',
      `1 1 0:1 / / rw - zfs ${'a/'.repeat(400)} rw`,
      '\0'.repeat(100),
      'ff'.repeat(64),
    ),
    fc.uint8Array({ minLength: 64, maxLength: 4096 }),
  )
  const link = fc.constantFrom(
    '../../../devices/pci0000:00/0000:01:00.0',
    '.',
    '..',
    '/',
    '../0000:01:00.0',
    'x'.repeat(300),
  )

  it('it is read and judged without an exception, and stays a value', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...paths), value),
        fc.dictionary(
          fc.constantFrom(...paths, '/sys/class/block/sda', '/sys/dev/block/8:1', '/sys/class/net/eth0'),
          link,
          { maxKeys: 3 },
        ),
        (files, links) => {
          const root = emptyTree()
          for (const [path, target] of Object.entries(links)) addToTree(root, path, { kind: 'link', target })
          for (const [path, content] of Object.entries(files))
            addToTree(root, path, {
              kind: 'file',
              bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
            })
          const host = readHost(treeReader(root))
          judgeHost(host)
          expect(JSON.parse(JSON.stringify(host))).toEqual(host)
        },
      ),
      { numRuns: Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 600) },
    )
  })
})
