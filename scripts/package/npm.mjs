// The npm package, as a tarball: the built tool with man pages and notices, and no code cache of one Node
// version.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The path of the tarball made in `out`. */
export function makeNpm({ built, pages, manifest, work, out }) {
  const tree = join(work, 'npm')
  mkdirSync(tree)
  for (const name of manifest.files.filter((each) => !each.startsWith('!') && each !== 'dist'))
    cpSync(join(root, name), join(tree, name), { recursive: true })
  cpSync(built, join(tree, 'dist'), { recursive: true })
  cpSync(pages, join(tree, 'dist/man'), { recursive: true })
  // What only a checkout can do stays there.
  const { scripts: _scripts, devDependencies: _dev, ...published } = manifest
  writeFileSync(join(tree, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  const argv = ['pack', '--ignore-scripts', '--silent', '--pack-destination', out]
  const name = execFileSync('npm', argv, { cwd: tree, encoding: 'utf8' }).trim()
  return join(out, name)
}
