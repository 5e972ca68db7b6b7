// `npm test`: everything, the lab included. First what needs no machine of its own, then the suites that boot one, so that those
// have both cores for themselves. Ends with one line that counts all.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, checkNode, handover, installDependencies, installTestTools, labCache, root } from './setup.mjs'

checkNode()
installDependencies()
build()
// Where the lab's needs cannot be had (no apt, no root), its tests skip with that reason on a laptop and fail when CI=true.
const setup = handover(['lab', 'setup', '--cache', labCache])
if (setup !== 0 && process.env.CI === 'true') process.exit(setup)
installTestTools()

const folder = mkdtempSync(join(tmpdir(), 'handover-test-'))
const total = { passed: 0, failed: 0, skipped: 0 }
let status = 0
const asked = process.argv.slice(2)
const suites = {
  all: [
    ['unit', []],
    ['lab', ['--config', 'vitest.lab.config.ts']],
  ],
  // The longer suite: the distribution's boot tools, and the hosts that reboot.
  boot: [['boot', ['--config', 'vitest.boot.config.ts']]],
  chosen: [['chosen', asked]],
}[asked.length === 0 ? 'all' : asked[0] === '--boot' ? 'boot' : 'chosen']
for (const [name, args] of suites) {
  const summary = join(folder, `${name}.json`)
  const result = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run', ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, HANDOVER_TEST_SUMMARY: summary, HANDOVER_LAB_CACHE: labCache },
  })
  if (result.status !== 0) status = 1
  if (!existsSync(summary)) continue
  for (const [key, value] of Object.entries(JSON.parse(readFileSync(summary, 'utf8')))) total[key] += value
}
rmSync(folder, { recursive: true, force: true })
if (total.passed === 0) status = 1
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(status)
