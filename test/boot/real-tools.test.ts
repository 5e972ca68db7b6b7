/**
 * The whole of a trial, a confirmation and a rollback against Debian's own boot tools (overlay.sh says
 * where).
 */
import { spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { labKernel } from '../../src/images/kernel.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { labCache } from '../support/lab.ts'

const repository = resolve(import.meta.dirname, '../..')

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root'
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) return 'no mount namespaces here'
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'no apt here'
  return undefined
}

const reason = missing()

const stories: [what: string, script: string, args: string[], checks: number][] = [
  [
    'GRUB and initramfs-tools: a trial is applied, looked into, confirmed and taken back',
    'real-tools.sh',
    [],
    22,
  ],
  ['systemd-boot, kernel-install and dracut: the same', 'real-entries.sh', ['dracut'], 47],
  ['systemd-boot, kernel-install and initramfs-tools: the same', 'real-entries.sh', ['initramfs-tools'], 39],
]

describe(`with the distribution's own tools${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  it.skipIf(reason !== undefined && process.env['CI'] !== 'true').each(stories)(
    '%s',
    async (_, script, args, atLeast) => {
      expect(reason).toBeUndefined()
      const { vmlinux, release } = await labKernel(linuxSystem(), labCache, () => undefined)
      const result = spawnSync(
        'sh',
        [join(repository, 'test/boot', script), repository, dirname(vmlinux), release, ...args],
        {
          encoding: 'utf8',
          timeout: 580_000,
          maxBuffer: 64 << 20,
        },
      )
      const checks = result.stdout
        .split('\n')
        .filter((line) => line.startsWith('{"what"'))
        .map((line) => JSON.parse(line) as { what: string; ok: boolean; evidence: unknown })
      expect(
        checks.filter(({ ok }) => !ok),
        result.stderr.slice(-2000),
      ).toEqual([])
      expect(result.status, result.stderr.slice(-2000)).toBe(0)
      expect(checks.length).toBeGreaterThanOrEqual(atLeast)
    },
  )
})
