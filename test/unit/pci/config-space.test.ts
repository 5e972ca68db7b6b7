/** Configuration space, built byte by byte: what is stated, what is known to be missing, what is unknown. */
import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../../src/pci/address.ts'
import { holdsExtendedChain } from '../../../src/pci/capabilities.ts'
import { configBytes } from '../../../src/pci/config-bytes.ts'
import { decodeConfig, withConfigFacts } from '../../../src/pci/config-space.ts'
import { configImage, configHex } from './config-image.ts'

const runs = Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 3000)

describe('decodeConfig', () => {
  it('reads a PCIe endpoint with everything', () => {
    const image = configImage({
      vendor: 0x8086,
      device: 0x1521,
      classCode: 0x020000,
      revision: 1,
      multifunction: true,
    })
    image.put16(0x2c, 0x8086, 0x00a1)
    image.put32(0x10, 0xdf400004, 0x00000060) // 64-bit memory
    image.put32(0x18, 0x0000e001) // io
    image.put32(0x1c, 0xdf48000c, 0) // 64-bit prefetchable
    image.put32(0x30, 0xdf300001)
    image.capability(0x40, 0x01, [0x03, 0xc8, 0x08, 0x20])
    image.capability(0x50, 0x05, [0x86, 0x01]) // 8 messages
    image.capability(0x70, 0x11, [0x09, 0x80]) // 10 vectors
    image.capability(0xa0, 0x10, [0x02, 0x00])
    image.put32(0xa4, 0x10008cc2)
    image.put32(0xac, 0x00426444) // x4, code 4 = 16 GT/s at best
    image.put16(0xb2, 0x1042) // x4 at 5 GT/s
    image.extended(0x100, 0x0001)
    image.extended(0x140, 0x0003)
    image.put32(0x144, 0xff0809a0, 0xa0369fff)
    image.extended(0x150, 0x000e)
    image.extended(0x160, 0x0010)
    image.put16(0x168, 1)
    image.put16(0x16c, 8, 8, 2, 0, 0x180, 4, 0, 0x1520)
    image.extended(0x1d0, 0x000d)
    image.put16(0x1d4, 0x001f, 0x001d)
    const space = decodeConfig(image.bytes)
    expect(space).toMatchObject({
      size: 4096,
      vendorId: '8086',
      deviceId: '1521',
      subsystemVendorId: '8086',
      subsystemId: '00a1',
      classCode: '020000',
      revision: '01',
      deviceSerialNumber: 'a0369fffff0809a0',
      link: { speed: '5.0 GT/s', width: 4, maxSpeed: '16.0 GT/s', maxWidth: 4 },
      bars: [
        { index: 0, kind: 'memory', base: '60df400000', is64Bit: true, prefetchable: false },
        { index: 2, kind: 'io', base: 'e000' },
        { index: 3, kind: 'memory', base: 'df480000', is64Bit: true, prefetchable: true },
        { index: 6, kind: 'rom', base: 'df300000' },
      ],
      facts: {
        depth: 'extended',
        headerType: 0,
        multifunctionBit: true,
        portType: 'endpoint',
        flr: true,
        afFlr: false,
        power: { noSoftReset: true, state: 'D0' },
        msiVectors: 8,
        msixVectors: 10,
        vpd: false,
        ari: true,
        acs: { capability: 0x1f, control: 0x1d },
        sriov: { totalVfs: 8, numVfs: 2, firstVfOffset: 0x180, vfStride: 4, vfDeviceId: '1520' },
        resizableBar: false,
      },
    })
    expect(space?.capabilities.map((c) => c.offset)).toEqual([0x40, 0x50, 0x70, 0xa0])
    expect(space?.extendedCapabilities.map((c) => c.id)).toEqual([1, 3, 0x0e, 0x10, 0x0d])
    expect(decodeConfig(configHex(image))).toEqual(space)
  })

  it('leaves out what a shorter image cannot hold, and keeps what it does', () => {
    const image = configImage({ vendor: 0x8086, device: 0x1521 })
    image.capability(0xa0, 0x10, [0x02, 0x00])
    image.extended(0x100, 0x000d)
    const header = decodeConfig(image.bytes.subarray(0, 64))?.facts
    expect(header).toEqual({ depth: 'header', headerType: 0, multifunctionBit: false })
    const standard = decodeConfig(image.bytes.subarray(0, 256))?.facts
    expect(standard).toMatchObject({
      depth: 'standard',
      portType: 'endpoint',
      flr: false,
      power: null,
      msixVectors: null,
    })
    expect(standard && 'acs' in standard).toBe(false)
    expect(decodeConfig(image.bytes.subarray(0, 63))).toBeUndefined()
    expect(decodeConfig('')).toBeUndefined()
  })

  it('reads the present size of resizable BARs, the only sizes configuration space has', () => {
    const image = configImage({ vendor: 0x10de, device: 0x2504 })
    image.capability(0x78, 0x10, [0x12, 0x00])
    image.put32(0x10, 0xde000000)
    image.put32(0x14, 0x0000000c, 0x00000060)
    image.extended(0x100, 0x0015)
    image.put32(0x104, 0x0001ffc0, (1 << 5) | 1 | (13 << 8))
    const space = decodeConfig(image.bytes)
    expect(space?.facts.resizableBar).toBe(true)
    expect(space?.bars).toEqual([
      { index: 0, kind: 'memory', base: 'de000000', is64Bit: false, prefetchable: false },
      { index: 1, kind: 'memory', base: '6000000000', is64Bit: true, prefetchable: true, size: 8 * 2 ** 30 },
    ])
  })

  it('knows a conventional function has no ACS even from 256 bytes', () => {
    const image = configImage({ vendor: 0x8086, device: 0x2918 })
    image.capability(0x50, 0x13, [0x06, 0x03])
    const facts = decodeConfig(image.bytes.subarray(0, 256))?.facts
    expect(facts).toMatchObject({ portType: null, acs: null, sriov: null, flr: false, afFlr: true })
  })

  it('knows a function without any capability from 64 bytes, because the status bit says so', () => {
    const image = configImage({ vendor: 0x8086, device: 0x2918 })
    const facts = decodeConfig(image.bytes.subarray(0, 64))?.facts
    expect(facts).toMatchObject({ depth: 'header', portType: null, acs: null, power: null })
  })

  it('reads bridges: buses, port type, slot, and the subsystem from its capability', () => {
    const image = configImage({ vendor: 0x10b5, device: 0x8747, headerType: 1, classCode: 0x060400 })
    image.bytes.set([0x05, 0x06, 0x09], 0x18)
    image.capability(0x68, 0x10, [0x62, 0x01])
    image.put32(0x7c, 7 << 19)
    image.capability(0xa4, 0x0d, [0, 0, 0xb5, 0x10, 0x47, 0x87])
    const space = decodeConfig(image.bytes)
    expect(space).toMatchObject({ subsystemVendorId: '10b5', subsystemId: '8747' })
    expect(space?.facts).toMatchObject({
      headerType: 1,
      portType: 'downstreamPort',
      primaryBus: 5,
      secondaryBus: 6,
      subordinateBus: 9,
      slotNumber: 7,
    })
  })

  it('finds the capabilities of a CardBus bridge at its own pointer', () => {
    const image = configImage({ vendor: 0x1180, device: 0x0476, headerType: 2, classCode: 0x060700 })
    image.capability(0xdc, 0x01, [0x02, 0x7e, 0x00, 0x00])
    expect(decodeConfig(image.bytes.subarray(0, 256))?.facts.power).toEqual({
      noSoftReset: false,
      state: 'D0',
    })
    expect(image.bytes[0x14]).toBe(0xdc)
  })

  it('tells a sleeping device from a dead image', () => {
    expect(decodeConfig(new Uint8Array(256).fill(0xff))?.facts).toEqual({
      depth: 'standard',
      notAnswering: true,
    })
    const vf = configImage({ vendor: 0xffff, device: 0xffff, classCode: 0x020000 })
    vf.capability(0xa0, 0x10, [0x02, 0x00])
    vf.put32(0xa4, 0x10000000)
    const space = decodeConfig(vf.bytes)
    expect(space?.vendorId).toBeUndefined()
    expect(space?.facts).toMatchObject({ portType: 'endpoint', flr: true })
  })

  it('does not take ff beyond the header for an empty extended space', () => {
    const image = configImage({ vendor: 0x8086, device: 0x1521 })
    image.capability(0xa0, 0x10, [0x02, 0x00])
    image.bytes.fill(0xff, 256)
    const facts = decodeConfig(image.bytes)?.facts
    expect(facts && 'acs' in facts).toBe(false)
  })

  it('lets what the device already states win', () => {
    const image = configImage({ vendor: 0xffff, device: 0xffff })
    image.capability(0xa0, 0x10, [0x42, 0x00])
    const device = withConfigFacts({
      address: parseAddress('03:10.0')!,
      vendorId: '8086',
      deviceId: '10ed',
      config: configHex(image),
    })
    expect(device).toMatchObject({ vendorId: '8086', deviceId: '10ed', portType: 'rootPort', headerType: 0 })
    expect(device.facts?.portType).toBe('rootPort')
  })
})

