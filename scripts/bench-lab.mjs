// `npm run bench:lab`: the time of every phase of the seed story, over a few runs. Times of emulated hardware
// on this machine.
import { spawnSync } from 'node:child_process'
import { build, checkNode, handover, installDependencies, root } from './setup.mjs'

checkNode()
installDependencies()
build()
if (handover(['lab', 'setup']) !== 0) process.exit(1)
const runs = Number(process.argv[2] ?? 3)
const results = []
for (let run = 1; run <= runs; run++) {
  process.stderr.write(`run ${run} of ${runs} …\n`)
  const argv = ['dist/handover.cjs', 'lab', 'run', 'lab/home.yaml', '--json']
  const done = spawnSync(process.execPath, argv, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (done.status !== 0) {
    console.error(`run ${run} ended with ${done.status}: npm start shows why`)
    process.exit(1)
  }
  results.push(JSON.parse(done.stdout))
}
const phases = results[0].phases.map((phase) => phase.name)
const row = (name, values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const cells = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((value) =>
    value.toFixed(1).padStart(8),
  )
  console.log(`${name.padEnd(24)}${cells.join('')}`)
}
console.log(
  `seconds over ${runs} runs, ${results[0].accelerator === 'kvm' ? 'KVM' : 'software emulation'} (emulated hardware: the shape, not the speed)`,
)
console.log(`${'phase'.padEnd(24)}${['min', 'median', 'max'].map((word) => word.padStart(8)).join('')}`)
for (const name of phases)
  row(
    name,
    results.map((result) => result.phases.find((phase) => phase.name === name).seconds),
  )
row(
  'in all',
  results.map((result) => result.seconds),
)
