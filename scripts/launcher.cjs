#!/bin/sh
':' /* The shell runs this part, and Node skips it.
if ! command -v node >/dev/null 2>&1; then
  echo "error: there is no Node here, and Handover needs 20.19 or newer (PATH is $PATH)" >&2
  if [ -n "${SUDO_USER-}" ]; then
    echo "  help: sudo has a path of its own; keep yours: sudo env \"PATH=\$PATH\" '$0' ..." >&2
  else
    echo "  help: https://nodejs.org, or the Debian package of Handover, which brings its own" >&2
  fi
  exit 2
fi
exec node "$0" "$@"
*/
// dist/handover.cjs: starts bundle.cjs from the code that V8 made at build time (docs/decisions/0013). V8
// refuses that code when its version, its flags or the source differ; the bundle is compiled as usual then.
// An old Node (12 and newer) must be able to read this file, to say that it is old.
'use strict'
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  const way = process.env.SUDO_USER
    ? `sudo has a path of its own; keep yours: sudo env "PATH=$PATH" '${process.argv[1]}' ...`
    : 'https://nodejs.org, or the Debian package of Handover, which brings its own'
  console.error(
    `error: this is Node ${process.versions.node}, and Handover needs 20.19 or newer\n  help: ${way}`,
  )
  process.exit(2)
}
const { existsSync, readFileSync } = require('node:fs')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const argv = process.argv.slice(2)
const filename = `${__dirname}/bundle.cjs`
const cache = `${__dirname}/bundle.cache`
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData })
const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, filename, __dirname)

// These commands end before optimised code pays. V8 complains about flags that it does not have; these were
// tried up to Node 24.
const isShort = argv[0] === 'inspect' || argv[0] === 'capture'
const flags =
  '--no-opt --no-maglev --no-incremental-marking --semi-space-growth-factor=1 --no-parallel-scavenge'
if (require.main !== module) module.exports = { ...bundle.exports, script }
else {
  if (isShort && Number.parseInt(process.versions.node, 10) <= 24) setFlagsFromString(flags)
  void bundle.exports.start(argv, { endsAtOnce: argv[0] === 'inspect' })
}
