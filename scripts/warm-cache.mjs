// Writes bundle.cache beside the launcher it is given: V8's code for every function that `inspect` runs,
// taken after running it on a made-up host. The build runs it, and so does the Debian package when it is
// installed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { addSampleNeeds, makeSampleTree } from './sample-tree.mjs'

// A function that has not run for a while loses its code at a collection; flags are part of what the cache
// must fit, so later back.
setFlagsFromString('--no-flush-bytecode')
const path = resolve(process.argv[2])
const launcher = createRequire(import.meta.url)(path)
const root = mkdtempSync(join(tmpdir(), 'handover-build-'))
try {
  // From 128 functions on there is more to run (src/host/read/read-pci.ts).
  makeSampleTree(root, 136)
  addSampleNeeds(root)
  for (const more of [['--json'], ['--table'], []]) await launcher.start(['inspect', '--root', root, ...more])
  setFlagsFromString('--flush-bytecode')
  writeFileSync(join(dirname(path), 'bundle.cache'), launcher.script.createCachedData())
} finally {
  rmSync(root, { recursive: true, force: true })
}
