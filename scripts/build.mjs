// Bundles the CLI with everything it uses into dist/: users install no dependencies, and the lab gets the same files.
//   --to FOLDER        into another folder, and without the code cache, which differs from build to build (for packages)
//   --libraries FILE   also list what is bundled, as JSON
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { billOfMaterials, bundledPackages, thirdPartyNotices } from './package/bundled.mjs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const { values: asked } = parseArgs({ options: { to: { type: 'string' }, libraries: { type: 'string' } } })
const target = resolve(asked.to ?? new URL('../dist', import.meta.url).pathname)

// zod brings some fifty languages for its messages; ours are written in one, and parsing the rest costs every
// start.
const oneLanguage = {
  name: 'one-language',
  setup(builder) {
    builder.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js"',
    }))
  },
}

// Loading these costs a start several milliseconds, and commands that only look need none of them: each of
// their functions becomes one that loads the real one when it is called. What else they have (classes,
// constants) ends the build where it is imported.
const lazyBuiltIns = {
  name: 'lazy-built-ins',
  setup(builder) {
    // Everything has it already; as a module it would have to be loaded.
    builder.onResolve({ filter: /^node:process$/ }, ({ path }) => ({ path, namespace: 'global' }))
    builder.onLoad({ filter: /./, namespace: 'global' }, () => ({ contents: 'module.exports = process' }))
    builder.onResolve({ filter: /^node:(child_process|crypto|net|zlib)$/ }, ({ path, namespace }) =>
      namespace === 'lazy' ? { path, external: true } : { path, namespace: 'lazy' },
    )
    builder.onLoad({ filter: /./, namespace: 'lazy' }, async ({ path }) => {
      const functions = Object.entries(await import(path)).filter(
        ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name) && name !== 'default',
      )
      const lines = functions.map(
        ([name]) => `export const ${name} = (...args) => require('${path}').${name}(...args)`,
      )
      return { contents: lines.join('\n') }
    })
  },
}

// Packages that `inspect` of a machine does without get files of their own, which leaves half of the bundle
// unread.
const apart = { yaml: 'yaml', zod: 'zod', prompts: '@clack/prompts', xml: '@xmldom/xmldom' }
const packagesApart = {
  name: 'packages-apart',
  setup(builder) {
    for (const [file, name] of Object.entries(apart)) {
      builder.onResolve({ filter: new RegExp(`^${name}$`) }, ({ kind }) =>
        kind === 'entry-point' ? undefined : { path: `./${file}.cjs`, external: true },
      )
    }
  },
}

process.chdir(new URL('..', import.meta.url).pathname)
rmSync(target, { recursive: true, force: true })
/**
 * Files of assets/ are part of the bundle, as text (scripts/raw-text.mjs does the same for programs run from
 * the sources).
 */
const rawText = {
  name: 'raw-text',
  setup(builder) {
    builder.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw',
    }))
    builder.onLoad({ filter: /./, namespace: 'raw' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }))
  },
}

const common = {
  outdir: target,
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // A tool that runs as root should have stack traces a person can read: no minifying.
  minify: false,
  plugins: [oneLanguage, rawText],
  legalComments: 'linked',
  logLevel: 'warning',
}
const library = await build({
  ...common,
  entryPoints: { index: 'src/index.ts' },
  outExtension: { '.js': '.mjs' },
  format: 'esm',
  // What is bundled as CommonJS asks for built-ins with require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
})
// One CommonJS file: every further file and every ES module of it costs a start about a millisecond.
const forStart = {
  ...common,
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  plugins: [...common.plugins, lazyBuiltIns, packagesApart],
  // The launcher makes the function itself, and in such a one import() has nobody who loads: require does the
  // same.
  supported: { 'dynamic-import': false },
  define: { HANDOVER_VERSION: JSON.stringify(manifest.version), 'import.meta.dirname': '__dirname' },
}
const command = await build({ ...forStart, entryPoints: { bundle: 'src/cli/entry.ts', ...apart } })
copyFileSync('scripts/launcher.cjs', join(target, 'handover.cjs'))
chmodSync(join(target, 'handover.cjs'), 0o755)
writeFileSync(
  join(target, 'bundle.cjs'),
  asFunction(inAscii(readFileSync(join(target, 'bundle.cjs'), 'utf8'))),
)

const packages = bundledPackages([library.metafile, command.metafile], process.cwd())
writeFileSync(join(target, 'THIRD-PARTY-LICENSES'), thirdPartyNotices(packages))
writeFileSync(join(target, 'sbom.cdx.json'), billOfMaterials(manifest, packages))
if (asked.libraries !== undefined) writeFileSync(asked.libraries, JSON.stringify(packages))

if (asked.to === undefined) {
  const warmed = spawnSync(process.execPath, ['scripts/warm-cache.mjs', join(target, 'handover.cjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (warmed.status !== 0) process.exit(1)
}

/**
 * The function that Node itself would make of a CommonJS file, for the launcher: made there, it would be a
 * copy of all the text.
 */
function asFunction(text) {
  return `(function (exports, require, module, __filename, __dirname) {${text}\n})`
}

/**
 * esbuild leaves comments and regular expressions as they are; a file of one byte per character is read
 * without decoding.
 */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
