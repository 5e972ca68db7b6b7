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
