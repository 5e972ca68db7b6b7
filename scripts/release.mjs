// `npm run release`: checks that everything says the same, builds the packages twice to the same bytes, and
// puts them with their hashes into out/. Publishes nothing.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { checkNode, installDependencies, root, step } from './setup.mjs'

checkNode()
installDependencies()
const { disagreements } = await import('./package/agree.mjs')
const { version, man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const npmName = `handover-${version}.tgz`
const debName = `handover_${version}_amd64.deb`
const problems = []
const work = mkdtempSync(join(tmpdir(), 'handover-release-'))
try {
  step('comparing versions', () => problems.push(...disagreements(root)))
  step('generating documents', () => problems.push(...staleDocuments()))
  const [first, second] = ['first', 'second'].map((name) => join(work, name))
  for (const folder of [first, second]) step(`building into ${basename(folder)}`, () => packageInto(folder))
  step('looking into the packages', () => problems.push(...differences(first, second), ...contents(first)))
  if (problems.length === 0) deliver(first)
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const problem of problems) console.error(`error: ${problem}`)
process.exit(problems.length === 0 ? 0 : 1)

/** Documents and schemas that are written from the sources, and whatever else is not committed. */
function staleDocuments() {
  execFileSync('npm', ['run', '--silent', 'docs:spec'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const changed = output('git', 'status', '--porcelain').trimEnd()
  return changed === '' ? [] : changed.split('\n').map((line) => `not committed: ${line.slice(3)}`)
}

function packageInto(folder) {
  const argv = [join(root, 'scripts/package.mjs'), '--out', folder]
  const done = spawnSync(process.execPath, argv, { cwd: root, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
}

function differences(first, second) {
  return readdirSync(first).flatMap((name) => {
    const isSame = readFileSync(join(first, name)).equals(readFileSync(join(second, name)))
    return isSame ? [] : [`${name} differs between two builds`]
  })
}

function contents(folder) {
  const deb = join(folder, debName)
  const inDeb = output('dpkg-deb', '--contents', deb)
  const inNpm = output('tar', '-tzf', join(folder, npmName))
  const found = []
  for (const page of man) {
    if (!inDeb.includes(`/man1/${basename(page)}.gz\n`))
      found.push(`${debName} has no page ${basename(page)}`)
    if (!inNpm.includes(`package/${page}\n`)) found.push(`${npmName} has no ${page}`)
  }
  const pages = (text) => text.match(/man1?\/handover[\w-]*\.1/g)?.length
  if (pages(inDeb) !== man.length || pages(inNpm) !== man.length)
    found.push('there are pages that package.json does not name')
  for (const name of readdirSync(join(root, 'schema')))
    if (!inDeb.includes(`/schema/${name}\n`) || !inNpm.includes(`/schema/${name}\n`))
      found.push(`schema/${name} is not in both`)
  if (output('dpkg-deb', '--field', deb, 'Version').trim() !== version)
    found.push(`${debName} says another version`)
  if (/\.cache$/m.test(`${inDeb}${inNpm}`)) found.push('there is a code cache in a package')
  const lintian = spawnSync('lintian', ['--allow-root', '--fail-on=error,warning', deb], { encoding: 'utf8' })
  if (lintian.error) found.push('lintian is not installed: apt install lintian')
  else if (lintian.status !== 0) found.push(...lintian.stdout.trim().split('\n'))
  return found
}

function deliver(folder) {
  const out = join(root, 'out')
  mkdirSync(out, { recursive: true })
  const sums = readdirSync(folder).map((name) => {
    copyFileSync(join(folder, name), join(out, name))
    return `${createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')}  ${name}\n`
  })
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''))
  console.log(sums.join('').trimEnd())
}

function output(program, ...args) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
}
