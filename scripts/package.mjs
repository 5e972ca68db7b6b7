// `npm run package`: the Debian package and the npm package, from a clean checkout, without root.
//   --out FOLDER   where they go (out/ when absent)
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, installDependencies, root, step } from './setup.mjs'

checkNode()
installDependencies()
const { makeDeb } = await import('./package/deb.mjs')
const { makeNpm } = await import('./package/npm.mjs')
const { releases } = await import('./package/changelog.mjs')

const { values: asked } = parseArgs({ options: { out: { type: 'string', default: 'out' } } })
const out = resolve(asked.out)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
needPrograms({ 'dpkg-deb': 'dpkg', strip: 'binutils', tar: 'tar' })

mkdirSync(out, { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'handover-package-'))
const made = []
try {
  const built = join(work, 'dist')
  const pages = join(work, 'man')
  const node = (...argv) =>
    execFileSync(process.execPath, argv, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const libraries = join(work, 'libraries.json')
  step('building', () => node('scripts/build.mjs', '--to', built, '--libraries', libraries))
  step('declarations', () => node('scripts/build-types.mjs', '--to', join(built, 'types')))
  step('man pages', () =>
    node('--import', 'tsx', '--import', './scripts/raw-text.mjs', 'scripts/package/man-pages.mjs', pages),
  )
  const packages = JSON.parse(readFileSync(libraries, 'utf8'))
  const parts = { built, pages, packages, manifest, work, out, epoch: sourceDate() }
  step('Debian package', () => made.push(makeDeb(parts)))
  step('npm package', () => made.push(makeNpm(parts)))
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const file of made) console.log(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB`)

/**
 * https://reproducible-builds.org/specs/source-date-epoch/: the commit's time; without git, the day of the
 * release.
 */
function sourceDate() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH)
  const git = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' })
  if (git.status === 0) return Number(git.stdout)
  return Date.parse(releases(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))[0].date) / 1000
}

function needPrograms(packageOf) {
  const missing = Object.keys(packageOf).filter(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error,
  )
  if (missing.length === 0) return
  console.error(`error: not installed here: ${missing.join(', ')}`)
  console.error(`  help: apt install ${missing.map((name) => packageOf[name]).join(' ')}`)
  process.exit(2)
}
