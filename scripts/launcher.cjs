#!/usr/bin/env node
// dist/handover.cjs: runs the bundle beside it, from the code V8 made when the bundle was built. V8 itself refuses such code
// when version, flags or source are other ones; then the bundle is compiled as usual (docs/decisions/0013).
'use strict'
const { readFileSync } = require('node:fs')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

// Commands are over before optimised code has paid for its making, which took a third of the processor time of `inspect`.
setFlagsFromString('--no-opt')

const path = `${__dirname}/bundle.cjs`
const parameters = 'exports, require, module, __filename, __dirname'
const script = new Script(`(function (${parameters}) {${readFileSync(path, 'latin1')}\n})`, {
  filename: path,
  cachedData: cachedData(),
})
const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, path, __dirname)

function cachedData() {
  try {
    return readFileSync(`${__dirname}/bundle.cache`)
  } catch {
    return undefined // built without, or removed: only slower
  }
}

if (require.main === module) void bundle.exports.start(process.argv.slice(2))
else {
  const isCacheTaken = script.cachedDataRejected === false
  module.exports = { ...bundle.exports, isCacheTaken, createCachedData: () => script.createCachedData() }
}
