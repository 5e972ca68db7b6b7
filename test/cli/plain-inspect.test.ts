import { describe, expect, it } from 'vitest'
import { buildProgram } from '../../src/cli/main.ts'
import { plainInspect } from '../../src/cli/plain-inspect.ts'

/** What commander makes of them; undefined where it ends with help or an error. */
function asCommander(argv: readonly string[]): { args: string[]; options: object } | undefined {
  let seen: { args: string[]; options: object } | undefined
  const program = buildProgram()
  const inspect = program.commands.find((command) => command.name() === 'inspect')
  for (const command of [program, inspect])
    command?.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  inspect?.exitOverride().action(() => {
    seen = { args: inspect.args, options: inspect.optsWithGlobals() }
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch {
    return undefined
  }
  return seen
}

const words = ['--json', '--table', '--no-color', '--root', '--root=a', 'b', '01:00.0', '--root=', '-', '--', '-x', '']
words.push('--help', '--html', '--from', '--jso', '--color', '--version', '--no-json', 'inspect')

describe('the plain arguments of inspect', () => {
  it('are what commander makes of them, whenever they are taken', () => {
    const lists = ['', ...words].flatMap((a) => ['', ...words].flatMap((b) => words.map((c) => [a, b, c])))
    let taken = 0
    for (const list of lists) {
      const argv = ['inspect', ...list]
      const plain = plainInspect(argv)
      if (plain === undefined) continue
      taken += 1
      expect([argv, plain]).toEqual([argv, asCommander(argv)])
    }
    expect(taken).toBeGreaterThan(150)
  })

  it('are taken as they are nearly always given', () => {
    expect(plainInspect(['inspect'])).toEqual({ args: [], options: { color: true } })
    expect(plainInspect(['inspect', '--json', '--root', 'tree', '01:00.0'])).toEqual({
      args: ['01:00.0'],
      options: { color: true, json: true, root: 'tree' },
    })
    expect(plainInspect(['inspect', '--table', '--no-color', '--root=x=y'])).toEqual({
      args: [],
      options: { color: false, table: true, root: 'x=y' },
    })
  })

  it.each([['--help'], ['-'], ['--'], ['a', 'b'], ['--root'], ['--root', '--json'], ['--root='], ['--html', 'x']])(
    'are left to commander with %s %s',
    (...args) => expect(plainInspect(['inspect', ...args])).toBeUndefined(),
  )

  it('are of inspect alone', () => {
    expect(plainInspect([])).toBeUndefined()
    expect(plainInspect(['plan', '--json'])).toBeUndefined()
  })
})
