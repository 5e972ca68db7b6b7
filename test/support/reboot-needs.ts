/**
 * Hosts that reboot are made of a Debian's own packages: elsewhere their tests skip with the reason, and fail
 * when CI=true.
 */
import { linuxSystem } from '../../src/machine/linux.ts'
import { readFileSync } from 'node:fs'
import { installedSystems, needsOf, type InstalledKind } from '../../src/lab/installed/systems.ts'
import { missingNeeds } from '../../src/images/tools.ts'

export function whyNoReboot(kind: InstalledKind): string | undefined {
  if (process.env['CI'] === 'true') return undefined
  const release = readFileSync('/etc/os-release', 'utf8')
  if (!/^ID=debian$/m.test(release)) return 'this is no Debian'
  const missing = missingNeeds(linuxSystem(), needsOf(installedSystems[kind]))
  if (missing.length === 0 || process.getuid?.() === 0) return undefined
  return `not installed: ${missing.map(({ debianPackage }) => debianPackage).join(' ')}`
}
