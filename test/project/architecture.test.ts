import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

type Row = { readonly folder: string; readonly isPure: boolean; readonly imports: readonly string[] }

const page = readFileSync('docs/architecture.md', 'utf8')
const names = (cell: string) => [...cell.matchAll(/`([a-z][a-z/]*)`/g)].map(([, name]) => name ?? '')

/**
 * The table of docs/architecture.md: a folder under src/, what it owns, and what it may import. `pure` stands
 * beside its name.
 */
const rows: readonly Row[] = [...page.matchAll(/^\| `([a-z/]+)\/`( pure)? \|[^|]*\|([^|]*)\|$/gm)].map(
  ([, folder = '', pure, imports = '']) => ({ folder, isPure: pure !== undefined, imports: names(imports) }),
)

/** Built-ins that touch nothing but memory, allowed outside the pure folders too. */
const harmless = ['node:path', 'node:crypto', 'node:zlib', 'node:util']

/** Source lines over 110 columns; this number only falls. */
const longLines = 14

type Import = { readonly file: string; readonly from: string }

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

const files = sources('src')

const imports: readonly Import[] = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, from = '']) => ({
    file,
    from,
  })),
)

/** A file belongs to the deepest folder that has a row. */
function rowOf(file: string): Row | undefined {
  return rows
    .filter(({ folder }) => file.startsWith(`src/${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)[0]
}

/** What is wrong with one import by the table; undefined when nothing is. */
function wrongWith({ file, from }: Import): string | undefined {
  const row = rowOf(file)
  // The one file at the top is what an outsider imports: it passes on what all folders have.
  if (row === undefined) return file.split('/').length === 2 ? undefined : `${file} has no row`
  if (from.startsWith('node:')) {
    if (row.folder === 'machine' || (!row.isPure && harmless.includes(from))) return undefined
    return `${file} → ${from}`
  }
  if (!from.startsWith('.')) return undefined
  const path = join(file, '..', from)
  if (!path.startsWith('src/')) return undefined
  const to = rowOf(path)
  return to === row || (to !== undefined && row.imports.includes(to.folder)) ? undefined : `${file} → ${path}`
}

/** Functions of a file with more lines than forty; empty lines do not count. */
function longFunctions(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const lines = node
        .getText()
        .split('\n')
        .filter((line) => line.trim() !== '').length
      const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined)
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      if (lines > 40) found.push(`${file}:${line + 1} ${named?.getText() ?? 'a function'} has ${lines} lines`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** What a text imports of its own for more than its types. */
function valuesFrom(text: string): string[] {
  const named = [...text.matchAll(/^import \{([^}]*)\} from '(\.[^']+)'/gm)].flatMap(
    ([, names = '', from = '']) =>
      names.split(',').some((name) => name.trim() !== '' && !name.trim().startsWith('type ')) ? [from] : [],
  )
  return [...named, ...[...text.matchAll(/import\('(\.[^']+)'\)/g)].map(([, from = '']) => from)]
}

/** A circle of files that import one another, as the names on the way; undefined when there is none. */
function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...way, file])
      if (circle !== undefined) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const circle = visit(file, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

describe('the structure', () => {
  it('has a row for every folder, and a folder for every row', () => {
    expect(imports.length).toBeGreaterThan(300)
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.filter(({ folder }) => !statSync(`src/${folder}`).isDirectory())).toEqual([])
    const known = rows.map(({ folder }) => folder)
    expect(rows.flatMap((row) => row.imports.filter((name) => !known.includes(name)))).toEqual([])
  })

  it('imports what the table of docs/architecture.md allows, and leaves the machine to machine/', () => {
    expect(imports.flatMap((one) => wrongWith(one) ?? [])).toEqual([])
  })

  it('finds an import that the table does not allow', () => {
    const wrong = (file: string, from: string) => wrongWith({ file, from })
    expect(wrong('src/pci/address.ts', '../plan/plan.ts')).toBe('src/pci/address.ts → src/plan/plan.ts')
    expect(wrong('src/judge/judge.ts', 'node:path')).toBe('src/judge/judge.ts → node:path')
    expect(wrong('src/cli/main.ts', 'node:fs')).toBe('src/cli/main.ts → node:fs')
    expect(wrong('src/nowhere/file.ts', './other.ts')).toBe('src/nowhere/file.ts has no row')
  })

  it('has no row that allows what nobody imports', () => {
    const unused = rows.flatMap(({ folder, imports: allowed }) => {
      const used = new Set(
        imports
          .filter(({ file, from }) => rowOf(file)?.folder === folder && from.startsWith('.'))
          .map(({ file, from }) => rowOf(join(file, '..', from))?.folder),
      )
      return allowed.filter((name) => !used.has(name)).map((name) => `${folder} → ${name}`)
    })
    expect(unused).toEqual([])
  })

  // Circles are left in boot, apply and lab: this line becomes a plain test with the last of them.
  it('has no circle of files that import one another', () => {
    const edges = new Map(
      files.map((file) => [
        file,
        imports
          .filter((one) => one.file === file && one.from.startsWith('.'))
          .map(({ from }) => join(file, '..', from)),
      ]),
    )
    expect(findCircle(edges)).toBeUndefined()
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b'])
  })

  it('lets commands ask use cases alone: what keeps a host safe is below them', () => {
    const rooms = ['apply', 'engines', 'host', 'judge', 'plan', 'run', 'sources']
    const asked = files
      .filter((file) => file.startsWith('src/cli/') && file !== 'src/cli/commands/lab.ts')
      .flatMap((file) =>
        valuesFrom(readFileSync(file, 'utf8')).map((from) => `${file} → ${join(file, '..', from)}`),
      )
    expect(asked.length).toBeGreaterThan(50)
    expect(asked.filter((one) => rooms.includes(one.split(' → src/')[1]?.split('/')[0] ?? ''))).toEqual([])
    const all =
      "import {\n  type A,\n  b,\n} from './x.ts'\nimport { type C } from './y.ts'\nawait import('./z.ts')"
    expect(valuesFrom(all)).toEqual(['./x.ts', './z.ts'])
  })

  it('lets only the command line end the process', () => {
    const exits = files.filter((file) => /process\.exit\b|process\.exitCode/.test(readFileSync(file, 'utf8')))
    expect(
      exits.filter(
        (file) => !['src/cli/main.ts', 'src/cli/run-process.ts', 'src/cli/wiring.ts'].includes(file),
      ),
    ).toEqual([])
  })

  it('has every file that docs/architecture.md names', () => {
    const named = [...page.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name)
    const exists = (name: string) =>
      files.includes(name) ||
      files.some((file) => file.endsWith(name.includes('/') ? `src/${name}` : `/${name}`))
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((name) => !name.startsWith('test/') && !exists(name))).toEqual([])
  })

  it('has no function of more than forty lines', () => {
    const long = files.flatMap((file) => longFunctions(file, readFileSync(file, 'utf8')))
    expect(long).toEqual([])
    const planted = `const a = () => {\n${'  one()\n\n'.repeat(39)}}\nclass B {\n  c() {\n${'  two()\n'.repeat(38)}  }\n}\n`
    expect(longFunctions('a.ts', planted)).toEqual(['a.ts:1 a has 41 lines'])
  })

  // Regular expressions and style sheets cannot be broken; samples of listings are shown as they come.
  it('has lines of at most 110 columns, but for what cannot be broken', () => {
    const long = files
      .filter((file) => !/host-html|picture-style/.test(file))
      .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
      .filter((line) => line.length > 110 && !/[\\^]|^ \* {2,}|RegExp|raw`/.test(line))
    expect(long.length).toBeLessThanOrEqual(longLines)
  })

  it('has no marks of a merge', () => {
    const isMark = (line: string) => /^(?:<{7}|>{7})(?: |$)/.test(line)
    expect(isMark('<'.repeat(7) + ' HEAD')).toBe(true)
    expect(files.filter((file) => readFileSync(file, 'utf8').split('\n').some(isMark))).toEqual([])
  })

  it('has files a person can read in one sitting', () => {
    expect(files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 301)).toEqual([])
  })
})

it('decisions have a number each', () => {
  const numbers = readdirSync('docs/decisions').map((name) => name.slice(0, 4))
  expect(numbers).toEqual([...new Set(numbers)])
})
