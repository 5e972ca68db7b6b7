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

// After the cached code was taken: flags are part of what it must fit.
if (isCommand && (name === 'inspect' || process.argv[2] === 'capture'))
  for (const flag of flags()) setFlagsFromString(flag)

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

/**
 * For commands that are over soon (`plan` may search for long): optimised code (of patterns, too), marking in small steps and threads for the young
 * generation do not pay, and a young generation that stays small uses memory that is at hand, not new pages. V8 complains about
 * flags it does not have, so only where these were tried.
 */
function flags() {
  const [major] = process.versions.node.split('.')
  if (Number(major) > 24) return []
  return [
    '--no-opt',
    '--no-incremental-marking',
    '--semi-space-growth-factor=1',
    '--no-parallel-scavenge',
    '--regexp-tier-up-ticks=100',
  ]
}
