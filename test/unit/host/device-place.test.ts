import { describe, expect, it } from 'vitest'
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Reader } from '../../../src/machine/system.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const uevent = (driver: string) => ({ uevent: `DRIVER=${driver}\nPCI_CLASS=20000\nPCI_ID=8086:1521\n` })
const port = pci({ at: 'pci0000:00/0000:00:1c.0', classCode: '060400', files: uevent('pcieport') })
const nics = [0, 1, 2, 3].map((fn) =>
  pci({ at: `pci0000:00/0000:00:1c.0/0000:01:00.${fn}`, files: uevent(`igb${fn}`) }),
)

/** A host as read, and of which functions the bus's link was asked for. */
function read(...parts: TreeEntries[]) {
  const system = linuxSystem({ root: tree(...parts) })
  const asked: string[] = []
  const readLink: Reader['readLink'] = (path) => {
    if (path.startsWith('/sys/bus/pci/devices/')) asked.push(path.slice('/sys/bus/pci/devices/'.length))
    return system.readLink(path)
  }
  return { host: readHost({ ...system, readLink }), asked }
}

describe('the folder of a function', () => {
  it('is beside that of the first of its bus, and no other link is read', () => {
    const { host, asked } = read(port, ...nics)
    expect(host.devices.map(({ path, parent, driver }) => [path, parent, driver])).toEqual([
      ['0000:00/1c.0', undefined, 'pcieport'],
      ...[0, 1, 2, 3].map((fn) => [`0000:00/1c.0/00.${fn}`, '0000:00:1c.0', `igb${fn}`]),
    ])
    expect(asked).toEqual(['0000:00:1c.0', '0000:01:00.0'])
  })

  it('is where the link leads, if it is not there', () => {
    const elsewhere = pci({ at: 'pci0000:00/0000:00:1d.0/0000:01:01.0', files: uevent('elsewhere') })
    const { host, asked } = read(port, ...nics, elsewhere)
    expect(host.devices.at(-1)).toMatchObject({
      path: '0000:00/1d.0/01.0',
      parent: '0000:00:1d.0',
      driver: 'elsewhere',
    })
    expect(asked).toEqual(['0000:00:1c.0', '0000:01:00.0', '0000:01:01.0'])
  })

  it('is found without a uevent, too', () => {
    const bare = [0, 1].map((fn) => pci({ at: `pci0000:00/0000:00:1c.0/0000:01:00.${fn}`, driver: 'igb' }))
    const { host } = read(port, ...bare)
    expect(host.devices.map(({ path, driver }) => [path, driver])).toEqual([
      ['0000:00/1c.0', 'pcieport'],
      ['0000:00/1c.0/00.0', 'igb'],
      ['0000:00/1c.0/00.1', 'igb'],
    ])
    expect(host.findings.filter(({ code }) => code === 'unreadable')).toEqual([])
  })
})

describe('the driver of a function', () => {
  const named = (text: string, driver?: string) => {
    const nic = pci({
      at: 'pci0000:00/0000:00:02.0',
      files: { uevent: text },
      ...(driver === undefined ? {} : { driver }),
    })
    const system = linuxSystem({ root: tree(port, nic) })
    const asked: string[] = []
    const host = readHost({
      ...system,
      readLink: (path) => {
        if (path.endsWith('00:02.0/driver')) asked.push(path)
        return system.readLink(path)
      },
    })
    return {
      driver: host.devices.find(({ address }) => address === '0000:00:02.0')?.driver,
      asked: asked.length,
    }
  }

  it.each([
    ['is what uevent says', 'DRIVER=igb\nPCI_ID=8086:1521\nPCI_SLOT_NAME=0000:00:02.0\n', 'igb', 0],
    [
      'is none where a whole uevent names none',
      'PCI_CLASS=20000\nPCI_ID=8086:1521\nPCI_SLOT_NAME=0000:00:02.0\n',
      null,
      0,
    ],
    ['is what the link says where uevent is cut', 'PCI_CLASS=20000\nPCI_ID=8086:1521\n', 'e1000e', 1],
  ])('%s', (_, text, driver, asked) => {
    expect(named(text, driver === 'e1000e' ? driver : undefined)).toEqual({ driver, asked })
  })
})
