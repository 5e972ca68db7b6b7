import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { fromJSONSchema } from 'zod'
import { plan } from '../../src/plan/plan.ts'
import { specJsonSchema, specMarkdown } from '../../src/spec/describe-spec.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import { computeSavings } from '../../src/plan/outlook/savings.ts'
import { readHostYaml } from '../support/host-yaml.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('the documents made from the schema', () => {
  it('are current: npm run docs:spec writes them', () => {
    expect(read('schema/home.schema.json')).toBe(specJsonSchema())
    expect(read('docs/spec.md')).toBe(specMarkdown())
  })

  it('describe every key', () => {
    expect(specMarkdown()).not.toMatch(/\| {2}\|$/m)
  })
})

const examples: Readonly<Record<string, string>> = {
  'firewall-and-media': 'seed',
  'one-gpu': 'seed',
  'two-identical-gpus': 'two-gpus',
  'storage-controller': 'seed',
  nvme: 'two-gpus',
  'tuned-host': 'seed',
  'virtual-function': 'with-virtual-functions',
  'everything-on-one-box': 'everything',
}

describe('the examples', () => {
  const schema = fromJSONSchema(JSON.parse(specJsonSchema()))

  it('are all tested', () => {
    expect(readdirSync(join(root, 'examples')).toSorted()).toEqual(
      Object.keys(examples)
        .map((name) => `${name}.yaml`)
        .toSorted(),
    )
  })

  it.each(Object.entries(examples))('%s plans without an error on the host %s', (name, hostName) => {
    const text = read(`examples/${name}.yaml`)
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/home.schema.json')
    const { spec, findings, places } = parseSpec(text, name)
    expect(findings).toEqual([])
    if (spec === undefined) return
    const host = readHostYaml(
      join(root, `test/scenarios/hosts/${hostName}.yaml`),
      join(root, 'test/scenarios/hosts'),
    )
    const result = plan(host, spec, { places })
    expect(result.findings.filter((f) => f.severity === 'error')).toEqual([])
    expect(result.assignments.length).toBe(spec.vms.flatMap((vm) => vm.devices).length)
    expect(result.steps.length).toBeGreaterThanOrEqual(result.assignments.length)
    expect(computeSavings(spec.savings).toMeasure.length > 0).toBe(spec.savings === undefined)
  })

  it.each(Object.keys(examples))(
    '%s holds to the JSON Schema, and a typing mistake in it does not',
    (name) => {
      const value = parse(read(`examples/${name}.yaml`)) as { vms: Record<string, object> }
      expect(schema.safeParse(value).success).toBe(true)
      const [vm = ''] = Object.keys(value.vms)
      expect(
        schema.safeParse({ ...value, vms: { ...value.vms, [vm]: { ...value.vms[vm], memroy: '1 GiB' } } })
          .success,
      ).toBe(false)
      expect(
        schema.safeParse({ ...value, vms: { ...value.vms, [vm]: { ...value.vms[vm], memory: 16 } } }).success,
      ).toBe(false)
    },
  )
})
