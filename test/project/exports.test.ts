import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? sources(path) : /\.m?[jt]s$/.test(name) ? [path] : []
  })
}

/** Comments name things without calling them. */
const codeOf = (file: string) => readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')

/**
 * Values that are exported and named nowhere else in the code, neither in their own file nor by an import.
 */
function withoutCaller(texts: ReadonlyMap<string, string>): string[] {
  const imported = new Set<string>()
  for (const [file, text] of texts) {
    // `import { a, b as c } from './x.ts'`, `export { a } from './x.ts'`
    for (const [, names = '', from = ''] of text.matchAll(/\{([^{}]*)\} from '(\.[^']+)'/g))
      for (const name of names.split(','))
        imported.add(
          `${join(file, '..', from)} ${
            name
              .trim()
              .replace(/^type /, '')
              .split(' as ')[0]
          }`,
        )
    // `(await import('./x.ts')).a`, `const { a } = await import('./x.ts')`: any name of the file may be one
    // of that module.
    for (const [, from = ''] of text.matchAll(/\bimport\('(\.[^']+)'\)/g))
      for (const [name] of text.matchAll(/\w+/g)) imported.add(`${join(file, '..', from)} ${name}`)
  }
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm)].flatMap(
      ([, name = '']) => {
        const uses = text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0
        return uses > 1 || imported.has(`${file} ${name}`) ? [] : [`${file} ${name}`]
      },
    ),
  )
}

describe('the exports', () => {
  it('have a caller in src/ or scripts/ each; tests are none', () => {
    const texts = new Map([...sources('src'), ...sources('scripts')].map((file) => [file, codeOf(file)]))
    expect(texts.size).toBeGreaterThan(300)
    expect(withoutCaller(texts).filter((one) => one.startsWith('src/'))).toEqual([])
  })

  it('without a caller are found', () => {
    const texts = new Map([
      [
        'src/a.ts',
        'export function used() {}\nexport const inside = 1\ninside\nexport async function unused() {}',
      ],
      ['src/b.ts', "import { used } from './a.ts'\nexport const late = 1\nexport class Lost {}"],
      ['src/c.ts', "const { late } = await import('./b.ts')"],
    ])
    expect(withoutCaller(texts)).toEqual(['src/a.ts unused', 'src/b.ts Lost'])
  })
})
