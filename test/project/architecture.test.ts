import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The table of docs/architecture.md: what a folder may import. Imports point down; nothing below knows what is above. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  pci: [],
  host: ['pci', 'boot', 'system'],
  judge: ['pci', 'host'],
  spec: ['pci'],
  boot: ['pci'],
  plan: ['pci', 'spec', 'host', 'judge', 'boot'],
  picture: ['pci', 'host', 'judge', 'plan'],
  system: [],
  apply: ['pci', 'plan', 'system', 'host', 'boot'],
  vm: ['pci', 'spec', 'plan', 'apply', 'system'],
  lab: ['pci', 'vm', 'system'],
  cli: ['pci', 'host', 'judge', 'spec', 'boot', 'plan', 'picture', 'system', 'apply', 'vm', 'lab'],
}

/** Folders that compute and touch nothing: no built-in module at all. */
const pure = ['pci', 'judge', 'spec', 'boot', 'plan', 'picture', 'host']

/** Built-ins that touch nothing but memory, allowed outside the pure folders too. */
const harmless = ['node:path', 'node:crypto', 'node:zlib', 'node:util']

type Import = { readonly file: string; readonly folder: string; readonly from: string }

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

const imports: Import[] = sources('src').flatMap((file) => {
  const folder = file.split('/')[1] ?? ''
  return [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map((match) => ({
    file,
    folder,
    from: match[1] ?? '',
  }))
})

/** The folder under src/ that a relative import leads to; undefined for files of src/ itself. */
function target({ file, from }: Import): string | undefined {
  const parts = join(file, '..', from).split('/')
  return parts.length > 2 ? parts[1] : undefined
}

describe('the structure', () => {
  it('is read at all', () => {
    expect(imports.length).toBeGreaterThan(300)
    const folders = new Set(imports.map((one) => one.folder).filter((name) => !name.includes('.')))
    expect([...folders].filter((name) => allowed[name] === undefined)).toEqual([])
  })

  it('has imports that point down', () => {
    const wrong = imports.filter((one) => {
      if (!one.from.startsWith('.')) return false
      const to = target(one)
      return to !== undefined && to !== one.folder && allowed[one.folder]?.includes(to) === false
    })
    expect(wrong.map(({ file, from }) => `${file} → ${from}`)).toEqual([])
  })

  it('keeps the pure folders free of built-in modules, and leaves the machine to system/', () => {
    const wrong = imports.filter(({ folder, from, file }) => {
      if (!from.startsWith('node:') || folder === 'system' || file === 'src/index.ts') return false
      return pure.includes(folder) || !harmless.includes(from)
    })
    expect(wrong.map(({ file, from }) => `${file} → ${from}`)).toEqual([])
  })

  it('lets only the command line end the process', () => {
    const exits = sources('src').filter((file) => /process\.exit\b|process\.exitCode/.test(readFileSync(file, 'utf8')))
    expect(exits.filter((file) => !['src/cli/main.ts', 'src/cli/run-process.ts'].includes(file))).toEqual([])
  })

  it('has files a person can read in one sitting', () => {
    const long = sources('src').filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)
    expect(long).toEqual([])
  })
})

it('decisions have a number each', () => {
  const numbers = readdirSync('docs/decisions').map((name) => name.slice(0, 4))
  expect(numbers).toEqual([...new Set(numbers)])
})