describe('hostile images', () => {
  it('ends on capability rings and pointers into nowhere', () => {
    const image = configImage({ vendor: 0x8086, device: 1 })
    image.bytes[0x06] = 0x10
    image.bytes[0x34] = 0x40
    image.bytes.set([0x09, 0x48], 0x40)
    image.bytes.set([0x01, 0x40], 0x48)
    image.put32(0x100, (0x200 << 20) | (1 << 16) | 2)
    image.put32(0x200, (0x100 << 20) | (1 << 16) | 0x0d)
    const space = decodeConfig(image.bytes)
    expect(space?.capabilities).toHaveLength(2)
    expect(space?.extendedCapabilities.map((c) => c.id)).toEqual([2, 0x0d])
  })

  it('never throws, whatever the bytes', () => {
    const anyImage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
      fc
        .tuple(
          fc.uint8Array({ minLength: 256, maxLength: 256 }),
          fc.constantFrom(0x00, 0x01, 0x80, 0x81, 0x02),
        )
        .map(([bytes, header]) => {
          const image = new Uint8Array(4096)
          image.set(bytes)
          image.set(
            bytes.map((b) => b ^ 0x5a),
            0x100,
          )
          image[0x0e] = header
          image[0x06] = 0x10
          return image
        }),
    )
    fc.assert(
      fc.property(anyImage, (bytes) => {
        const space = decodeConfig(bytes)
        if (bytes.length < 64) expect(space).toBeUndefined()
        else expect(space?.size).toBe(bytes.length)
        const hex = Buffer.from(bytes).toString('hex')
        expect(decodeConfig(hex)).toEqual(space)
      }),
      { numRuns: Math.max(500, Math.floor(runs / 3)) },
    )
  })

  it('never throws on text that is no hex', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 128, maxLength: 700 }), (text) => {
        expect(decodeConfig(text)?.size).toBe(text.length >> 1)
      }),
      { numRuns: 500 },
    )
  })
})

