/** The lab's cache: found again by all that goes into an entry, whole or not at all, safe for two at once. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cached, keyOf, programKey, type CacheEntry } from '../../../src/images/cache.ts'
import { treeKey, writeTree, type TreeEntry } from '../../../src/images/file-tree.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { put, tempTree } from '../../support/fake-kernel.ts'

let root = ''
beforeEach(() => (root = tempTree()))
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const system = linuxSystem()
const cache = () => join(root, 'cache')
const entry: CacheEntry = { kind: 'disks', key: keyOf(['a']) }
let filled = 0
const fill = (text: string) => (folder: string) => {
  filled += 1
  fs.writeFileSync(join(folder, 'image'), text)
  return Promise.resolve()
}
const get = (text = 'made', what = entry) => cached(system, cache(), what, fill(text))
const names = (kind = 'disks') => fs.readdirSync(join(cache(), kind)).toSorted()
const age = (name: string, hours: number) => {
  const then = Date.now() / 1000 - hours * 3600
  fs.utimesSync(join(cache(), 'disks', name), then, then)
}

describe('an entry of the cache', () => {
  beforeEach(() => (filled = 0))

  it('is filled once, and found by the next run', async () => {
    const folder = await get('first')
    expect(await get('second')).toBe(folder)
    expect([filled, fs.readFileSync(join(folder, 'image'), 'utf8')]).toEqual([1, 'first'])
  })

  it('is another where anything that goes into it is', async () => {
    await get('first')
    const other = await get('second', { ...entry, key: keyOf(['b']) })
    expect([filled, fs.readFileSync(join(other, 'image'), 'utf8')]).toEqual([2, 'second'])
    expect(keyOf(['a', 'b'])).not.toBe(keyOf(['ab']))
    expect(keyOf(['a', 'b'])).not.toBe(keyOf(['b', 'a']))
  })

  it('is not there where its making failed, and the next run makes it', async () => {
    const fails = cached(system, cache(), entry, (folder) => {
      fs.writeFileSync(join(folder, 'image'), 'ha')
      return Promise.reject(new Error('no room'))
    })
    await expect(fails).rejects.toThrow('no room')
    expect(names()).toEqual([])
    expect(fs.readFileSync(join(await get('whole'), 'image'), 'utf8')).toBe('whole')
  })

  it('is never seen half-made, and of two runs the first wins', async () => {
    let go: () => void = () => undefined
    const waits = new Promise<void>((done) => (go = done))
    const slow = cached(system, cache(), entry, async (folder) => {
      fs.writeFileSync(join(folder, 'image'), 'slow')
      await waits
    })
    const quick = await get('quick')
    go()
    expect(await slow).toBe(quick)
    expect(fs.readFileSync(join(quick, 'image'), 'utf8')).toBe('quick')
    expect(names()).toEqual([entry.key])
  })

  it('outlives what a killed run left, which is removed when nobody can be at it any more', async () => {
    for (const name of ['x.draft-old', 'x.draft-new'])
      fs.mkdirSync(join(cache(), 'disks', name), { recursive: true })
    age('x.draft-old', 7)
    await get()
    expect(names()).toEqual([entry.key, 'x.draft-new'].toSorted())
  })

  it('stays with the two used last; the others go unless they were used a short while ago', async () => {
    const old = ['k1', 'k2', 'k3', 'k4']
    for (const [index, key] of old.entries()) {
      await get(key, { kind: 'disks', key })
      age(key, 24 - index)
    }
    await get('used again', { kind: 'disks', key: 'k1' })
    await get()
    expect(names()).toEqual([entry.key, 'k1', 'k4'].toSorted())
  })

  it('is left alone by entries of another kind', async () => {
    await get()
    for (const key of ['o1', 'o2', 'o3', 'o4']) await get(key, { kind: 'kernel', key })
    expect(names()).toEqual([entry.key])
    expect(names('kernel')).toHaveLength(4)
  })
})

describe('the key of a tree', () => {
  const file = (more: Partial<Extract<TreeEntry, { kind: 'file' }>> = {}): TreeEntry => ({
    ...{ kind: 'file', path: 'etc/a', content: 'x' },
    ...more,
  })

  it.each<[string, TreeEntry[]]>([
    ['a byte', [file({ content: 'y' })]],
    ['a mode', [file({ mode: 0o600 })]],
    ['a place', [file({ path: 'etc/b' })]],
    ['a link in place of a file', [{ kind: 'link', path: 'etc/a', target: 'x' }]],
    ['a folder more', [file(), { kind: 'folder', path: 'tmp' }]],
    ['nothing at all', []],
  ])('changes with %s', (_, entries) => expect(treeKey(system, entries)).not.toBe(treeKey(system, [file()])))

  it('changes with the bytes and the mode of a file of this machine, and not with its time', () => {
    put(root, '/program', 'one', 0o755)
    const copy: TreeEntry[] = [{ kind: 'copy', path: 'bin/program', from: join(root, 'program') }]
    const first = treeKey(system, copy)
    fs.utimesSync(join(root, 'program'), 1000, 1000)
    expect(treeKey(system, copy)).toBe(first)
    fs.chmodSync(join(root, 'program'), 0o700)
    expect(treeKey(system, copy)).not.toBe(first)
    put(root, '/program', 'two', 0o755)
    expect(treeKey(system, copy)).not.toBe(first)
  })

  it('stands for what is written', () => {
    put(root, '/program', 'one', 0o755)
    const entries: TreeEntry[] = [
      { kind: 'folder', path: 'tmp' },
      file({ path: 'etc/deep/a', mode: 0o640 }),
      { kind: 'link', path: 'sbin/init', target: '/bin/program' },
      { kind: 'copy', path: 'bin/program', from: join(root, 'program') },
    ]
    writeTree(system, entries, join(root, 'tree'))
    const at = (path: string) => join(root, 'tree', path)
    expect(fs.statSync(at('tmp')).isDirectory()).toBe(true)
    expect([fs.readFileSync(at('etc/deep/a'), 'utf8'), fs.statSync(at('etc/deep/a')).mode & 0o777]).toEqual([
      'x',
      0o640,
    ])
    expect(fs.readlinkSync(at('sbin/init'))).toBe('/bin/program')
    expect([fs.readFileSync(at('bin/program'), 'utf8'), fs.statSync(at('bin/program')).mode & 0o777]).toEqual(
      ['one', 0o755],
    )
  })
})

it('a program stands for its bytes, and a missing one for itself', () => {
  expect(programKey(system, 'sh')).toMatch(/^[0-9a-f]{64}$/)
  expect(programKey(system, 'handover-no-such-program')).toBe('no handover-no-such-program')
})
