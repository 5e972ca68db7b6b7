import { linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPaths } from '../../../src/host/read/read-paths.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { tree } from '../../support/sysfs-tree.ts'

const disk = 'pci0000:00/0000:00:17.0/ata1/host0/block/sdm'
const root = () =>
  tree({
    '/dev/sdm': '',
    '/dev/sdm7': '',
    '/dev/disk/by-id/ata-attic-part7': '-> ../../sdm7',
    '/srv/vm/alias.raw': '-> /dev/sdm',
    '/srv/images': '-> /srv/vm',
    '/srv/vm/real.qcow2': 'x',
    [`/sys/devices/${disk}/sdm7/partition`]: '7\n',
    '/sys/class/block/sdm': `-> ../../devices/${disk}`,
    '/sys/class/block/sdm7': `-> ../../devices/${disk}/sdm7`,
  })

describe('what is at the paths of a spec', () => {
  it('a block device, by whatever link it is named', () => {
    const asked = readPaths(linuxSystem({ root: root() }), [
      '/srv/vm/alias.raw',
      '/dev/disk/by-id/ata-attic-part7',
    ])
    expect(asked).toEqual([
      { path: '/srv/vm/alias.raw', kind: 'block', real: '/dev/sdm', block: 'sdm', whole: 'sdm' },
      {
        path: '/dev/disk/by-id/ata-attic-part7',
        kind: 'block',
        real: '/dev/sdm7',
        block: 'sdm7',
        whole: 'sdm',
      },
    ])
  })

  it('a node made by hand, by the number the kernel gives it', () => {
    const place = tree({ '/srv/disk.img': '', '/sys/dev/block/8:192': `-> ../../devices/${disk}` })
    const reader = { ...linuxSystem({ root: place }), nodeNumber: () => 'block 8:192' }
    expect(readPaths(reader, ['/srv/disk.img'])).toMatchObject([
      { kind: 'block', block: 'sdm', whole: 'sdm' },
    ])
    const nobody = { ...linuxSystem({ root: place }), nodeNumber: () => 'block 9:9' }
    expect(readPaths(nobody, ['/srv/disk.img'])).toEqual([
      { path: '/srv/disk.img', kind: 'block', real: '/srv/disk.img' },
    ])
  })

  it('a file by what it is, and what is absent by where it would be', () => {
    const place = root()
    linkSync(join(place, 'srv/vm/real.qcow2'), join(place, 'srv/other.qcow2'))
    mkdirSync(join(place, 'srv/vm/folder'))
    symlinkSync('round', join(place, 'srv/round'))
    const asked = [
      '/srv/images/real.qcow2',
      '/srv/other.qcow2',
      '/srv/images/new.raw',
      '/srv/vm/folder',
      '/srv/round',
    ]
    const [first, second, ...rest] = readPaths(linuxSystem({ root: place }), asked)
    expect(first).toMatchObject({ kind: 'file', real: '/srv/vm/real.qcow2' })
    expect(first?.inode).toBeDefined()
    expect(second?.inode).toBe(first?.inode)
    expect(rest.map(({ kind, real }) => [kind, real])).toEqual([
      ['absent', '/srv/vm/new.raw'],
      ['folder', '/srv/vm/folder'],
      ['unreadable', '/srv/round'],
    ])
  })
})
