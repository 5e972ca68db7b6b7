/**
 * A command that sees this machine's files read-only: whatever it does, it changes none of them but in the
 * folders named. And the drivers of the machine's PCI functions, which no mount protects.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * In a mount namespace of its own, "/" becomes read-only; the folders before `--` stay as they are. The last
 * test is its proof.
 */
const script = `
mount --make-rprivate / || exit 97
while [ "$1" != -- ]; do mount --bind "$1" "$1" || exit 97; shift; done
shift
mount -o remount,bind,ro / || exit 97
touch /handover-test-may-write 2>/dev/null && exit 98
exec "$@"`

export function onReadOnlyHost(argv: readonly string[], writable: readonly string[]): string[] {
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...writable, '--', ...argv]
}

/** Why this machine cannot do that: it needs root and mount namespaces. */
export function whyNotReadOnly(): string | undefined {
  const [program = '', ...args] = onReadOnlyHost(['true'], [])
  return spawnSync(program, args).status === 0 ? undefined : 'no mount namespace for this user'
}

export function driversOf(): Record<string, string> {
  const folder = '/sys/bus/pci/devices'
  if (!existsSync(folder)) return {}
  return Object.fromEntries(
    readdirSync(folder).map((address) => {
      const link = join(folder, address, 'driver')
      return [address, existsSync(link) ? readlinkSync(link) : '']
    }),
  )
}
