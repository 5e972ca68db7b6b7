import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeCpio } from '../../../src/images/cpio.ts'
import { workFolder } from '../../../src/machine/work-folder.ts'

const busybox = workFolder.findProgram('busybox')

describe('initramfs archives', () => {
  it.skipIf(busybox === undefined && !process.env['CI'])(
    'are unpacked by a real cpio (needs busybox)',
    () => {
      const archive = writeCpio([
        { kind: 'file', path: 'a/b/odd.txt', content: Buffer.from('12345'), mode: 0o750 },
        { kind: 'link', path: 'a/link', target: 'b/odd.txt' },
        { kind: 'file', path: 'empty', content: new Uint8Array() },
      ])
      expect(archive.length % 4).toBe(0)
      const folder = mkdtempSync(join(tmpdir(), 'handover-cpio-'))
      try {
        const done = spawnSync(busybox ?? 'busybox', ['cpio', '-i', '-d'], { cwd: folder, input: archive })
        expect(done.status).toBe(0)
        expect(readFileSync(join(folder, 'a/b/odd.txt'), 'utf8')).toBe('12345')
        expect(statSync(join(folder, 'a/b/odd.txt')).mode & 0o777).toBe(0o750)
        expect(readlinkSync(join(folder, 'a/link'))).toBe('b/odd.txt')
        expect(statSync(join(folder, 'empty')).size).toBe(0)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
