// The Debian package, from a built tool: its files in a folder, then dpkg-deb. Needs no root.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { billOfMaterials } from './bundled.mjs'
import { debianChangelog } from './changelog.mjs'
import { debianCopyright, withoutCommonLicence } from './copyright.mjs'
import { pinned, unpackRuntime } from './node-runtime.mjs'

const root = join(import.meta.dirname, '../..')
const read = (name) => readFileSync(join(root, name), 'utf8')
const doc = 'usr/share/doc/handover'
const home = 'usr/lib/handover'

/**
 * `built`: what build.mjs --to made. `pages`: the folder of man pages. `epoch`: the time of every file, in
 * seconds. The name of the package made in `out`.
 */
export function makeDeb({ built, pages, packages, manifest, work, out, epoch }) {
  const tree = join(work, 'deb')
  mkdirSync(tree)
  putTool(tree, built)
  putRuntime(tree, { work, packages, manifest })
  putPages(tree, pages)
  putCompletions(tree)
  putDocuments(tree, manifest)
  putControl(tree, manifest)
  settle(tree, epoch)
  const file = join(out, `handover_${manifest.version}_amd64.deb`)
  // One thread and a light preset: the same bytes on any number of processors, in 10 s in place of 50 s.
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z2', '--threads-max=1', '--build', tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return file
}

/** `lab/` and package.json are read at run time. */
function putTool(tree, built) {
  const commandFiles = readdirSync(built).filter((name) => name.endsWith('.cjs'))
  for (const name of commandFiles) put(tree, `${home}/dist/${name}`, readFileSync(join(built, name)))
  // Only usr/bin/handover starts it, by the package's own Node: what looks for one goes.
  const launcher = readFileSync(join(built, 'handover.cjs'), 'utf8')
  put(tree, `${home}/dist/handover.cjs`, launcher.replace(/^#!.*\n':' \/\*[^]*?\*\/\n/, ''))
  put(tree, `${home}/package.json`, read('package.json'))
  put(tree, `${home}/standing.cjs`, read('packaging/standing.cjs'))
  for (const name of ['warm-cache.mjs', 'sample-tree.mjs'])
    put(tree, `${home}/${name}`, read(`scripts/${name}`))
  cpSync(join(root, 'lab'), join(tree, home, 'lab'), { recursive: true })
  put(tree, 'usr/bin/handover', read('packaging/debian/handover.sh'), 0o755)
  put(tree, 'usr/lib/sysusers.d/handover.conf', read('packaging/debian/handover.sysusers'))
  put(tree, 'usr/lib/tmpfiles.d/handover-folders.conf', read('packaging/debian/handover-folders.tmpfiles'))
}

/** Node, and the papers that name it among everything else that is bundled. */
function putRuntime(tree, { work, packages, manifest }) {
  const folder = join(work, 'runtime')
  mkdirSync(folder)
  const { node, licence } = unpackRuntime(folder)
  put(tree, `${home}/node`, readFileSync(node), 0o755)
  const licenceText = withoutCommonLicence(readFileSync(licence, 'utf8').trim())
  const runtime = { name: pinned.package, ...pinned, licenceText }
  const parts = packages.map(({ name, license, licenceText }) => ({
    ...{ files: [`node_modules/${name}/*`], license, licenceText },
  }))
  const holders = [
    'Node.js contributors',
    'Joyent, Inc. and other Node contributors',
    'the holders named below',
  ]
  const node_ = {
    files: [`${pinned.package}/bin/node`],
    license: 'Node.js',
    licenceText: runtime.licenceText,
    holders,
  }
  const source = manifest.homepage
  put(tree, `${doc}/copyright`, debianCopyright({ source, own: licenceWords(), parts: [...parts, node_] }))
  put(tree, `${doc}/sbom.cdx.json`, billOfMaterials(manifest, [...packages, runtime]))
}

const licenceWords = () =>
  read('LICENSE')
    .replace(/^MIT License\n+/, '')
    .trim()

function putPages(tree, pages) {
  for (const name of readdirSync(pages))
    put(tree, `usr/share/man/man1/${name}.gz`, packed(readFileSync(join(pages, name))))
}

/** As the command itself prints them, run from the tree. */
function putCompletions(tree) {
  const places = {
    bash: 'usr/share/bash-completion/completions/handover',
    zsh: 'usr/share/zsh/vendor-completions/_handover',
    fish: 'usr/share/fish/vendor_completions.d/handover.fish',
  }
  for (const [shell, place] of Object.entries(places)) {
    const argv = [join(tree, home, 'dist/handover.cjs'), 'completion', shell]
    put(tree, place, execFileSync(process.execPath, argv, { encoding: 'utf8' }))
  }
}

function putDocuments(tree, manifest) {
  put(tree, `${doc}/changelog.gz`, packed(debianChangelog(read('CHANGELOG.md'), maintainer(manifest))))
  for (const name of readdirSync(join(root, 'docs')).filter((each) => each.endsWith('.md')))
    put(tree, `${doc}/${name}`, read(`docs/${name}`))
  cpSync(join(root, 'examples'), join(tree, doc, 'examples'), { recursive: true })
  for (const name of readdirSync(join(root, 'schema')))
    put(tree, `usr/share/handover/schema/${name}`, read(`schema/${name}`))
  put(tree, 'usr/share/lintian/overrides/handover', read('packaging/debian/lintian-overrides'))
}

function putControl(tree, manifest) {
  const files = filesBelow(tree)
  const bytes = files.reduce((sum, path) => sum + lstatSync(join(tree, path)).size, 0)
  const sums = files.map((path) => `${md5(readFileSync(join(tree, path)))}  ${path}\n`)
  const values = {
    VERSION: manifest.version,
    SIZE: String(Math.ceil(bytes / 1024)),
    MAINTAINER: maintainer(manifest),
    HOMEPAGE: manifest.homepage,
  }
  put(
    tree,
    'DEBIAN/control',
    read('packaging/debian/control').replaceAll(/@(\w+)@/g, (_, key) => values[key]),
  )
  put(tree, 'DEBIAN/md5sums', sums.join(''))
  for (const name of ['postinst', 'prerm', 'postrm'])
    put(tree, `DEBIAN/${name}`, read(`packaging/debian/${name}`), 0o755)
}

const maintainer = ({ author }) => `${author.name} <${author.email}>`
const md5 = (bytes) => createHash('md5').update(bytes).digest('hex')
/** Without name and time, so equal text gives equal bytes. */
const packed = (text) => gzipSync(text, { level: 9 })

function put(tree, path, content, mode = 0o644) {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), content)
  chmodSync(join(tree, path), mode)
}

function filesBelow(tree, below = '') {
  return readdirSync(join(tree, below), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(tree, join(below, entry.name)) : [join(below, entry.name)],
    )
    .toSorted()
}

/** Modes and times that neither this user's umask nor the clock decides. */
function settle(tree, epoch) {
  for (const entry of readdirSync(tree, { withFileTypes: true })) {
    const path = join(tree, entry.name)
    if (entry.isDirectory()) settle(path, epoch)
    else chmodSync(path, lstatSync(path).mode & 0o100 || isScript(path) ? 0o755 : 0o644)
    utimesSync(path, epoch, epoch)
  }
  chmodSync(tree, 0o755)
  utimesSync(tree, epoch, epoch)
}

function isScript(path) {
  return readFileSync(path).subarray(0, 2).toString('latin1') === '#!'
}
