/** Two boots of one host: what is different, in words, and which VM must not start. */
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { compareBoots, type Difference } from '../../../src/watch/compare.ts'
import { bootRecordSchema, recordOf, type BootSituation } from '../../../src/watch/record.ts'
import { differenceWords } from '../../../src/watch/words.ts'
import { at, device, host, need, rootPort, type DeviceFacts } from '../../support/host-builder.ts'

const given = [
  { vm: 'firewall', address: at('01:00.0') },
  { vm: 'media', address: at('02:00.0') },
]
const boot: BootSituation = { bootId: 'then', at: '2026-01-02T03:04:05Z', given }

const vfio = { driver: 'vfio-pci' }
const nic = (facts: DeviceFacts = {}) =>
  device('01:00.0', {
    ...{ kind: 'nic', group: 1, ...vfio, path: '0000:00/1c.0/00.0', link: { speed: '8.0 GT/s', width: 4 } },
    ...facts,
  })
const controller = (facts: DeviceFacts = {}) =>
  device('02:00.0', { kind: 'storage', group: 2, ...vfio, ...facts })
const disk = (facts: DeviceFacts = {}) => device('00:17.0', { kind: 'storage', group: 7, ...facts })
const ports = [rootPort('00:1c.0', 1, { group: 10 }), rootPort('00:1c.1', 2, { group: 11 })]
const root = [need('00:17.0', '/', ['sda2'])]

function machine(devices: readonly PciDevice[], facts: Partial<Host> = {}): Host {
  return host([...ports, ...devices], { needs: root, ...facts })
}

const before = machine([nic(), controller(), disk()])

function differences(now: Host, more: Partial<BootSituation> = {}, then = before): readonly Difference[] {
  const today = { ...boot, bootId: 'now', ...more }
  return compareBoots(recordOf(then, boot), recordOf(now, today))
}
function said(now: Host, more: Partial<BootSituation> = {}, then = before): string[] {
  return differences(now, more, then).map((one) => {
    const unsafe = one.unsafeFor.length === 0 ? '' : ` [${one.unsafeFor.join(', ')} stays down]`
    return differenceWords(one) + unsafe
  })
}

describe('a record', () => {
  it('is what its schema reads back, and knows the functions that matter', () => {
    const record = recordOf(before, { ...boot, firmware: { version: '1.2' }, qemu: '10.0' })
    expect(bootRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record)
    expect(record.functions.map(({ address, use }) => [address, use.kind])).toEqual([
      ['0000:01:00.0', 'vm'],
      ['0000:02:00.0', 'vm'],
      ['0000:00:17.0', 'host'],
    ])
    expect(record.groups).toEqual([{ devices: ['0000:01:00.0'] }, { devices: ['0000:02:00.0'] }])
  })

  it('leaves out what was not read', () => {
    const { kernel: _, ...bare } = machine([device('01:00.0', { group: 1 })])
    const [fn] = recordOf({ ...bare, kernel: {} }, boot).functions
    expect(Object.keys(fn ?? {})).not.toContain('link')
    expect(Object.keys(recordOf({ ...bare, kernel: {} }, boot))).not.toContain('kernel')
  })
})

