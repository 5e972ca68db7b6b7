import { describe, expect, it } from 'vitest'
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Reader } from '../../../src/machine/system.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { pci, tree, type PciEntry, type TreeEntries } from '../../support/sysfs-tree.ts'

type Nic = {
  readonly ids?: string
  readonly revision?: number
  readonly subsystem?: string
  readonly headerType?: number
  readonly statedClass?: string
  readonly driver?: string | null
  readonly config?: Uint8Array
}

function image({
  ids = '8086:1521',
  revision = 1,
  subsystem = '8086:00a1',
  headerType = 0,
}: Nic): Uint8Array {
  const bytes = Buffer.alloc(256)
  const words = [...ids.split(':'), ...subsystem.split(':')].map((word) => Number.parseInt(word, 16))
  for (const [at, word] of words.entries()) bytes.writeUInt16LE(word, [0x00, 0x02, 0x2c, 0x2e][at])
  bytes.writeUInt32LE(0x02000000 | revision, 0x08)
  bytes[0x0e] = headerType
  return bytes
}

const heldBy = (driver: string, at: string): TreeEntries => ({
  [`/sys/bus/pci/drivers/${driver}/${at.split('/').at(-1)}`]: `-> ../../../../devices/${at}`,
})

/** Functions behind ports, eight on a bus, each stating what `what` says of it. */
function functions(count: number, what: (index: number) => Nic = () => ({})) {
  const parts: TreeEntries[] = []
  const listed: TreeEntries[] = [
    { '/sys/bus/pci/drivers/igb/bind': '', '/sys/bus/pci/drivers/igb/module': '-> nowhere' },
  ]
  for (let index = 0; index < count; index++) {
    const nic = what(index)
    const { ids = '8086:1521', subsystem = '8086:00a1', statedClass = '20000', driver = 'igb' } = nic
    const bus = `0000:${(index >> 3).toString(16).padStart(2, '0')}`
    const at = `pci${bus}/${bus}:00.${index & 7}`
    const line = driver === null ? '' : `DRIVER=${driver}\n`
    const uevent = `${line}PCI_CLASS=${statedClass}\nPCI_ID=${ids.toUpperCase()}\nPCI_SUBSYS_ID=${subsystem.toUpperCase()}\n`
    const entry: PciEntry = {
      at,
      group: index,
      config: nic.config ?? image(nic),
      files: { uevent, reset_method: 'flr\n' },
    }
    parts.push(pci(driver === null ? entry : { ...entry, driver }))
    if (driver !== null) listed.push(heldBy(driver, at))
  }
  return { parts, listed }
}

/** The host as `inspect` reads it, and of how many functions `uevent` was read. */
function read(...parts: readonly TreeEntries[]) {
  const system = linuxSystem({ root: tree(...parts) })
  let asked = 0
  const readText: Reader['readText'] = (path, limit) => {
    if (path.endsWith('/uevent')) asked += 1
    return system.readText(path, limit)
  }
  return { host: readHost({ ...system, readText }, undefined, 'verdicts'), asked }
}

describe('functions of one kind', () => {
  it('are asked once where the drivers tell who is held', () => {
    const { parts, listed } = functions(144)
    const each = read(...parts)
    const once = read(...parts, ...listed)
    expect(once.host).toEqual(each.host)
    expect(once.host.devices.at(-1)).toMatchObject({
      vendorId: '8086',
      subsystemId: '00a1',
      driver: 'igb',
      iommuGroup: 143,
    })
    expect([each.asked, once.asked]).toEqual([144, 1])
  })

  it('are asked each on a host of few, where listing the drivers would cost more', () => {
    const { parts, listed } = functions(24)
    expect(read(...parts, ...listed).asked).toBe(24)
  })

  it('are told apart by ids, subsystem, revision and class', () => {
    const kinds: readonly Nic[] = [{}, { ids: '8086:1533' }, { subsystem: '8086:00a2' }, { revision: 2 }]
    const { parts, listed } = functions(160, (index) => kinds[index % kinds.length] ?? {})
    const once = read(...parts, ...listed)
    expect(once.host).toEqual(read(...parts).host)
    expect(once.asked).toBe(kinds.length)
    expect(
      new Set(once.host.devices.map((one) => `${one.deviceId} ${one.subsystemId} ${one.revision}`)).size,
    ).toBe(4)
  })

  it('have the class that the kernel corrected', () => {
    const { parts, listed } = functions(136, (index) =>
      index % 2 === 0 ? { ids: '1022:7912', statedClass: 'c03fe' } : {},
    )
    const { host, asked } = read(...parts, ...listed)
    expect([host.devices[0]?.classCode, host.devices[134]?.classCode, asked]).toEqual(['0c03fe', '0c03fe', 2])
    expect(host.devices[1]?.classCode).toBe('020000')
  })

  it('are not what a bridge, a virtual or silent function, or one without driver or image is taken for', () => {
    const ff = (bytes: number) => Buffer.alloc(256, image({})).fill(0xff, 0, bytes)
    const odd: Readonly<Record<number, Nic>> = {
      130: { driver: null },
      131: { config: ff(4), ids: '8086:1520' },
      132: { config: ff(256) },
      133: { config: Buffer.alloc(16) },
      134: { headerType: 1, subsystem: '8086:00a3', statedClass: '60400' },
      135: { headerType: 1, subsystem: '8086:00a4', statedClass: '60400', config: image({ headerType: 1 }) },
    }
    const { parts, listed } = functions(136, (index) => odd[index] ?? {})
    const once = read(...parts, ...listed)
    expect(once.host).toEqual(read(...parts).host)
    expect(once.asked).toBe(1 + Object.keys(odd).length)
    expect(once.host.devices.slice(130).map((one) => one.driver)).toEqual([
      null,
      'igb',
      'igb',
      'igb',
      'igb',
      'igb',
    ])
  })

  it('are none where an image has other ids than the kernel states', () => {
    const { parts, listed } = functions(136, () => ({ config: image({ ids: '8086:1522' }) }))
    const { host, asked } = read(...parts, ...listed)
    expect([host.devices[135]?.deviceId, asked]).toEqual(['1521', 136])
  })

  it('are found where the link leads, if they are not beside the first of their bus', () => {
    const { parts, listed } = functions(136)
    const at = 'pci0000:00/0000:00:1d.0/0000:00:01.0'
    const uevent = 'DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:1521\nPCI_SUBSYS_ID=8086:00A1\n'
    const moved = pci({
      at,
      driver: 'igb',
      group: 200,
      config: image({}),
      files: { uevent, reset_method: 'bus\n' },
    })
    const once = read(...parts, moved, ...listed, heldBy('igb', at))
    expect(once.host).toEqual(read(...parts, moved).host)
    expect(once.host.devices.find((one) => one.address === '0000:00:01.0')).toMatchObject({
      path: '0000:00/1d.0/01.0',
      resetMethods: ['bus'],
    })
  })
})
