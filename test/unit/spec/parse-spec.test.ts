import { describe, expect, it } from 'vitest'
import * as fc from '../../support/random.ts'
import { virtualMac } from '../../../src/spec/virtual-mac.ts'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { placeOf } from '../../../src/spec/places.ts'

const small = (rest = '') => `version: 1\nvms:\n  firewall:\n    memory: 192 MiB\n${rest}`

describe('a spec', () => {
  it('becomes a value with units as numbers and defaults filled in', () => {
    const { spec, findings } = parseSpec(
      small(
        `    kernel: { image: /k, cmdline: quiet }
    devices:
      wan: { class: nic, card: quad, port: 1, mac: "52:54:00:AA:BB:CC", address: "01:00.0", slot: 3 }
    ready: { tcp: "[fd00::1]:22", within: 2 min }
`,
      ),
      'home.yaml',
    )
    expect(findings).toEqual([])
    expect(spec).toEqual({
      version: 1,
      host: { keep: [], giveUp: [], reserveMiB: 1024 },
      vms: [
        {
          name: 'firewall',
          engine: 'qemu',
          cpus: 1,
          memoryMiB: 192,
          firmware: 'bios',
          kernel: { image: '/k', cmdline: 'quiet' },
          disks: [],
          networks: [],
          devices: [
            {
              role: 'wan',
              select: {
                class: 'nic',
                card: 'quad',
                port: 1,
                mac: '52:54:00:aa:bb:cc',
                address: '0000:01:00.0',
                physicalSlot: '3',
              },
            },
          ],
          needs: [],
          ready: { check: { kind: 'tcp', host: '[fd00::1]', port: 22 }, withinSeconds: 120 },
          autostart: true,
          guest: 'other',
          vnc: false,
        },
      ],
    })
  })

  it('takes a MAC address with dashes, and a number as a part of a name', () => {
    const device = (keys: string) =>
      parseSpec(small(`    devices: { a: { ${keys} } }\n`), 'home.yaml').spec?.vms[0]?.devices[0]?.select
    expect(device('mac: 52-54-00-AA-BB-CC')).toEqual({ mac: '52:54:00:aa:bb:cc' })
    expect(device('mac: 52-54:00-AA-BB-CC')).toBeUndefined()
    expect(device('name: 82599')).toEqual({ name: '82599' })
  })

  it.each([
    ['network', 'nic'],
    ['HBA', 'storage'],
    ['ssd', 'nvme'],
    ['graphics', 'gpu'],
    ['nik', 'nic'],
  ])('answers the class %s with the one that is meant: %s', (word, meant) => {
    const { findings } = parseSpec(small(`    devices: { a: { class: ${word} } }\n`), 'home.yaml')
    expect(findings.map(({ help }) => help)).toEqual([
      `did you mean ${meant}? class is one of nic, storage, nvme, gpu, usb, audio, other`,
    ])
  })

  it('keeps the order of the file for VMs and roles', () => {
    const { spec } = parseSpec(
      'version: 1\nvms:\n  zebra: { memory: 1 GiB }\n  ant: { memory: 1 GiB, devices: { z: { class: nic }, a: { class: gpu } } }\n',
      'x',
    )
    expect(spec?.vms.map((vm) => vm.name)).toEqual(['zebra', 'ant'])
    expect(spec?.vms[1]?.devices.map((d) => d.role)).toEqual(['z', 'a'])
  })

  it('knows where everything stands', () => {
    const { places } = parseSpec(small('    devices:\n      wan: { class: nic }\n'), 'home.yaml')
    expect(placeOf(places, ['vms', 'firewall', 'devices', 'wan', 'class'])).toEqual({
      file: 'home.yaml',
      line: 6,
      column: 21,
      length: 3,
    })
    expect(placeOf(places, ['vms', 'firewall', 'devices', 'wan'], 'key')).toEqual({
      file: 'home.yaml',
      line: 6,
      column: 7,
      length: 3,
    })
    expect(placeOf(places, ['vms', 'firewall', 'iso'])).toMatchObject({ line: 3, column: 3 })
  })
})

