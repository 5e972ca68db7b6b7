#!/usr/bin/env node
// dist/handover.cjs: runs one of the bundles beside it, from the code V8 made when the bundle was built. V8 itself refuses such code
// when version, flags or source are other ones; then the bundle is compiled as usual (docs/decisions/0013).
'use strict'
const { readFileSync } = require('node:fs')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const name = process.argv[2] === 'inspect' ? 'inspect' : 'bundle'
const path = `${__dirname}/${name}.cjs`
const script = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData: cachedData() })

const isCommand = require.main === module

// These are over before optimised code and marking in small steps have paid for their making, which took a third of their
// processor time. After the cached code was taken: flags are part of what it must fit. `plan` may search for long.
if (isCommand && (name === 'inspect' || process.argv[2] === 'capture'))
  for (const flag of ['--no-opt', '--no-incremental-marking']) setFlagsFromString(flag)

const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, path, __dirname)

function cachedData() {
  try {
    return readFileSync(`${__dirname}/${name}.cache`)
  } catch {
    return undefined // built without, or removed: only slower
  }
}

if (isCommand) void bundle.exports.start(process.argv.slice(2))
else {
  const isCacheTaken = script.cachedDataRejected === false
  module.exports = { ...bundle.exports, isCacheTaken, createCachedData: () => script.createCachedData() }
}
