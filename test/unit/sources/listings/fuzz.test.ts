/**
 * Whatever is pasted: a Host or a refusal, never an exception, never a long wait, never more than a bounded
 * Host. A few thousand mutations in `npm test`; HANDOVER_FUZZ_RUNS=100000 for the long run. A failure prints
 * its seed.
 */
import fc from '../../../support/random.ts'
import { expect, test } from 'vitest'
import { readHostFrom } from '../../../../src/sources/listings/read-from.ts'
import { lineCap } from '../../../../src/sources/listings/text.ts'
import { compareAddresses, parseAddress } from '../../../../src/pci/address.ts'
import { fuzzSeeds, tokens } from './samples.ts'
import { importSystem } from './reading.ts'

const runs = Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 4000)
const sliceCap = 24_000

/** mulberry32: small, fast, the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

function mutate(seeds: readonly Uint8Array[], seed: number): Uint8Array {
  const random = randomFrom(seed)
  const pick = () => {
    const whole = seeds[random(seeds.length)] ?? new Uint8Array()
    const start = whole.length > sliceCap && random(3) > 0 ? random(whole.length - sliceCap) : 0
    return whole.subarray(start, start + sliceCap)
  }
  let bytes: Uint8Array = Uint8Array.from(pick())
  for (let count = 1 + random(8); count > 0; count -= 1) {
    const at = random(bytes.length + 1)
    const until = Math.min(bytes.length, at + random(random(2) === 0 ? 8 : 2000))
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)]
    switch (random(8)) {
      case 0:
        bytes = Buffer.concat([before, after])
        break
      case 1:
        bytes = Buffer.concat([before, middle, middle, after])
        break
      case 2:
        bytes = before
        break
      case 3:
        bytes[at] = random(256)
        break
      case 4:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 5:
        bytes = Buffer.concat([before, pick().subarray(random(1000), 1000 + random(4000)), after])
        break
      case 6:
        bytes = Buffer.concat([
          before,
          Buffer.from((tokens[random(tokens.length)] ?? '').repeat(1 + random(random(20) === 0 ? 3000 : 3))),
          middle,
          after,
        ])
        break
      default:
        bytes = Buffer.concat([before, Buffer.from(tokens[random(tokens.length)] ?? ''), after])
    }
  }
  return bytes
}

function check(bytes: Uint8Array): void {
  const reading = readHostFrom({ name: 'pasted', bytes }, importSystem)
  if (!reading.ok) {
    expect(reading.error.exitCode).toBe(2)
    expect(reading.error.help).not.toBe(undefined)
    return
  }
  const { devices, groups } = reading.host
  for (const [index, device] of devices.entries()) {
    if (parseAddress(device.address) !== device.address) throw new Error(`not an address: ${device.address}`)
    const before = devices[index - 1]
    if (before && compareAddresses(before.address, device.address) >= 0)
      throw new Error(`${device.address} is out of order`)
    for (const [id, pattern] of [
      [device.vendorId, /^[0-9a-f]{4}$/],
      [device.deviceId, /^[0-9a-f]{4}$/],
      [device.classCode, /^[0-9a-f]{4}(?:[0-9a-f]{2})?$/],
    ] as const)
      if (id !== undefined && !pattern.test(id)) throw new Error(`not an id: ${id}`)
    if (device.config !== undefined && !/^(?:[0-9a-f]{2}){64,4096}$/.test(device.config))
      throw new Error('config is not hex')
  }
  for (const group of groups) if (!Number.isSafeInteger(group.id)) throw new Error(`group ${group.id}`)
  // A value, whole: nothing in it is lost by writing it down.
  expect(JSON.stringify(JSON.parse(JSON.stringify(reading.host)))).toBe(JSON.stringify(reading.host))
}

test(`${runs} mutations of every form`, { timeout: 3_600_000 }, () => {
  const seeds = fuzzSeeds()
  let slowest = 0
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const started = performance.now()
      check(mutate(seeds, seed))
      slowest = Math.max(slowest, performance.now() - started)
    }),
    { numRuns: runs },
  )
  console.log(`${runs} mutations of ${seeds.length} seeds, slowest ${Math.round(slowest)} ms`)
  // No speed is asserted, only that no pattern runs away (those take minutes): machines are shared.
  expect(slowest).toBeLessThan(30_000)
})

const pieces = [
  ...tokens,
  ...[
    'a',
    ' ',
    '0',
    'f:',
    '00:',
    '(',
    '[',
    '[1aaa:',
    '\u001b[',
    '<a ',
    '&',
    '"a" ',
    '├── ',
    ', ',
    '0000:00:00.0/',
    'Group',
    'iommu ',
  ],
  ...['a.', '=', '-', 'VFs: 1, ', '(rev 0', ' \n', '#\n', '---\n', '\t\n'],
]
const heads = [
  '',
  '00:1c.0 PCI bridge [0604]: ',
  '\tCapabilities: [40] ',
  'P: /devices/',
  "<device><capability type='pci'>",
  '{"hardware":',
  'x ',
]
const tails = ['', 'handover: capturf', '}', '[1aaa:0c10]']

test('no pattern runs away on a repeated piece', { timeout: 300_000 }, () => {
  let slowest = { ms: 0, what: '' }
  for (const piece of pieces)
    for (const head of heads)
      for (const tail of tails)
        for (const first of ['', '00:1c.0 PCI bridge [0604]: A [1aaa:0c10]\n\tControl: I/O+\n']) {
          const started = performance.now()
          check(
            new TextEncoder().encode(
              first + head + piece.repeat(Math.ceil((2 * lineCap) / piece.length)) + tail,
            ),
          )
          const ms = performance.now() - started
          if (ms > slowest.ms) slowest = { ms, what: JSON.stringify([first, head, piece, tail]) }
        }
  console.log(`slowest ${Math.round(slowest.ms)} ms: ${slowest.what}`)
  expect(slowest.ms).toBeLessThan(30_000)
})

test(
  'a million lines are read in one pass, and functions beyond the cap are noted, not kept',
  { timeout: 120_000 },
  () => {
    let text = ''
    for (let i = 0; i < 80_000; i += 1)
      text += `${(i >> 13).toString(16).padStart(4, '0')}:${((i >> 5) & 0xff).toString(16).padStart(2, '0')}:${(i & 0x1f).toString(16).padStart(2, '0')}.0 Bridge [0680]: A [1aaa:0001]\n`
    const reading = readHostFrom({ name: 'pasted', bytes: new TextEncoder().encode(text) }, importSystem)
    expect(reading.ok && reading.host.devices.length).toBe(65_536)
    const log = `${'[    1.0] audit: nothing to see here, 0000:00:00 but words\n'.repeat(1_000_000)}pci 0000:00:01.0: Adding to iommu group 1\n`
    const second = readHostFrom({ name: 'pasted', bytes: new TextEncoder().encode(log) }, importSystem)
    expect(second.ok && second.host.groups).toEqual([{ id: 1, devices: ['0000:00:01.0'] }])
  },
)
