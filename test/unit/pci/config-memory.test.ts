// decodeAlike must say of every image what decodeConfig says, whatever image came before it.
import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { decodeAlike } from '../../../src/pci/config-memory.ts'
import { decodeConfig } from '../../../src/pci/config-space.ts'
import { configImage } from './config-image.ts'

/** A function with every capability that is decoded, from standard ones to SR-IOV. */
function networkPort(headerType: 0 | 1 | 2 = 0): Uint8Array {
  const image = configImage({ vendor: 0x8086, device: 0x1521, classCode: 0x020000, multifunction: true, headerType })
  image.capability(0x40, 0x01, [0x23, 0xc8, 0x08, 0x20])
  image.capability(0x50, 0x05, [0x80, 0x01])
  image.capability(0x70, 0x11, [0x09, 0x80])
  image.capability(0xa0, 0x10, [0x02, 0x00, 0xc2, 0x8c, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x42, 0x48, 0x46])
  image.capability(0xe0, 0x03, [0, 0])
  for (const [offset, id] of [
    [0x100, 0x0003],
    [0x140, 0x000e],
    [0x160, 0x0010],
    [0x1c0, 0x000d],
  ] as const)
    image.extended(offset, id)
  image.put32(0x104, 0x11223344, 0x55667788)
  image.put16(0x1c4, 0x1f, 0x1d)
  return image.bytes.slice(0, 512)
}

function changed(image: Uint8Array, ...changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = image.slice()
  for (const [offset, value] of changes) copy[offset] = value
  return copy
}

/** What the two say of each image, one after the other; `size` is that of the whole. */
function expectSame(images: readonly Uint8Array[], size?: number): void {
  const decode = decodeAlike()
  for (const image of images)
    expect(decode(image, 'facts of known', size)).toEqual(decodeConfig(image, 'facts of known', size))
}

describe('decodeAlike', () => {
  it('says the same after every single byte that may differ', () => {
    for (const headerType of [0, 1, 2] as const) {
      const image = networkPort(headerType)
      for (let offset = 0; offset < image.length; offset += 1) {
        const byte = image[offset] ?? 0
        const others = [0, 0xff, byte ^ 0x01, byte ^ 0x10, byte ^ 0x80].map((value) => changed(image, [offset, value]))
        expectSame(
          others.flatMap((other) => [image, other]),
          4096,
        )
      }
    }
  })

  it('knows the next port of a card by all but its BARs, command and interrupt', () => {
    const decode = decodeAlike()
    const image = networkPort()
    const first = decode(image, 'facts of known', 4096)
    const next = changed(image, [0x04, 0x06], [0x11, 0xe0], [0x27, 0x01], [0x33, 0x80], [0x3c, 0x0b], [0x3d, 0x02])
    expect(decode(next, 'facts of known', 4096)).toBe(first)
    expect(decode(changed(image, [0x104, 0x45]), 'facts of known', 4096)).not.toBe(first)
  })

  it('tells a short image from a long one that begins alike, and one of another size', () => {
    const image = networkPort()
    const zeros = new Uint8Array(4096)
    zeros.set(image)
    expectSame([image, zeros, image.slice(0, 256), image.slice(0, 64), image.slice(0, 20), image, zeros])
    const decode = decodeAlike()
    expect(decode(image, 'facts of known', 4096)?.facts.depth).toBe('extended')
    expect(decode(image, 'facts of known')?.facts.depth).toBe('standard')
  })

  it('decodes BARs and ids of each where they are wanted', () => {
    const decode = decodeAlike()
    const image = networkPort()
    decode(image, 'facts of known')
    for (const wanted of ['all', 'facts'] as const) {
      const other = changed(image, [0x13, 0xe0], [0x2c, 0x42])
      expect(decode(other, wanted)).toEqual(decodeConfig(other, wanted))
    }
  })

  it('says the same of any images in any order', () => {
    const image = networkPort()
    const change = fc.tuple(fc.nat(511), fc.nat(255))
    const some = fc.array(change, { maxLength: 4 }).map((changes) => changed(image, ...changes))
    const any = fc.oneof(some, fc.constant(image), fc.uint8Array({ maxLength: 5000 }))
    fc.assert(
      fc.property(fc.array(any, { minLength: 2, maxLength: 6 }), (images) => expectSame(images)),
      { numRuns: Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 300) },
    )
  })
})