describe('what makes no start unsafe', () => {
  it('nothing changed: nothing is said', () => {
    expect(said(before)).toEqual([])
  })

  it('another kernel, other arguments, firmware and QEMU', () => {
    const then = recordOf(before, { ...boot, firmware: { vendor: 'Acme', version: '1' }, qemu: '9.2' })
    const next = machine([nic(), controller(), disk()], {
      kernel: { release: '6.12.0', cmdline: 'BOOT_IMAGE=/vmlinuz-6.12.0 intel_iommu=on iommu=pt' },
    })
    const today = { ...boot, firmware: { vendor: 'Acme', version: '2' }, qemu: '10.0' }
    const found = compareBoots(then, recordOf(next, today))
    expect(found.map(differenceWords)).toEqual([
      'kernel: 6.1.0 → 6.12.0',
      'kernel arguments: with iommu=pt',
      'firmware: Acme 1 → Acme 2',
      'QEMU: 9.2 → 10.0',
    ])
    expect(found.flatMap(({ unsafeFor }) => unsafeFor)).toEqual([])
  })

  it.each([
    ['intel_iommu=on', 'intel_iommu=on quiet', 'kernel arguments: with quiet'],
    ['a=1 b', 'b', 'kernel arguments: without a=1'],
    ['a a', 'a', 'kernel arguments: without a'],
    ['iommu=on iommu=off', 'iommu=off iommu=on', 'kernel arguments: in another order: iommu=off iommu=on'],
    ['BOOT_IMAGE=/a initrd=x y', 'initrd=z BOOT_IMAGE=/b y', ''],
  ])('arguments %s → %s', (old, now, words) => {
    const kernel = (cmdline: string) => machine([nic()], { kernel: { release: '6.1.0', cmdline } })
    expect(said(kernel(now), {}, kernel(old)).join()).toBe(words)
  })

  it.each<[string, DeviceFacts, string]>([
    [
      'a narrower link',
      { link: { speed: '8.0 GT/s', width: 1 } },
      '0000:01:00.0: link: 8.0 GT/s x4 → 8.0 GT/s x1',
    ],
    ['a link that cannot be read', { link: {} }, ''],
    ['one of two resets left', { resetMethods: ['bus'] }, '0000:01:00.0: reset: flr, bus → bus'],
    ['another driver', { driver: 'e1000e' }, '0000:01:00.0: driver: vfio-pci → e1000e'],
    ['no driver', { driver: null }, '0000:01:00.0: driver: vfio-pci → none'],
    ['another number of its group', { group: 30 }, ''],
  ])('%s', (_, facts, words) => {
    expect(said(machine([nic(facts), controller(), disk()])).join()).toBe(words)
  })

  it('the same device in another place, by its serial', () => {
    const serial = { deviceSerialNumber: '0011223344556677' }
    const then = machine([nic(serial)])
    const now = machine([nic({ ...serial, path: '0000:00/1d.0/00.0' })])
    expect(said(now, {}, then)).toEqual([
      '0000:01:00.0: the device is in another place: 0000:00/1c.0/00.0 → 0000:00/1d.0/00.0',
    ])
  })

  it('a group that gained a bridge and something that nothing uses', () => {
    const idle = device('00:1b.0', { kind: 'audio', group: 1, driver: null })
    const above = rootPort('00:1c.0', 1, { group: 1 })
    const now = host([above, nic(), controller(), disk(), idle], { needs: root })
    expect(said(now)).toEqual([
      'the IOMMU group of 0000:01:00.0 gained 0000:00:1b.0 and 0000:00:1c.0, which nothing else uses',
    ])
  })

  it('a function that the plan did not hand over then', () => {
    const then = { ...boot, given: given.slice(1) }
    const gone = machine([controller(), disk()])
    expect(compareBoots(recordOf(before, then), recordOf(gone, boot))).toEqual([])
  })

  it('a device of the host that is another one now', () => {
    expect(said(machine([nic(), controller(), disk({ deviceId: '1234' })]))).toEqual([
      '0000:00:17.0: another device stands there now: 8086:1234; before: 8086:2922',
    ])
  })
})

