/** The files of a Debian package under a lower version: what an upgrade begins with. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const olderVersion = '0.0.9'

/** `work`: a folder that is not there yet. */
export function makeOlder(deb: string, older: string, work: string): void {
  dpkgDeb('--raw-extract', deb, work)
  const control = join(work, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${olderVersion}`))
  dpkgDeb('--root-owner-group', '-Zxz', '-z1', '--build', work, older)
  rmSync(work, { recursive: true })
}

function dpkgDeb(...args: readonly string[]): void {
  const done = spawnSync('dpkg-deb', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`dpkg-deb: ${done.error?.message ?? done.stderr}`)
}
