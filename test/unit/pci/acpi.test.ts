/** DMAR and IVRS: built tables, tables of QEMU machines, broken ones; scopes resolved to functions. */
import * as fc from '../../support/random.ts'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { withConfigFacts } from '../../../src/pci/config-space.ts'
import { findReservedMemory, findScopedFunctions, findUncovered, parseDmar } from '../../../src/pci/dmar.ts'
import { parseIvrs } from '../../../src/pci/ivrs.ts'
import { predictGroups } from '../../support/groups.ts'
import { findTopology } from '../../../src/pci/topology.ts'
import { acs, amdHost, at, endpoint, fn, intelHost, port } from './machines.ts'

const u16 = (value: number) => [value & 255, (value >> 8) & 255]
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)]
const u64 = (value: bigint) => [...u32(Number(value & 0xffffffffn)), ...u32(Number(value >> 32n))]

function table(signature: string, fixed: readonly number[], body: readonly number[]): Uint8Array {
  const header = Array.from({ length: 36 }, () => 0)
  const all = [...header, ...fixed, ...body]
  all.splice(0, 4, ...Buffer.from(signature))
  all.splice(4, 4, ...u32(all.length))
  return Uint8Array.from(all)
}

const scope = (type: number, bus: number, ...path: number[]) => [type, 6 + path.length, 0, 0, 7, bus, ...path]
const drhd = (flags: number, scopes: number[]) => [
  ...u16(0),
  ...u16(16 + scopes.length),
  flags,
  0,
  0,
  0,
  ...u64(0xfed90000n),
  ...scopes,
]
const rmrr = (start: bigint, end: bigint, scopes: number[]) => [
  ...[...u16(1), ...u16(24 + scopes.length), 0, 0, 0, 0],
  ...u64(start),
  ...u64(end),
  ...scopes,
]
const dmarTable = (flags: number, ...structures: number[][]) =>
  table('DMAR', [38, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], structures.flat())

const topology = findTopology([
  intelHost,
  fn('00:02.0', {}, { classCode: '030000' }),
  fn('00:14.0'),
  port('00:1c.0', [1, 3], { acs }),
  port('01:00.0', [2, 3], { portType: 'upstreamPort' }),
  port('02:01.0', [3, 3], { portType: 'downstreamPort', acs }),
  endpoint('03:00.0'),
])

describe('DMAR', () => {
  it('states units, reserved memory and the firmware’s wishes', () => {
    const dmar = parseDmar(
      dmarTable(
        0b011,
        drhd(0, scope(1, 0, 2, 0)),
        drhd(1, scope(3, 0xf0, 0x1f, 0)),
        rmrr(0xab000000n, 0xab7fffffn, scope(1, 0, 0x14, 0)),
      ),
    )
    expect(dmar).toMatchObject({
      interruptRemapping: true,
      x2apicOptOut: true,
      dmaOptIn: false,
      addressWidth: 39,
      complete: true,
      units: [
        {
          segment: 0,
          base: 'fed90000',
          includesAll: false,
          scopes: [{ kind: 'endpoint', startBus: 0, path: [{ slot: 2, function: 0 }] }],
        },
        { includesAll: true, scopes: [{ kind: 'ioapic', enumerationId: 7, startBus: 0xf0 }] },
      ],
      reserved: [{ start: 'ab000000', end: 'ab7fffff' }],
    })
    expect(findReservedMemory(topology, dmar!)).toEqual(new Map([[at('00:14.0'), [dmar!.reserved[0]]]]))
  })

  it('walks a scope down through bridges, and lets a bridge stand for all below', () => {
    const scopes = parseDmar(
      dmarTable(0, drhd(0, [...scope(1, 0, 0x1c, 0, 0, 0, 1, 0, 0, 0), ...scope(2, 0, 0x1c, 0, 0, 0)])),
    )!.units[0]!.scopes
    expect(findScopedFunctions(topology, 0, scopes.slice(0, 1))).toEqual([at('03:00.0')])
    expect(findScopedFunctions(topology, 0, scopes.slice(1))).toEqual([
      at('01:00.0'),
      at('02:01.0'),
      at('03:00.0'),
    ])
    expect(findScopedFunctions(topology, 1, scopes)).toEqual([])
  })

  it('functions outside every unit get no group', () => {
    const bytes = dmarTable(0, drhd(0, [...scope(1, 0, 0, 0), ...scope(2, 0, 0x1c, 0)]))
    expect(findUncovered(topology, parseDmar(bytes)!)).toEqual([at('00:02.0'), at('00:14.0')])
    const groups = predictGroups(
      topology.nodes.map((n) => n.device),
      { dmar: Buffer.from(bytes).toString('hex') },
    )
    expect(groups.flatMap((g) => g.devices)).not.toContain(at('00:14.0'))
    expect(groups.flatMap((g) => g.devices)).toContain(at('03:00.0'))
  })

  it('reads a cut or lying table as far as it goes', () => {
    const bytes = dmarTable(1, drhd(1, []), rmrr(0n, 0xfffn, scope(1, 0, 2, 0)))
    const cut = parseDmar(bytes.subarray(0, 70))
    expect(cut).toMatchObject({ complete: false, units: [{ includesAll: true }], reserved: [] })
    expect(findUncovered(topology, cut!)).toEqual([])
    expect(parseDmar(dmarTable(1, [0, 0, 0, 0], drhd(1, [])))).toMatchObject({ complete: false, units: [] })
    expect(parseDmar(bytes.subarray(0, 20))).toBeUndefined()
    expect(parseDmar('')).toBeUndefined()
    expect(parseDmar(table('IVRS', [], []))).toBeUndefined()
  })
})

