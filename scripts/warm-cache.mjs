// Writes dist/bundle.cache: V8's code for every function that `inspect` runs, taken after running it on a made-up host.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { addSampleNeeds, makeSampleTree } from './sample-tree.mjs'

// A function that has not run for a while loses its code at a collection; flags are part of what the cache must fit, so later back.
setFlagsFromString('--no-flush-bytecode')
const launcher = createRequire(import.meta.url)('../dist/handover.cjs')
const root = mkdtempSync(join(tmpdir(), 'handover-build-'))
try {
  // From 128 functions on there is more to run (src/host/read/read-pci.ts).
  makeSampleTree(root, 136)
  addSampleNeeds(root)
  for (const more of [['--json'], ['--table'], []]) await launcher.start(['inspect', '--root', root, ...more])
  setFlagsFromString('--flush-bytecode')
  writeFileSync(new URL('../dist/bundle.cache', import.meta.url), launcher.script.createCachedData())
} finally {
  rmSync(root, { recursive: true, force: true })
}