describe('a wrong spec', () => {
  it.each([
    [
      'an unknown key near a known one',
      small('    cpu: 2\n'),
      'spec-unknown-key',
      5,
      5,
      'did you mean cpus?',
    ],
    [
      'an unknown key far from all',
      small('    qwertyuiop: 2\n'),
      'spec-unknown-key',
      5,
      5,
      'the keys here are memory, cpus',
    ],
    [
      'a number without unit',
      'version: 1\nvms:\n  a:\n    memory: 16\n',
      'spec-value',
      4,
      13,
      'such as 512 MiB or 16 GiB',
    ],
    ['half a mebibyte', 'version: 1\nvms:\n  a:\n    memory: 0.3 GiB\n', 'spec-value', 4, 13, '1.5 GiB'],
    [
      'a class near a known one',
      small('    devices: { w: { class: nik } }\n'),
      'spec-value',
      5,
      28,
      'did you mean nic?',
    ],
    ['a missing key', 'version: 1\nvms:\n  a: { cpus: 1 }\n', 'spec-value', 3, 3, 'add it'],
    ['a role with nothing said', small('    devices:\n      wan: {}\n'), 'spec-value', 6, 7, 'class: nic'],
    [
      'a role that is only a port',
      small('    devices:\n      wan: { port: 1 }\n'),
      'spec-value',
      6,
      7,
      'class: nic',
    ],
    ['a role with nothing at all', small('    devices:\n      wan:\n'), 'spec-value', 6, 11, 'such as class'],
    [
      'an address that is none',
      small('    devices: { w: { address: 1:2 } }\n'),
      'spec-value',
      5,
      30,
      '0000:01:00.0',
    ],
    [
      'a needed VM that is missing',
      small('    needs: [firewal]\n'),
      'spec-value',
      5,
      13,
      'did you mean firewall?',
    ],
    [
      'two readiness checks',
      small('    ready: { ping: a, report: true }\n'),
      'spec-value',
      5,
      5,
      'exactly one',
    ],
    ['a time without unit', small('    ready: { ping: a, within: 60 }\n'), 'spec-value', 5, 31, '60 s'],
    [
      'a giveaway that is never allowed',
      'version: 1\nhost: { give-up: [root] }\nvms:\n  a: { memory: 1G }\n',
      'spec-value',
      2,
      19,
      'only boot-display',
    ],
    ['a tab', 'version: 1\nvms:\n\ta: {}\n', 'spec-syntax', 3, 1, undefined],
    ['a key twice', 'version: 1\nversion: 1\n', 'spec-syntax', 2, 1, undefined],
    ['nothing', '', 'spec-syntax', 1, 1, 'start with'],
    ['the wrong version', 'version: 2\nvms: { a: { memory: 1G } }\n', 'spec-value', 1, 10, 'version is 1'],
    ['no VM', 'version: 1\nvms: {}\n', 'spec-value', 2, 6, 'add a VM'],
    ['a list', '- a\n', 'spec-value', 1, 1, 'a map with'],
  ])('%s is found at its place', (_, text, code, line, column, help) => {
    const { spec, findings } = parseSpec(text, 'home.yaml')
    expect(spec).toBeUndefined()
    expect(findings[0]).toMatchObject({ code, severity: 'error', at: { file: 'home.yaml', line, column } })
    if (help !== undefined) expect(findings[0]?.help).toContain(help)
  })

  it('reports everything wrong at once, in the order of the text', () => {
    const { findings } = parseSpec(
      'version: 1\nvms:\n  a:\n    memory: 5\n    cpu: 1\n    devices: { w: { clas: nic }, v: { class: gpo } }\n',
      'x',
    )
    expect(findings.map((f) => [f.code, f.at?.line])).toEqual([
      ['spec-value', 4],
      ['spec-unknown-key', 5],
      ['spec-unknown-key', 6],
      ['spec-value', 6],
    ])
  })

  it('checks the rest as well when a shape is wrong', () => {
    const text =
      'version: 1\nvms:\n  a:\n    memory: 5\n    cpus: no\n    needs: [b]\n    ready: {}\n    devices: { w: { clas: nic } }\n  LAN: {}\n'
    expect(parseSpec(text, 'x').findings.map((f) => [f.code, f.at?.line])).toEqual([
      ['spec-value', 4],
      ['spec-value', 5],
      ['spec-value', 6],
      ['spec-value', 7],
      ['spec-unknown-key', 8],
      ['spec-value', 9],
    ])
  })

  it('names a round of needs once', () => {
    const vm = (name: string, needs: string) => `  ${name}: { memory: 1G, needs: [${needs}] }\n`
    const { findings } = parseSpec(
      `version: 1\nvms:\n${vm('a', 'b')}${vm('b', 'c')}${vm('c', 'a')}${vm('d', 'a')}`,
      'x',
    )
    expect(findings.map((f) => f.message)).toEqual(['these VMs wait for each other: a → b → c → a'])
  })

  it.each([
    ['deep nesting', '['.repeat(200_000)],
    ['deep maps', '{a: '.repeat(50_000)],
    [
      'many aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefgh'[i]},`.repeat(9)}]`)
        .join('\n')}\nversion: 1\n`,
    ],
    ['a huge text', 'x'.repeat(3_000_000)],
    ['a proto key', 'version: 1\n__proto__: { vms: 1 }\nvms: { constructor: { memory: 1G } }\n'],
  ])('%s ends in findings, never in an exception', (_, text) => {
    const { spec, findings } = parseSpec(text, 'x')
    if (findings.length === 0) expect(spec?.vms.map((vm) => vm.name)).toEqual(['constructor'])
  })

  it('answers any text with a spec or an error', () => {
    const yaml = fc.oneof(
      fc.string(),
      fc.string().map((s) => small(s)),
      fc.json(),
      fc.json().map((j) => small(`    devices: ${j}\n`)),
    )
    fc.assert(
      fc.property(yaml, (text) => {
        const { spec, findings } = parseSpec(text, 'x')
        expect(spec === undefined).toBe(findings.some((f) => f.severity === 'error'))
      }),
      { numRuns: 300 },
    )
  })
})

describe('virtual ports', () => {
  const macs = (yaml: string) =>
    parseSpec(yaml, 'home.yaml').spec?.vms.map(({ networks }) => networks.map(({ mac }) => mac))
  const three = (extra = '') =>
    `version: 1\nvms:\n  one: { memory: 1 GiB, networks: [{ bridge: br0 }, { bridge: br0 }] }\n  two: { memory: 1 GiB, networks: [{ bridge: br1${extra} }] }\n`

  it('that are given no MAC have one each, made of the name and locally administered, the same every time', () => {
    const [one = [], two = []] = macs(three()) ?? []
    const all = [...one, ...two]
    expect(new Set(all).size).toBe(3)
    for (const mac of all) expect(mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
    expect(macs(three())).toEqual([one, two])
    expect(macs('version: 1\nvms:\n  two: { memory: 1 GiB, networks: [{ bridge: x }] }\n')).toEqual([two])
  })

  it('of which one is written with the MAC that would be made for another never meet', () => {
    const [[taken] = []] = macs(three()) ?? []
    const [one = [], two] = macs(three(`, mac: "${taken?.toUpperCase() ?? ''}"`)) ?? []
    expect(two).toEqual([taken])
    expect(one).not.toContain(taken)
  })

  it.each([
    [
      'a MAC that another port has',
      three(', mac: "52:54:00:aa:bb:01" }, { bridge: br1, mac: "52:54:00:AA:BB:01"'),
      'is already the address of a port of two',
    ],
    ['a group address', three(', mac: "53:54:00:aa:bb:01"'), 'is a group address'],
  ])('refuse %s', (_, yaml, words) =>
    expect(
      parseSpec(yaml, 'home.yaml')
        .findings.map(({ message }) => message)
        .join(),
    ).toContain(words),
  )

  it('of ten thousand VMs are all different', () => {
    const taken = new Set<string>()
    for (let i = 0; i < 10_000; i++) taken.add(virtualMac(`vm-${i}`, 0, new Set()))
    expect(taken.size).toBe(10_000)
  })
})
