// What both `npm start` and `npm test` do first: dependencies, build. Uses nothing but Node itself.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Node old or missing pieces: one clear line, exit code 2. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`error: this is Node ${process.versions.node}, and Handover needs 20.19 or newer`)
  console.error('  help: https://nodejs.org, or your distribution (Debian 13 has it)')
  process.exit(2)
}

/** `npm ci` when the lock file changed since the last time; a marker inside node_modules remembers. */
export function installDependencies() {
  const marker = join(root, 'node_modules', '.handover-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return
  step('installing the npm dependencies', () => {
    const result = spawnSync(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    )
    if (result.status === 0) return
    console.error(`${result.stdout}${result.stderr}`)
    console.error('error: npm ci did not work; the lines above say why')
    process.exit(1)
  })
  writeFileSync(marker, lock)
}

/** Programs that only tests use, by the Debian package that has each. */
const testTools = {
  ...{ shellcheck: 'shellcheck', ip: 'iproute2' },
  ...{ lintian: 'lintian', strip: 'binutils', mmdebstrap: 'mmdebstrap', unshare: 'util-linux' },
}

/**
 * Installs missing ones when root on a Debian-like system; elsewhere the tests that need them skip and say
 * so.
 */
export function installTestTools() {
  const isMissing = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined
  const packages = Object.entries(testTools).flatMap(([program, name]) => (isMissing(program) ? [name] : []))
  if (packages.length === 0 || process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) return
  step(`installing from the distribution: ${packages.join(' ')}`, () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const argv = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
    spawnSync('apt-get', argv, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  })
}

export function build() {
  step('building', () =>
    execFileSync(process.execPath, ['scripts/build.mjs'], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  )
}

/** Runs a step and says how long it took. */
export function step(name, work) {
  const begun = Date.now()
  process.stderr.write(`${name} …`)
  work()
  process.stderr.write(` ${((Date.now() - begun) / 1000).toFixed(1)} s\n`)
}

/** Runs the built tool; its exit code. */
export function handover(args, options = {}) {
  const result = spawnSync(process.execPath, [join(root, 'dist/handover.cjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  })
  return result.status ?? 1
}
