// Declarations of the library for TypeScript: those that src/index.ts leads to, and zod's, which types are derived from. What is
// written needs no other package but @types/node. `npm run build` has no part in it: only who packs needs them.
//   --to FOLDER   where they go (dist/types when absent)
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const { values: asked } = parseArgs({
  options: { to: { type: 'string', default: join(root, 'dist/types') } },
})
const target = resolve(asked.to)
const zod = join(root, 'node_modules/zod')
const specifier = /\b(from|import)(\s*\(?\s*)(['"])([^'"]+)\3/g

const work = mkdtempSync(join(tmpdir(), 'handover-types-'))
try {
  const argv = ['-p', join(root, 'tsconfig.types.json'), '--outDir', work]
  const compiled = spawnSync(join(root, 'node_modules/.bin/tsc'), argv, {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (compiled.status !== 0) process.exit(1)
  rmSync(target, { recursive: true, force: true })
  copyReachable(join(work, 'index.d.ts'))
  cpSync(join(zod, 'LICENSE'), join(target, 'zod/LICENSE'))
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** A declaration and all that it leads to. */
function copyReachable(entry) {
  const seen = new Set()
  const pending = [entry]
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const written = placeOf(file)
    const text = readFileSync(file, 'utf8').replace(specifier, (whole, word, space, quote, name) => {
      if (name.startsWith('node:')) return whole
      const leads = declarationOf(name, file)
      pending.push(leads)
      if (name.startsWith('.')) return whole
      const path = relative(dirname(written), placeOf(leads)).replace(/\.d\.ts$/, '.js')
      return `${word}${space}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
    })
    mkdirSync(dirname(written), { recursive: true })
    writeFileSync(written, text)
  }
}

function placeOf(file) {
  return file.startsWith(zod) ? join(target, 'zod', relative(zod, file)) : join(target, relative(work, file))
}

function declarationOf(name, file) {
  // zod names parts of itself as its users do.
  const part = /^zod(?:\/([\w/]+))?$/.exec(name)
  if (part) return join(zod, `${part[1] ?? 'index'}.d.ts`)
  const path = join(dirname(file), name.replace(/\.[jt]s$/, '.d.ts'))
  if (name.startsWith('.') && existsSync(path)) return path
  throw new Error(
    `${relative(root, file)} leads to ${name}, which a package without dependencies does not have`,
  )
}
