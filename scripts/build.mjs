// Bundles the CLI with everything it uses into dist/: users install no dependencies, and the lab gets the same files.
import { build } from 'esbuild'
import { readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

// zod brings some fifty languages for its messages; ours are written in one, and parsing the rest costs every start.
const oneLanguage = {
  name: 'one-language',
  setup(builder) {
    builder.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js"',
    }))
  },
}

process.chdir(new URL('..', import.meta.url).pathname)
rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: { handover: 'src/cli/entry.ts', index: 'src/index.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  define: { HANDOVER_VERSION: JSON.stringify(version) },
  // A tool that runs as root should have stack traces a person can read: no minifying.
  minify: false,
  plugins: [oneLanguage],
  legalComments: 'linked',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
const launcher = '#!/usr/bin/env node\nimport("./handover.mjs")\n'
writeFileSync('dist/handover.js', launcher)
chmodSync('dist/handover.js', 0o755)
