// How long `./handover inspect` takes, whole process against whole process on the same file tree: one `lspci
// -vvv`, and the shell loop people paste (lspci -nns per device). Trees: the recorded DL360 (226 functions,
// needs ../shared/corpus), and made-up ones of 512 and 4,096 functions. Output of all goes to /dev/null, all
// trees are in the page cache, runs take turns, and ratios are medians over such pairs, so a busy machine
// slows both sides. On a host with kernel modules installed lspci also looks up each function's modules; with
// Debian's 6.1 put in their place that was no slower than without.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { makeSampleTree } from './sample-tree.mjs'
import { build, checkNode, installDependencies, root as project } from './setup.mjs'

const command = join(project, 'handover')
const corpus = join(project, '../shared/corpus/snapshots/hp-dl360g9-vgpu/sysfs.tar.gz')
const work = mkdtempSync(join(tmpdir(), 'handover-bench-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
// A property of some machines, not of the tool: with it Node reads a file of certificates at every start
// (some 30 ms).
delete process.env.NODE_EXTRA_CA_CERTS

checkNode()
installDependencies()
build()
if (spawnSync('lspci', ['--version']).error) {
  console.error('error: there is no lspci to compare with\n  help: apt install pciutils')
  process.exit(1)
}

function timeOf(argv) {
  const started = performance.now()
  const { error } = spawnSync(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'ignore'] })
  if (error) throw error
  return performance.now() - started
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/**
 * Commands by name, run in turns, forwards and backwards: the median time of each in milliseconds, each one's
 * median ratio to `against`, and between what half of these ratios are.
 */
function compare(commands, against, runs) {
  for (const argv of Object.values(commands)) timeOf(argv)
  const rounds = Array.from({ length: runs }, (_, round) => {
    const turns = Object.entries(commands)
    return Object.fromEntries(
      (round % 2 ? turns.reverse() : turns).map(([name, argv]) => [name, timeOf(argv)]),
    )
  })
  return Object.fromEntries(
    Object.keys(commands).map((name) => {
      const ratios = rounds.map((round) => round[name] / round[against]).sort((a, b) => a - b)
      const [low, ratio, high] = [0.25, 0.5, 0.75].map((part) => ratios[Math.floor(ratios.length * part)])
      return [name, { time: median(rounds.map((round) => round[name])), ratio, half: [low, high] }]
    }),
  )
}

function peakMemory(argv) {
  // NODE_OPTIONS takes double quotes away and parts at blanks.
  const hook =
    "data:text/javascript,process.on('exit',()=>process.stderr.write('peak='+process.resourceUsage().maxRSS))"
  const env = { ...process.env, NODE_OPTIONS: `--import ${hook}` }
  const { stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26, env })
  return Number(/peak=(\d+)\s*$/.exec(stderr)?.[1] ?? Number.NaN) / 1024
}

const missed = []

/** One line per goal of the benchmark: what was measured, and whether that is enough. */
function goal(what, measured, isMet, wanted) {
  console.log(`  ${isMet ? 'met    ' : 'NOT MET'} ${what}: ${measured} (goal: ${wanted})`)
  if (!isMet) missed.push(what)
}

const shellLoop =
  'for d in "$1"/sys/kernel/iommu_groups/*/devices/*; do n=${d#*/iommu_groups/}; printf "IOMMU Group %s " "${n%%/*}"; lspci -O sysfs.path="$1"/sys/bus/pci -nns "${d##*/}"; done'

/**
 * What no program on Node can be faster than: start, and open the files of every function that `inspect`
 * reads.
 */
const readingAlone = `
const fs = require('node:fs'), sys = process.argv[1] + '/sys', bytes = Buffer.alloc(65536)
for (const name of fs.readdirSync(sys + '/bus/pci/devices')) {
  const folder = sys + fs.readlinkSync(sys + '/bus/pci/devices/' + name).slice(8)
  for (const file of ['uevent', 'config', 'reset_method']) {
    let fd
    try { fd = fs.openSync(folder + '/' + file, 'r') } catch { continue }
    fs.readSync(fd, bytes, 0, 512, null)
    fs.closeSync(fd)
  }
  try { fs.readlinkSync(folder + '/iommu_group') } catch {}
}`

