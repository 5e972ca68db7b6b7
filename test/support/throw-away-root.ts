/**
 * A small Debian in a folder, made of the distribution's packages: what is installed there never meets this
 * machine.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

/** Why no such folder can be made here; undefined where one can. */
export function whyNoRoot(): string | undefined {
  if (process.getuid?.() !== 0) return 'it is no root'
  if (release() === undefined) return 'this is no Debian'
  return undefined
}

/** Code name of this machine's Debian. */
function release(): string | undefined {
  const text = readFileSync('/etc/os-release', 'utf8')
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined
}

/** `suite`: the code name of a release; this machine's own when absent. */
export function makeRoot(folder: string, packages: readonly string[], suite = release() ?? ''): void {
  const argv = ['--quiet', '--variant=minbase', `--include=${packages.join(',')}`, suite, folder]
  const done = spawnSync('mmdebstrap', argv, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`mmdebstrap: ${done.error?.message ?? done.stderr}`)
}

export type Done = { readonly status: number | null; readonly out: string; readonly err: string }

/** A shell command in that system, in namespaces of its own. /proc is the namespace's; /sys stays empty. */
export function runInRoot(folder: string, command: string): Done {
  // unshare(1) does not follow links below --root.
  const argv = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    `--root=${realpathSync(folder)}`,
    '--mount-proc',
  ]
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
  }
  const done = spawnSync('unshare', [...argv, 'bash', '-c', command], {
    encoding: 'utf8',
    env,
    timeout: 120_000,
  })
  return { status: done.status, out: done.stdout, err: done.stderr }
}

/** Every path of a tree with its kind, mode, owner and content; `without` names what does not count. */
export function snapshotOf(folder: string, without: RegExp): Record<string, string> {
  const found: Record<string, string> = {}
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path))) {
      const inside = `${path}/${name}`
      if (without.test(inside)) continue
      const stat = lstatSync(join(folder, inside))
      found[inside] =
        `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${contentOf(join(folder, inside), stat)}`
      if (stat.isDirectory()) visit(inside)
    }
  }
  visit('')
  return found
}

function contentOf(path: string, stat: ReturnType<typeof lstatSync>): string {
  if (stat?.isSymbolicLink()) return readlinkSync(path)
  if (stat?.isFile()) return createHash('sha256').update(readFileSync(path)).digest('hex')
  return ''
}