const ivhd = (type: number, entries: number[]) => {
  const header = type === 0x10 ? 24 : 40
  const fixed = [
    type,
    0,
    ...u16(header + entries.length),
    ...u16(2),
    ...u16(0x40),
    ...u64(0xfeb80000n),
    ...u16(0),
    ...u16(0),
  ]
  return [...fixed, ...Array.from({ length: header - fixed.length }, () => 0), ...entries]
}
const select = (kind: number, id: number) => [kind, ...u16(id), 0]
const aliasEntry = (kind: number, id: number, source: number) => [kind, ...u16(id), 0, ...u32(source << 8)]
const ivmd = (type: number, flags: number, id: number, last: number) => [
  ...[type, flags, ...u16(32), ...u16(id), ...u16(last)],
  ...u64(0n),
  ...u64(0x1000n),
  ...u64(0x2000n),
]
const ivrsTable = (...blocks: number[][]) => table('IVRS', [...u32(2), 0, 0, 0, 0, 0, 0, 0, 0], blocks.flat())

describe('IVRS', () => {
  const bytes = ivrsTable(
    ivhd(0x10, select(1, 0)),
    ivhd(0x11, [
      ...select(3, 0x0008),
      ...select(4, 0xffff),
      ...aliasEntry(0x42, 0x0101, 0x0100),
      ...[0x48, 0, 0, 0, ...u32((1 << 24) | (0x00a0 << 8) | 33)],
    ]),
    ivmd(0x22, 1, 0x0100, 0x0107),
    ivmd(0x21, 0, 0x0200, 0),
  )

  it('takes the best description of a unit: ranges, aliases, special devices', () => {
    expect(parseIvrs(bytes)).toMatchObject({
      dmaRemapSupported: true,
      complete: true,
      units: [
        {
          segment: 0,
          function: '0000:00:00.2',
          base: 'feb80000',
          covers: [
            { first: 8, last: 0xffff },
            { first: 0x101, last: 0x101 },
            { first: 0x100, last: 0x100 },
          ],
          aliases: [{ from: { first: 0x101, last: 0x101 }, to: 0x100 }],
          special: [{ kind: 'ioapic', id: 33, requester: 0xa0 }],
        },
      ],
      memory: [
        { devices: { first: 0x100, last: 0x107 }, unity: true, start: '1000', end: '2fff' },
        { devices: { first: 0x200, last: 0x200 }, unity: false },
      ],
    })
  })

  it('decides groups: what it covers, what it aliases; then they are certain', () => {
    const pair = [0, 1].map((n) => endpoint(`01:00.${n}`, { acs, multifunctionBit: true }))
    const iommu = fn('00:00.2', {}, { vendorId: '1022', deviceId: '1481', classCode: '080600' })
    const devices = [amdHost, iommu, port('00:01.1', [1, 1], { acs }), ...pair]
    const groups = (ivrs: Uint8Array) =>
      predictGroups(devices, { ivrs: Buffer.from(ivrs).toString('hex') }).map((g) => [
        g.confidence,
        ...g.devices,
      ])
    expect(groups(bytes)).toEqual([
      ['high', '0000:00:01.1'],
      ['high', '0000:01:00.0', '0000:01:00.1'],
    ])
    expect(groups(ivrsTable(ivhd(0x11, [...select(3, 0), ...select(4, 0xffff)])))).toEqual([
      ['high', '0000:00:00.0'],
      ['high', '0000:00:01.1'],
      ['high', '0000:01:00.0'],
      ['high', '0000:01:00.1'],
    ])
    // A table cut short is as good as none.
    const cut = groups(bytes.subarray(0, bytes.length - 8))
    expect(cut.find((group) => group.includes(at('01:00.0')))?.[0]).toBe('low')
    expect(
      parseIvrs(bytes)!
        .memory.filter(({ unity }) => unity)
        .map(({ devices: { first, last } }) => [first, last]),
    ).toEqual([[0x100, 0x107]])
  })
})