/** `pairs`: how often `inspect --json` and lspci alone take turns, which the goal is held to. */
function measure(name, root, { pairs, most }) {
  const lspci = { 'lspci -vvv': ['lspci', '-vvv', '-O', `sysfs.path=${root}/sys/bus/pci`] }
  const others = {
    inspect: [command, 'inspect', '--root', root],
    'node -e 0': [process.execPath, '-e', '0'],
    'node, only reads': [process.execPath, '-e', readingAlone, root],
  }
  const beside = compare({ ...lspci, ...others }, 'lspci -vvv', Math.min(pairs, 15))
  const json = { 'inspect --json': [command, 'inspect', '--json', '--root', root] }
  const results = { ...beside, ...compare({ ...json, ...lspci }, 'lspci -vvv', pairs) }
  console.log(`\n${name}`)
  for (const [what, { time, ratio }] of Object.entries(results))
    console.log(
      `  ${what.padEnd(16)} ${time.toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)} times lspci -vvv`,
    )
  const ours = results['inspect --json']
  const half = ours.half.map((ratio) => ratio.toFixed(2)).join(' and ')
  const told = `${ours.ratio.toFixed(3)}, half of ${pairs} pairs between ${half}`
  goal('against lspci -vvv', told, ours.ratio <= most, `at most ${most}`)
  const memory = peakMemory([command, 'inspect', '--json', '--root', root])
  goal('peak memory', `${memory.toFixed(0)} MiB`, memory < 200, 'under 200 MiB')
  return ours.time
}

function measureLoop(root) {
  const commands = {
    ours: [command, 'inspect', '--json', '--root', root],
    loop: ['sh', '-c', shellLoop, 'sh', root],
  }
  const { loop } = compare(commands, 'ours', 3)
  goal(
    'shell loop of lspci -nns',
    `${loop.ratio.toFixed(1)} times ours`,
    loop.ratio >= 10,
    'at least 10 times',
  )
}

/** Calls of the library in a process of their own: milliseconds of each, and of processor time. */
const libraryCalls = `
const { judgeHost, linuxSystem, readHost } = await import(process.argv[1])
const calls = []
for (let run = 0; run < 24; run++) {
  const [started, before] = [performance.now(), process.cpuUsage()]
  judgeHost(readHost(linuxSystem({ root: process.argv[2] }), undefined, process.argv[3]))
  const { user, system } = process.cpuUsage(before)
  calls.push([performance.now() - started, (user + system) / 1000])
}
console.log(JSON.stringify(calls))`

/**
 * Nothing runs beside it that a busy machine would slow as well, and a machine is busy for seconds: several
 * processes one after the other. Processor time shows how busy it was. `detail` as in
 * src/host/read/read-config.ts.
 */
function timeLibrary(root, detail) {
  const library = pathToFileURL(join(project, 'dist/index.mjs')).href
  const argv = ['--input-type=module', '-e', libraryCalls, library, root, detail]
  const rounds = Array.from({ length: 7 }, () =>
    JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' })),
  )
  const first = median(rounds.map(([call]) => call[0]))
  const later = rounds.map((calls) => calls.slice(1))
  const usual = median(later.flat().map(([time]) => time))
  const processor = median(later.flat().map(([, time]) => time))
  const byRound = later.map((calls) => median(calls.map(([time]) => time)).toFixed(0)).join(' ')
  const best = Math.min(...later.flat().map(([time]) => time))
  const told = `first ${first.toFixed(0)} ms, then ${usual.toFixed(0)} ms (by process: ${byRound}; ${processor.toFixed(0)} ms of processor time), at best ${best.toFixed(0)} ms`
  return { usual, told }
}

/**
 * With everything, as `plan` reads; beside it the call that `inspect` makes, which leaves out what no verdict
 * rests on.
 */
function measureLibrary(root) {
  const { usual, told } = timeLibrary(root, 'all')
  goal('library call, 226 functions', told, usual < 50, 'usually under 50 ms')
  console.log(`          without BARs and driver overrides: ${timeLibrary(root, 'verdicts').told}`)
}

if (existsSync(corpus)) {
  const root = join(work, 'dl360')
  mkdirSync(root)
  execFileSync('tar', ['-C', root, '-xzf', corpus])
  measure('DL360, 226 functions', root, { pairs: 15, most: 4 })
  measureLoop(root)
  measureLibrary(root)
} else console.log('the DL360 tree is not there (../shared/corpus)')
// Single pairs differ by some six percent; the median of 41 is good for one percent.
const times = [512, 4096].map((count) => {
  const root = join(work, `made-up-${count}`)
  makeSampleTree(root, count)
  return measure(`made-up server, ${count} functions`, root, { pairs: count > 1000 ? 7 : 41, most: 1.2 })
})
const growth = times[1] / times[0]
goal('8 times the functions', `${growth.toFixed(1)} times as long`, growth <= 8.5, 'linear')
console.log(missed.length === 0 ? '\nall goals met' : `\nnot met: ${missed.join('; ')}`)
