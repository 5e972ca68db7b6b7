/** What a review of configuration and constants found once, and a test finds again. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseDocument } from 'yaml'

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join('src', name), 'utf8') }))

/**
 * YAML has all of JSON, and its parser finds a key that is there twice, of which JSON.parse takes the last.
 */
it.each(['.oxlintrc.json', '.prettierrc.json', 'package.json', 'tsconfig.json', 'tsconfig.types.json'])(
  '%s names no key twice',
  (name) => expect(parseDocument(readFileSync(name, 'utf8')).errors).toEqual([]),
)

it('a configuration that names a key twice is found', () => {
  expect(parseDocument('{ "rules": { "no-shadow": "off", "no-shadow": "error" } }').errors).toHaveLength(1)
})

it('folders of ours have one constant each', () => {
  const literal = /['"`]\/(?:var\/lib|run)\/handover['"`/]/
  expect(sources.filter(({ text }) => literal.test(text)).map(({ name }) => name)).toEqual([
    'base/own-folders.ts',
  ])
})

/** Root runs this program with the environment of whoever called it: no variable moves what is decided on. */
it('few variables of the environment are read', () => {
  const read = /(?:process\.env|\.env\()\[?'?(\w+)/g
  const names = new Set(sources.flatMap(({ text }) => [...text.matchAll(read)].map(([, name]) => name)))
  expect(names).toEqual(
    new Set([
      ...['FORCE_COLOR', 'NOTIFY_SOCKET', 'NO_COLOR', 'PATH', 'SSH_CONNECTION', 'TERM', 'XDG_CACHE_HOME'],
      'name',
    ]),
  )
})