describe('hostile tables', () => {
  const runs = Math.max(1500, Math.floor(Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 0) / 2))
  const valid = [
    dmarTable(
      1,
      drhd(0, scope(1, 0, 2, 0)),
      rmrr(0n, 0xfffn, [...scope(1, 0, 2, 0), ...scope(2, 0, 0x1c, 0)]),
    ),
    ivrsTable(
      ivhd(0x11, [...select(3, 0), ...select(4, 0xffff), ...aliasEntry(0x43, 1, 2)]),
      ivmd(0x20, 1, 0, 0),
    ),
  ]

  it('never throw and never hang, mutated or random', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(200),
      )
      .map(([bytes, changes, cut]) => {
        const copy = Uint8Array.from(bytes)
        for (const [offset, value] of changes) if (offset > 3) copy[offset % copy.length] = value
        return cut > 150 ? copy.subarray(0, cut - 100) : copy
      })
    const random = fc
      .tuple(fc.constantFrom('DMAR', 'IVRS'), fc.uint8Array({ maxLength: 400 }))
      .map(([signature, body]) => table(signature, [], [...body]))
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        const dmar = parseDmar(bytes)
        const ivrs = parseIvrs(bytes)
        if (dmar) {
          findReservedMemory(topology, dmar)
          findUncovered(topology, dmar)
        }
        const hex = Buffer.from(bytes).toString('hex')
        expect(parseDmar(hex)).toEqual(dmar)
        expect(parseIvrs(hex)).toEqual(ivrs)
      }),
      { numRuns: runs },
    )
  })

  it('a megabyte of smallest structures is bounded', () => {
    const many = table(
      'DMAR',
      [38, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      Array.from({ length: 60_000 }, () => [9, 0, 4, 0]).flat(),
    )
    expect(parseDmar(many)).toMatchObject({ complete: false, units: [] })
  })
})

const fixtures = new URL('../../../../shared/data/group-fixtures/', import.meta.url)

describe.skipIf(!existsSync(fixtures))('tables of QEMU machines (skipped without ../shared/data)', () => {
  const fixture = (name: string) =>
    JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as {
      acpiTables: Record<string, string>
      devices: { bdf: string; config: string; cfgSize: number; iommuGroup: number | null }[]
    }

  it('DMAR covers every function that has a group', () => {
    const { acpiTables, devices } = fixture('qemu-q35-intel-A.json')
    const dmar = parseDmar(Buffer.from(acpiTables['DMAR']!, 'base64'))!
    expect(dmar).toMatchObject({ complete: true, interruptRemapping: true, addressWidth: 39 })
    const machine = findTopology(
      devices.map((d) =>
        withConfigFacts({
          address: at(d.bdf),
          config: Buffer.from(d.config, 'base64')
            .toString('hex')
            .padEnd(d.cfgSize * 2, '0'),
        }),
      ),
    )
    expect(findUncovered(machine, dmar)).toEqual([])
    for (const unit of dmar.units) {
      const named = unit.scopes.filter((s) => s.kind === 'endpoint' || s.kind === 'bridge')
      expect(findScopedFunctions(machine, unit.segment, named).length).toBeGreaterThanOrEqual(named.length)
    }
  })

  it('IVRS leaves out the IOMMU’s own function', () => {
    const ivrs = parseIvrs(Buffer.from(fixture('qemu-q35-amd-A.json').acpiTables['IVRS']!, 'base64'))!
    expect(ivrs.complete).toBe(true)
    expect(ivrs.units.map((u) => u.function)).toEqual(['0000:00:01.0'])
  })
})