describe('the beginning of an image', () => {
  const ids = [0, 0x0001, 0x0003, 0x000d, 0x000e, 0x0010, 0x0015, 0x00ff]
  // Half of the capabilities begin within 512 bytes, so that a good part of the chains does as a whole.
  const place = (from: number, to: number) =>
    fc.integer({ min: from >> 2, max: (to >> 2) - 1 }).map((n) => n << 2)
  const link = fc.record({
    at: fc.oneof(place(0x100, 0x200), place(0x100, 0xc00)),
    id: fc.constantFrom(...ids),
  })
  const anyChain = fc.record({
    links: fc.array(link, { minLength: 1, maxLength: 6 }),
    noise: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })

  it('says the same as the whole, or that it does not hold all of it', () => {
    let held = 0
    fc.assert(
      fc.property(anyChain, ({ links, noise }) => {
        const bytes = new Uint8Array(4096)
        for (let at = 0x100; at < 4096; at += 64) bytes.set(noise, at)
        const view = new DataView(bytes.buffer)
        view.setUint32(0, 0x15218086, true)
        const places = [0x100, ...links.map(({ at }) => at)]
        for (const [index, { id }] of links.entries())
          view.setUint32(
            places[index] ?? 0x100,
            (id | 0x10000 | ((places[index + 1] ?? 0) << 20)) >>> 0,
            true,
          )
        view.setUint32(places.at(-1) ?? 0x100, 0x0001000d, true)
        const beginning = bytes.subarray(0, 512)
        if (!holdsExtendedChain(configBytes(beginning))) return
        held++
        expect(decodeConfig(beginning, 'facts', 4096)).toEqual(decodeConfig(bytes, 'facts'))
      }),
      { numRuns: runs },
    )
    expect(held).toBeGreaterThan(runs / 20)
  })
})
