/** What holds for the tests themselves (docs/testing.md). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ path: `test/${name}`, text: readFileSync(`test/${name}`, 'utf8') }))
const exempt = ['test/project/tests.test.ts', 'test/support/random.ts']
const thatHave = (pattern: RegExp) =>
  files.filter(({ path, text }) => !exempt.includes(path) && pattern.test(text)).map(({ path }) => path)

describe('the tests', () => {
  it('are read at all', () => expect(files.length).toBeGreaterThan(100))

  it('take random values from the one seed', () => {
    expect(thatHave(/from 'fast-check'/)).toEqual([])
    expect(thatHave(/Math\.random\(|randomBytes\(|randomInt\(/)).toEqual([])
  })

  it('look for no process of others', () => expect(thatHave(/['"`](?:pgrep|pkill|killall)/)).toEqual([]))

  it('name only suites that are there in the table of docs/testing.md', () => {
    const named = [...readFileSync('docs/testing.md', 'utf8').matchAll(/^\| `(test\/[\w-]+)`/gm)].map(
      ([, name]) => name,
    )
    const there = new Set(
      files.filter(({ path }) => path.endsWith('.test.ts')).map(({ path }) => path.split('/', 2).join('/')),
    )
    expect(new Set(named)).toEqual(there)
  })

  it('that docs/security.md names are there, each file and each scenario', () => {
    const text = readFileSync('docs/security.md', 'utf8')
    const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((path) => !existsSync(path))).toEqual([])
    const scenarios = [...text.matchAll(/`((?:\w+-){4,}\w+)`/g)].map(([, name]) => `test/scenarios/${name}`)
    expect(scenarios.length).toBeGreaterThan(4)
    expect(scenarios.filter((path) => !existsSync(path))).toEqual([])
  })
})