describe('what keeps a VM down, and no other', () => {
  it('its group gained the disk of the host', () => {
    expect(said(machine([nic(), controller(), disk({ group: 2 })]))).toEqual([
      'the IOMMU group of 0000:02:00.0 gained 0000:00:17.0, which the host uses (/ and driver ahci) ' +
        '[media stays down]',
    ])
  })

  it('the device is missing', () => {
    const [only, ...more] = differences(machine([nic(), disk()]))
    expect(more).toEqual([])
    expect(only).toEqual({
      ...{ kind: 'missing', about: ['0000:02:00.0'], before: ['8086:2922'], unsafeFor: ['media'] },
    })
    expect(said(machine([nic(), disk()]))[0]).toMatch(/^0000:02:00\.0: the device is not there any more/)
    expect(said(before, {}, machine([nic(), disk()]))).toEqual([])
  })

  it('its group gained a function that a lost need could end at, or that could not be read', () => {
    const lostNeeds: Host['lostNeeds'] = [
      {
        ...{ kind: 'disk', what: '/srv', chain: ['dm-3'], lost: 'dm-3', why: 'dm-3 cannot be followed' },
        couldBe: [at('00:1b.0')],
      },
    ]
    const other = (facts: DeviceFacts) => device('00:1b.0', { kind: 'storage', group: 2, ...facts })
    const now = (facts: DeviceFacts, more: Partial<Host> = {}) =>
      said(machine([nic(), controller(), disk(), other(facts)], more))
    const gained =
      'the IOMMU group of 0000:02:00.0 gained 0000:00:1b.0, and whether the host uses it is not known'
    expect(now({ driver: null }, { lostNeeds })).toEqual([
      `${gained} (/srv: dm-3 cannot be followed) [media stays down]`,
    ])
    const { driver: _, ...unread } = other({})
    expect(said(machine([nic(), controller(), disk(), unread]))).toEqual([
      `${gained} (its driver cannot be read) [media stays down]`,
    ])
    const screen = device('00:1b.0', { kind: 'gpu', group: 2, driver: null })
    expect(said(machine([nic(), controller(), disk(), screen], { unreadNeeds: ['display'] }))).toEqual([
      `${gained} (where the screen of the host is cannot be read) [media stays down]`,
    ])
    const platform = { id: 2, devices: [at('02:00.0')], otherMembers: ['fd000000.usb'] }
    const groups = [...before.groups.filter(({ id }) => id !== 2), platform]
    expect(said({ ...before, groups })).toEqual([
      'the IOMMU group of 0000:02:00.0 gained fd000000.usb, and whether the host uses it is not known ' +
        '(nothing was read of it) [media stays down]',
    ])
  })

  it('its group gained the device of another VM: neither starts', () => {
    expect(said(machine([nic(), controller({ group: 1 }), disk()]))).toEqual([
      'the IOMMU group of 0000:01:00.0 gained 0000:02:00.0, which media has [firewall stays down]',
      'the IOMMU group of 0000:02:00.0 gained 0000:01:00.0, which firewall has [media stays down]',
    ])
  })

  it('a member that nothing used is used by the host now', () => {
    const sibling = (driver: string | null) => device('02:00.1', { kind: 'audio', group: 2, driver })
    const then = machine([nic(), controller(), disk(), sibling(null)])
    const now = machine([nic(), controller(), disk(), sibling('snd_hda_intel')])
    expect(said(now, {}, then)).toEqual([
      'the IOMMU group of 0000:02:00.0 has 0000:02:00.1, which the host uses now (driver snd_hda_intel) ' +
        '[media stays down]',
      '0000:02:00.1: driver: none → snd_hda_intel',
    ])
    expect(said(now, {}, now)).toEqual([])
  })

  it('there is no IOMMU group any more', () => {
    const { iommuGroup: _, ...bare } = controller()
    expect(said(machine([nic(), bare, disk()]))).toEqual([
      '0000:02:00.0: there is no IOMMU group any more [media stays down]',
    ])
  })

  it('another device at its address: by ids, by serial, or by the place where no serial decides', () => {
    const now = (facts: DeviceFacts) => said(machine([nic(facts), controller(), disk()]))
    expect(now({ deviceId: '1521' })).toEqual([
      '0000:01:00.0: another device stands there now: 8086:1521; before: 8086:10d3 ' +
        '[firewall stays down]',
    ])
    expect(now({ path: '0000:00/1d.0/00.0' })[0]).toMatch(/another device .*\[firewall stays down\]$/)
    const serial = (deviceSerialNumber: string) => nic({ deviceSerialNumber })
    const swapped = said(machine([serial('aa')]), {}, machine([serial('bb')]))
    expect(swapped[0]).toMatch(/now: 8086:10d3, aa; before: 8086:10d3, bb \[firewall stays down\]$/)
  })

  it.each<[string, DeviceFacts, string]>([
    ['all of them', { resetMethods: [] }, 'flr → none'],
    ['but power', { resetMethods: ['pm'] }, 'flr → pm'],
  ])('a reset that is gone: %s', (_, facts, words) => {
    // On a root bus there is no reset of the bus.
    const card = (more: DeviceFacts = {}) => device('00:05.0', { group: 1, ...vfio, ...more })
    const of = { ...boot, given: [{ vm: 'firewall', address: at('00:05.0') }] }
    const then = recordOf(machine([card({ resetMethods: ['flr'] })]), of)
    const [only] = compareBoots(then, recordOf(machine([card(facts)]), of))
    expect(only).toMatchObject({ kind: 'reset', unsafeFor: ['firewall'] })
    expect(differenceWords(only ?? expect.fail())).toBe(`0000:00:05.0: reset: ${words}`)
  })

  it('a bus reset that a new neighbour takes away', () => {
    const card = nic({ resetMethods: ['bus'] })
    const beside = device('01:00.1', { kind: 'audio', group: 9, driver: null, path: '0000:00/1c.0/00.1' })
    const found = said(machine([card, beside]), {}, machine([card]))
    expect(found).toEqual(['0000:01:00.0: reset: bus → together [firewall stays down]'])
  })

  it('a kernel whose quirks are not known is no reset that is gone', () => {
    const card = nic({ vendorId: '1b21', deviceId: '1164', resetMethods: ['bus'] })
    const on = (release: string) => machine([card], { kernel: { release } })
    expect(said(on('6.8.0-45-generic'), {}, on('6.12.74'))).toEqual([
      'kernel: 6.12.74 → 6.8.0-45-generic',
      '0000:01:00.0: reset: bus → unknown',
    ])
  })
})

describe('records from outside', () => {
  const record = recordOf(before, boot)
  it.each<[string, unknown]>([
    ['another schema', { ...record, schema: 2 }],
    ['a boot id with a path', { ...record, bootId: '../../etc/passwd' }],
    ['no functions', { ...record, functions: undefined }],
    ['an address that is none', { ...record, given: [{ vm: 'a', address: '01:00' }] }],
    ['the name of a VM with a path', { ...record, given: [{ vm: '../a', address: '0000:01:00.0' }] }],
    ['a use that is none', { ...record, functions: [{ ...record.functions[0], use: { kind: 'mine' } }] }],
    ['more than any machine has', { ...record, given: Array(5000).fill(record.given[0]) }],
    ['a list', []],
    ['null', null],
  ])('%s is refused', (_, value) => {
    expect(bootRecordSchema.safeParse(value).success).toBe(false)
  })
})
