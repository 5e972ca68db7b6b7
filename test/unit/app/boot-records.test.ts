/** The boot records on disk: written whole, few of them, and what is done about files that are not ours. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  bootFolder,
  findBoot,
  findLastGood,
  listBoots,
  markGood,
  readBootRecord,
  writeBootRecord,
  type BootEntry,
} from '../../../src/app/boot-records.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { recordOf } from '../../../src/watch/record.ts'
import { device, hostWith } from '../../support/host-builder.ts'
import { put } from '../../support/fake-kernel.ts'
import { tree } from '../../support/sysfs-tree.ts'

const record = (bootId: string) =>
  recordOf(hostWith(device('01:00.0', { group: 1 })), { bootId, at: '2026-01-02T03:04:05Z', given: [] })

function store(files: Readonly<Record<string, string>> = {}) {
  const root = tree(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${bootFolder}/${name}`, text])),
  )
  const system = linuxSystem({ root })
  const boots = (): readonly BootEntry[] => {
    const listed = listBoots(system)
    return listed.ok ? listed.boots : expect.fail(listed.reason)
  }
  return {
    ...{ root, system, boots },
    write: (bootId: string) => writeBootRecord(system, boots(), record(bootId)),
    reason: (bootId: string) => {
      const entry = findBoot(boots(), bootId)
      const read = entry === undefined ? undefined : readBootRecord(system, entry)
      return read?.ok === false ? read.reason : read
    },
    names: () => fs.readdirSync(join(root, bootFolder)),
  }
}

describe('the boot records', () => {
  it('are for root alone, and one for each boot', () => {
    const { root, write, boots, names, system } = store()
    write('a')
    write('b')
    write('a')
    expect(names()).toEqual(['0001-a.json', '0002-b.json'])
    expect(fs.statSync(join(root, bootFolder)).mode & 0o777).toBe(0o700)
    expect(fs.statSync(join(root, bootFolder, '0001-a.json')).mode & 0o777).toBe(0o600)
    const [first] = boots()
    expect(readBootRecord(system, first ?? expect.fail())).toEqual({ ok: true, record: record('a') })
  })

  it('keep the last twenty, and the last good one beyond that', () => {
    const { write, boots, system, names } = store()
    markGood(system, write('good'), 'started')
    for (let number = 2; number <= 30; number += 1) write(`boot${number}`)
    expect(boots().map(({ number }) => number)).toEqual([1, ...Array.from({ length: 20 }, (_, n) => n + 11)])
    expect(findLastGood(boots(), 'boot30')?.bootId).toBe('good')
    markGood(system, findBoot(boots(), 'boot30') ?? expect.fail(), 'started')
    write('boot31')
    expect(names()).not.toContain('0001-good.started')
    expect(names()).toHaveLength(20 + 1)
  })

  it('do not count this boot as good because VMs started in it, but because a person accepted it', () => {
    const { root, write, boots, system } = store()
    markGood(system, write('a'), 'started')
    markGood(system, write('b'), 'started')
    expect(findLastGood(boots(), 'b')?.bootId).toBe('a')
    markGood(system, findBoot(boots(), 'b') ?? expect.fail(), 'accepted')
    expect(findLastGood(boots(), 'b')?.bootId).toBe('b')
    expect(findLastGood(boots(), 'c')?.bootId).toBe('b')
    // What a person accepted in this boot counts before a mark that something else left.
    put(root, `${bootFolder}/9999-x.started`, '')
    expect(findLastGood(boots(), 'b')?.bootId).toBe('b')
  })

  const whole = JSON.stringify(record('a'))
  it.each<[string, string, RegExp]>([
    ['cut short', whole.slice(0, 100), /0001-a\.json is damaged \(/],
    ['empty', '', /is damaged \(/],
    ['of another boot', whole.replace('"bootId":"a"', '"bootId":"b"'), /is the record of another boot$/],
    ['of a newer release', whole.replace('"schema":1', '"schema":2'), /is damaged \(schema: /],
    ['with a prototype', '{"__proto__":{"schema":1}}', /is damaged \(schema: /],
    ['huge', ' '.repeat(9 << 20), /cannot be read \(too-large\)$/],
  ])('are not believed where they are %s', (_, text, reason) => {
    expect(store({ '0001-a.json': text }).reason('a')).toMatch(reason)
  })

  it('are not believed where a folder or a mark stands in their place', () => {
    expect(store({ '0001-a.json/x': '' }).reason('a')).toMatch(/0001-a\.json cannot be read/)
    expect(store({ '0001-a.started': '' }).reason('a')).toMatch(/0001-a\.json cannot be read \(ENOENT\)$/)
  })

  it('leave files alone that are not theirs', () => {
    const files = { '../x': '', '1-a.json': '', '0001-A.json': '', 'notes.txt': '', '0001-a.json.bak': '' }
    expect(store(files).boots()).toEqual([])
  })
})
