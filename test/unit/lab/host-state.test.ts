import { describe, expect, it } from 'vitest'
import { changedPaths } from '../../../src/lab/installed/host-state.ts'

const facts = (...lines: readonly string[]) => new Set(lines)
const before = facts(
  'bytes aa /etc/fstab',
  'mode 644 0:0 /etc/fstab',
  'mode 644 0:0 /etc/a name with blanks',
  'link /vmlinuz boot/vmlinuz',
  'rest 10 1700000000.1 644 /usr/bin/ls',
)

describe('what changed on an installed host', () => {
  it('is nothing when every fact is the same', () =>
    expect(changedPaths(before, new Set(before))).toEqual([]))

  it.each([
    ['other bytes', 'bytes aa /etc/fstab', 'bytes bb /etc/fstab', '/etc/fstab'],
    [
      'another mode',
      'mode 644 0:0 /etc/a name with blanks',
      'mode 600 0:0 /etc/a name with blanks',
      '/etc/a name with blanks',
    ],
    ['another target', 'link /vmlinuz boot/vmlinuz', 'link /vmlinuz boot/other', '/vmlinuz'],
    [
      'another time',
      'rest 10 1700000000.1 644 /usr/bin/ls',
      'rest 10 1700000001.1 644 /usr/bin/ls',
      '/usr/bin/ls',
    ],
  ])('is told by its path: %s', (_, old, now, path) => {
    const after = new Set([...before].map((line) => (line === old ? now : line)))
    expect(changedPaths(before, after)).toEqual([path])
  })

  it('is a path that came or went', () => {
    expect(changedPaths(before, facts(...[...before].slice(2), 'bytes cc /etc/new'))).toEqual([
      '/etc/fstab',
      '/etc/new',
    ])
  })
})
