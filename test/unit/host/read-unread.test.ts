/** What a copy of a tree does not hold is not "no": kinds of need that it cannot tell about. */
import { expect, test } from 'vitest'
import { readHost } from '../../../src/host/read/read-host.ts'
import { findJudgement, judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'
import { at } from '../../support/host-builder.ts'

const card = (classCode: string, files: Readonly<Record<string, string>> = {}) =>
  pci({ at: 'pci0000:00/0000:00:05.0', classCode, driver: 'acme', group: 3, files })

const known: TreeEntries = {
  '/proc/self/mountinfo': '',
  '/proc/net/route': '',
  '/proc/bus/input/devices': '',
  '/sys/class/tty/console/active': 'ttyS0\n',
}

const read = (...parts: readonly TreeEntries[]) => {
  const host = readHost(linuxSystem({ root: tree(...parts) }))
  return { unread: host.unreadNeeds ?? [], verdict: findJudgement(judgeHost(host), at('00:05.0'))?.verdict }
}

test('a VGA function without boot_vga leaves the screen open', () => {
  expect(read(known, card('030000')).unread).toContain('display')
  expect(read(known, card('030000')).verdict).toBe('unknown')
  expect(read(known, card('030000', { boot_vga: '0\n' })).unread).not.toContain('display')
})

test('another display does where the framebuffers are not there', () => {
  expect(read(known, card('038000')).unread).toContain('display')
  expect(read(known, card('038000'), { '/sys/class/graphics/': '' }).unread).not.toContain('display')
  expect(read(known, card('030200')).unread).not.toContain('display')
})

test('a serial card in use does where the console is not named', () => {
  const { '/sys/class/tty/console/active': _active, ...without } = known
  expect(read(without, card('070002')).unread).toContain('console')
  expect(read(known, card('070002')).unread).not.toContain('console')
})

const port = pci({
  at: 'pci0000:00/0000:00:06.0',
  classCode: '020000',
  driver: 'e1000e',
  group: 4,
  files: {
    'net/eth0/ifindex': '2\n',
    'net/eth0/address': '52:54:00:00:00:01\n',
    'net/eth0/flags': '0x1003\n',
  },
})

/** More than anybody has, and more than is read: the rest is not "no". */
const crowded = (
  folder: string,
  names: readonly string[],
  texts = (_path: string): string | undefined => undefined,
) => {
  const system = linuxSystem({ root: tree(known, card('010601'), port) })
  const host = readHost({
    ...system,
    list: (path) => (path === folder ? { ok: true, value: names } : system.list(path)),
    readText: (path, limit) => {
      const text = texts(path)
      return text === undefined ? system.readText(path, limit) : { ok: true, value: text }
    },
  })
  return (host.lostNeeds ?? []).map(({ lost, why }) => `${lost}: ${why}`)
}
const many = (count: number, name: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => name(i))

test('entries beyond a limit are lost, and those within it are not', () => {
  const block = (index: number) => `8:${index}`
  expect(crowded('/sys/dev/block', many(20_001, block))).toContain(
    '/sys/dev/block: only its first 20000 entries are read',
  )
  expect(crowded('/sys/dev/block', many(20_000, block)).join('\n')).not.toContain('only its first')
  const mountinfo = (path: string) =>
    /^\/proc\/\d+\/mountinfo$/.test(path) ? `1 1 0:${path.split('/')[2]} / /x rw - tmpfs x rw\n` : undefined
  const process = (index: number) => String(index + 10)
  expect(crowded('/proc', many(2049, process), mountinfo)).toContain(
    '/proc: only its first 2048 entries are read',
  )
  expect(crowded('/proc', many(2048, process), mountinfo).join('\n')).not.toContain('only its first')
  const plan = (index: number) => `${index}.yaml`
  expect(crowded('/etc/netplan', many(2049, plan)).join('\n')).toContain(
    'only its first 2048 entries are read',
  )
})

test('an export whose files cannot be read may export any disk', () => {
  const folder = '/sys/kernel/config/target/core/iblock_1/films'
  const system = linuxSystem({ root: tree(known, card('010601'), { [`${folder}/enable`]: '1\n' }) })
  const lost = (hidden: boolean) =>
    (
      readHost({
        ...system,
        readText: (path, limit) =>
          hidden && path.startsWith(folder)
            ? { ok: false, reason: 'unreadable', code: 'EACCES' }
            : system.readText(path, limit),
      }).lostNeeds ?? []
    ).map(({ what }) => what)
  const what = "export films of the kernel's target (LIO)"
  expect([lost(true), lost(false)].map((all) => all.includes(what))).toEqual([true, true])
})
