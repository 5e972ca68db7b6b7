// `npm test`: everything but the longer suite, in one run: while a lab host starts, the second worker runs other files. The last
// line counts all.
//   npm test                     units, corpus, cases, the lab
//   npm test -- --boot           the longer suite (npm run test:boot)
//   npm test -- --package         the package on a plain Debian that reboots (npm run test:package)
//   npm test -- --units 20       the part that boots no machine, 20 times, each time from another seed
//   npm test -- test/unit/pci    chosen files
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, checkNode, handover, installDependencies, installTestTools, root, step } from './setup.mjs'

const [first, second, ...others] = process.argv.slice(2)
checkNode()
installDependencies()
build()
if (first !== '--units') {
  // Where the lab's needs cannot be had (no apt, no root), its tests skip with that reason on a laptop and
  // fail when CI=true.
  let setup = 0
  step(
    'looking for what the lab needs',
    () => (setup = handover(['lab', 'setup'], { stdio: ['ignore', 2, 2] })),
  )
  if (setup !== 0 && process.env.CI === 'true') process.exit(setup)
}
installTestTools()

const folder = mkdtempSync(join(tmpdir(), 'handover-summary-'))
const total = { passed: 0, failed: 0, skipped: 0 }
const seconds = []
let status = 0

function run(args, environment = {}) {
  const summary = join(folder, 'summary.json')
  rmSync(summary, { force: true })
  const result = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run', ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment, HANDOVER_TEST_SUMMARY: summary },
  })
  if (result.status !== 0) status = 1
  if (!existsSync(summary)) return
  const said = JSON.parse(readFileSync(summary, 'utf8'))
  for (const [key, value] of Object.entries(said.counts)) total[key] += value
  seconds.push(...said.seconds)
}

const begun = Date.now()
if (first === undefined) run(['--project', 'unit', '--project', 'lab'])
else if (first === '--boot') run(['--project', 'boot'])
else if (first === '--package') run(['--project', 'package'])
else if (first === '--units') {
  for (let seed = 1; seed <= Number(second ?? 20); seed++) {
    console.log(`\nseed ${seed}`)
    run(['--project', 'unit', '--reporter', 'dot', '--reporter', './test/support/run-reporter.ts'], {
      HANDOVER_SEED: String(seed),
    })
  }
} else run([first, second, ...others].filter((word) => word !== undefined))
rmSync(folder, { recursive: true, force: true })

if (first === undefined || first === '--boot') printSeconds()
if (total.passed === 0) status = 1
if (total.skipped > 0) console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(status)

/** Where the time went: the longest files, and all of each folder. */
function printSeconds() {
  const folders = new Map()
  for (const [file, spent] of seconds) {
    const name = file.split('/').slice(0, 2).join('/')
    folders.set(name, (folders.get(name) ?? 0) + spent)
  }
  const rows = [...seconds].toSorted((a, b) => b[1] - a[1]).slice(0, 12)
  console.log('\nseconds of the longest files, and of each folder:')
  for (const [name, spent] of [...rows, ...[...folders].toSorted((a, b) => b[1] - a[1])])
    console.log(`${spent.toFixed(1).padStart(8)}  ${name}`)
  console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(8)}  in all\n`)
}
