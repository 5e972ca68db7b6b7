// `npm run check`: types, lint, format. What a reviewer should not have to look for.
import { spawnSync } from 'node:child_process'
import { root, installDependencies, checkNode } from './setup.mjs'

checkNode()
installDependencies()
let failed = 0
for (const [name, program, ...args] of [
  ['types', 'node_modules/.bin/tsc', '--noEmit'],
  ['lint', 'node_modules/.bin/oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'node_modules/.bin/prettier', '--check', '--log-level', 'warn', '.'],
]) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  console.log(`${result.status === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  if (result.status === 0) continue
  failed += 1
  console.log(`${result.stdout}${result.stderr}`)
}
process.exit(failed === 0 ? 0 : 1)
