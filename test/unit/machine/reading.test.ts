import { rmSync, symlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { tree } from '../../support/sysfs-tree.ts'

describe('reading inside a root', () => {
  it('never follows a link out of it, however many neighbours were asked about before', () => {
    const folders = Array.from(
      { length: 30 },
      (_, n) => [`/sys/devices/port/dev${n}/uevent`, `N=${n}\n`] as const,
    )
    const root = tree(Object.fromEntries(folders), {
      // On the machine that runs this there is no /moved; inside the root there is.
      '/moved/uevent': 'N=moved\n',
      '/sys/devices/port/dev30': '-> /moved',
      '/sys/devices/port/dev31': '-> ../../../moved',
      '/sys/devices/port/dev32': '-> /etc',
    })
    const system = linuxSystem({ root })
    const texts = Array.from({ length: 33 }, (_, n) => system.readText(`/sys/devices/port/dev${n}/uevent`))
    expect(texts.slice(0, 30)).toEqual(folders.map(([, value]) => ({ ok: true, value })))
    expect(texts.slice(30)).toEqual([
      { ok: true, value: 'N=moved\n' },
      { ok: true, value: 'N=moved\n' },
      { ok: false, reason: 'absent', code: 'ENOENT' },
    ])
    expect(system.readText('/sys/devices/port/dev32/passwd')).toMatchObject({ ok: false, reason: 'absent' })
  })

  it('finds nothing below a folder that is not there, until it is made', () => {
    const root = tree({ '/sys/a': 'x', '/file': 'x' })
    const system = linuxSystem({ root })
    const absent = { ok: false, reason: 'absent' }
    for (const path of ['/etc/x', '/etc/x', '/etc/b/c/d', '/etc/b/c/e', '/file/x', '/file/x/y']) {
      expect(system.readText(path)).toMatchObject(absent)
      expect(system.list(path)).toMatchObject(absent)
      expect(system.readLink(path)).toMatchObject(absent)
      expect(system.stat(path)).toMatchObject(absent)
    }
    system.makeFolder('/etc/b')
    system.writeFile('/etc/b/c', 'there')
    expect(system.readText('/etc/b/c')).toEqual({ ok: true, value: 'there' })
    expect(system.list('/etc/b')).toEqual({ ok: true, value: ['c'] })
  })

  it('sees a folder that became a link since', async () => {
    const root = tree({ '/a/x': 'one', '/b/x': 'two', '/link': '-> /a' })
    const system = linuxSystem({ root })
    expect(system.readText('/link/x')).toEqual({ ok: true, value: 'one' })
    system.makeLink('/link', '/b')
    expect(system.readText('/link/x')).toEqual({ ok: true, value: 'two' })
    await Promise.resolve()
    expect(system.readText('/link/x')).toEqual({ ok: true, value: 'two' })
  })

  it('sees every time what another program changed while it waited', async () => {
    const root = tree({ '/a/d/x': 'one', '/b/x': 'two', '/c/x': 'three' })
    const system = linuxSystem({ root })
    expect(system.readText('/a/d/x')).toEqual({ ok: true, value: 'one' })
    for (const [target, value] of [
      ['/b', 'two'],
      ['/c', 'three'],
      ['/b', 'two'],
    ] as const) {
      rmSync(`${root}/a/d`, { recursive: true })
      symlinkSync(target, `${root}/a/d`)
      await Promise.resolve()
      expect(system.readText('/a/d/x')).toEqual({ ok: true, value })
    }
  })
})

describe('files', () => {
  it('are read whole across reads, up to the limit, and stay what they were', () => {
    const long = Uint8Array.from({ length: 200_000 }, (_, n) => n % 251)
    const page = Uint8Array.from({ length: 4096 }, (_, n) => n % 256)
    const root = tree({
      '/sys/long': long,
      '/sys/page': page,
      '/proc/long': long,
      '/proc/empty': '',
      '/proc/mark': '\ufeffä',
    })
    const system = linuxSystem({ root })
    const first = system.readBytes('/sys/page')
    for (const path of ['/sys/long', '/proc/long']) {
      const read = system.readBytes(path)
      expect(read.ok && Buffer.compare(read.value, long)).toBe(0)
    }
    for (let n = 0; n < 300; n += 1) system.readBytes('/sys/page')
    expect(first.ok && Buffer.compare(first.value, page)).toBe(0)
    expect(system.readBytes('/sys/page', 4096)).toMatchObject({ ok: true })
    expect(system.readBytes('/sys/page', 4095)).toEqual({ ok: false, reason: 'too-large' })
    expect(system.readBytes('/proc/long', 199_999)).toEqual({ ok: false, reason: 'too-large' })
    expect(system.readBytes('/proc/long', 200_000)).toMatchObject({ ok: true })
    expect(system.readText('/proc/empty')).toEqual({ ok: true, value: '' })
    expect(system.readText('/proc/mark')).toEqual({ ok: true, value: 'ä' })
  })

  it('give their beginning, in memory that the next one takes', () => {
    const page = Uint8Array.from({ length: 5000 }, (_, n) => n % 256)
    const root = tree({
      '/sys/a/config': page,
      '/sys/b/config': page.subarray(0, 64),
      '/sys/link': '-> /sys/b/config',
    })
    const { readHead } = linuxSystem({ root })
    const first = readHead?.('/sys/a/config', 4096)
    expect(first?.ok && Buffer.compare(first.value, page.subarray(0, 4096))).toBe(0)
    expect(readHead?.('/sys/link', 4096)).toEqual({ ok: true, value: page.subarray(0, 64) })
    expect(readHead?.('/sys/b/config', 16)).toMatchObject({ ok: true, value: { length: 16 } })
    expect(readHead?.('/sys/a', 4096)).toMatchObject({ ok: false, reason: 'not-a-file' })
    expect(readHead?.('/sys/c', 4096)).toMatchObject({ ok: false, reason: 'absent' })
  })
})
