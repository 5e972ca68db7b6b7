#!/usr/bin/env node
// dist/handover.cjs: starts bundle.cjs from the code that V8 made at build time (docs/decisions/0013). V8 refuses that code when
// its version, its flags or the source differ; the bundle is compiled as usual then.
'use strict'
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

// These commands end before optimised code pays. V8 complains about flags that it does not have; these were tried up to Node 24.
const isShort = argv[0] === 'inspect' || argv[0] === 'capture'
const flags = '--no-opt --no-maglev --no-incremental-marking --semi-space-growth-factor=1 --no-parallel-scavenge'
if (require.main !== module) module.exports = { ...bundle.exports, script }
else {
  if (isShort && Number.parseInt(process.versions.node, 10) <= 24) setFlagsFromString(flags)
  void bundle.exports.start(argv, { endsAtOnce: argv[0] === 'inspect' })
}
