#!/usr/bin/env node
// dist/handover.cjs: runs one of the bundles beside it, from the code V8 made when the bundle was built. V8 itself refuses such code
// when version, flags or source are other ones; then the bundle is compiled as usual (docs/decisions/0013).
'use strict'
const { closeSync, fstatSync, openSync, readSync } = require('node:fs')
const { Script } = require('node:vm')

const argv = process.argv.slice(2)
const isCommand = require.main === module
/** Both files of a bundle pass through the same memory: every page that is new costs more than what is read into it. */
let room = Buffer.allocUnsafeSlow(2 ** 21)

const isElsewhere = argv.some((arg) => arg.startsWith('--from') || arg.startsWith('--html'))
let bundle = load(argv[0] === 'inspect' && !isElsewhere ? 'inspect' : 'bundle')
// The bundle of inspect alone knows its plain arguments only (src/cli/plain-inspect.ts).
if (bundle.exports.takes?.(argv) === false) bundle = load('bundle')

// After the cached code was taken: flags are part of what it must fit.
if (isCommand && (argv[0] === 'inspect' || argv[0] === 'capture')) setFlags(flags())

if (isCommand) void bundle.exports.start(argv, { endsAtOnce: argv[0] === 'inspect' })
else {
  const { script } = bundle
  const isCacheTaken = script.cachedDataRejected === false
  module.exports = { ...bundle.exports, isCacheTaken, createCachedData: () => script.createCachedData() }
}

function load(name) {
  const path = `${__dirname}/${name}.cjs`
  const script = new Script(bytesOf(path).latin1Slice(), { filename: path, cachedData: cachedData(name) })
  const loaded = { script, exports: {} }
  script.runInThisContext()(loaded.exports, require, loaded, path, __dirname)
  return loaded
}

function cachedData(name) {
  try {
    return bytesOf(`${__dirname}/${name}.cache`)
  } catch {
    return undefined // built without, or removed: only slower
  }
}

/** Good until the next call. */
function bytesOf(file) {
  const fd = openSync(file)
  try {
    const { size } = fstatSync(fd)
    if (size > room.length) room = Buffer.allocUnsafeSlow(size)
    let length = 0
    for (let read = -1; read !== 0; length += read) read = readSync(fd, room, length, room.length - length, null)
    return room.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}

/**
 * `node:v8` loads all of streams for its heap snapshots, two percent of `inspect`. Node's old way to the same function is deprecated
 * and gone in Node 24; there, and wherever it says no, `node:v8` is what is left.
 */
function setFlags(flags) {
  const { noDeprecation } = process
  let v8
  try {
    process.noDeprecation = true // the warning is for who could do without
    v8 = process.binding('v8')
  } catch {
    v8 = require('node:v8')
  } finally {
    process.noDeprecation = noDeprecation
  }
  for (const flag of flags) v8.setFlagsFromString(flag)
}

/**
 * For commands that are over soon (`plan` may search for long): optimised code of both compilers (of patterns, too), marking in
 * small steps and threads for the young generation do not pay, and a young generation that stays small uses memory that is at
 * hand, not new pages. V8 complains about flags it does not have, so only where these were tried.
 */
function flags() {
  const [major] = process.versions.node.split('.')
  if (Number(major) > 24) return []
  return [
    '--no-opt',
    '--no-maglev',
    '--no-incremental-marking',
    '--semi-space-growth-factor=1',
    '--no-parallel-scavenge',
    '--regexp-tier-up-ticks=100',
  ]
}
