/** Every failure of the shared catalogue is known (needs ../shared/data). */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explain } from '../../src/explain/explain.ts'

type Failure = { readonly id: string; readonly example: string; readonly emittedBy: string }

const file = resolve(import.meta.dirname, '../../../shared/data/failures.json')
const hasCatalogue = existsSync(file)
const failures = hasCatalogue
  ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly failures: readonly Failure[] }).failures
  : []

describe.skipIf(!hasCatalogue && process.env['CI'] !== 'true')(
  `the failures known elsewhere${hasCatalogue ? '' : ' (skipped: ../shared/data is not there)'}`,
  () => {
    it('are there', () => expect(failures.length).toBeGreaterThan(70))

    it.each(failures)('$id', ({ example, emittedBy }) => {
      const found = explain(example)
      expect(found.map(({ id }) => id)).toHaveLength(1)
      const program = emittedBy.replace('guest-kernel', 'guest').replace('guest-windows', 'guest')
      expect(found[0]?.emitter).toBe(program.replace(/^(?:lspci|sysfs)$/, 'shell'))
    })
  },
)
