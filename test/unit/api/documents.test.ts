/**
 * Documents of the scenarios and of recorded hosts hold to their schemas; those of commands are in
 * test/unit/cli/.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromJSONSchema } from 'zod'
import { apiJsonSchemas, documents } from '../../../src/api/describe-api.ts'
import { inspectDocument } from '../../../src/api/inspect-report.ts'
import { inspectSchema } from '../../../src/api/inspect.ts'
import { planDocument, planSchema } from '../../../src/api/plan.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { plan } from '../../../src/plan/plan.ts'
import { emptyPlan } from '../../../src/plan/types.ts'
import { readHostFrom } from '../../../src/sources/listings/read-from.ts'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { documentOf } from '../../support/documents.ts'
import { readHostYaml } from '../../support/host-yaml.ts'
import { importSystem } from '../sources/listings/reading.ts'

const scenarios = 'test/scenarios'
const hosts = join(scenarios, 'hosts')
const names = readdirSync(scenarios).filter((name) => existsSync(join(scenarios, name, 'home.yaml')))
const captures = readdirSync('test/fixtures/hosts')

/** As printed. A scenario whose spec has errors needs no host. */
function printed(name: string): { readonly plan: string; readonly inspect?: string } {
  const { spec, places, findings } = parseSpec(
    readFileSync(join(scenarios, name, 'home.yaml'), 'utf8'),
    'home.yaml',
  )
  if (spec === undefined) return { plan: JSON.stringify(planDocument({ ...emptyPlan, findings })) }
  const host = readHostYaml(join(scenarios, name, 'host.yaml'), hosts)
  const planned = planDocument(plan(host, spec, { places }))
  return { plan: JSON.stringify(planned), inspect: JSON.stringify(inspectDocument(host, judgeHost(host))) }
}

describe('a document', () => {
  it.each(names)('holds to its schema: %s', (name) => {
    const { plan: planned, inspect } = printed(name)
    documentOf(planSchema, planned)
    if (inspect !== undefined) documentOf(inspectSchema, inspect)
  })

  it.each(captures)('holds to its schema: the recorded host %s', (name) => {
    const bytes = readFileSync(join('test/fixtures/hosts', name))
    const reading = readHostFrom({ name, bytes }, importSystem)
    if (!reading.ok) throw reading.error
    const document = inspectDocument(reading.host, judgeHost(reading.host))
    expect(documentOf(inspectSchema, JSON.stringify(document)).devices.length).toBeGreaterThan(3)
  })

  it('may have a key that this version does not know, for who reads it by the JSON Schema', () => {
    const [name = ''] = names
    const value = JSON.parse(printed(name).plan) as object
    const written = JSON.parse(apiJsonSchemas().get('plan.schema.json') ?? '') as Parameters<
      typeof fromJSONSchema
    >[0]
    const schema = fromJSONSchema(written)
    expect(schema.safeParse({ ...value, later: true }).success).toBe(true)
    expect(schema.safeParse({ ...value, steps: 'none' }).success).toBe(false)
    expect(schema.safeParse({ ...value, schema: 2 }).success).toBe(false)
  })
})

describe('the JSON Schema files', () => {
  it('are current, one for each document: npm run docs:spec writes them', () => {
    const written = apiJsonSchemas()
    expect(written.size).toBe(Object.keys(documents).length)
    for (const [name, text] of written) expect(readFileSync(join('schema', name), 'utf8')).toBe(text)
    expect(readdirSync('schema').toSorted()).toEqual(['home.schema.json', ...written.keys()].toSorted())
  })
})
