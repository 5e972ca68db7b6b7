/** A spec without errors, from its text. */
import { parseSpec } from '../../src/spec/parse-spec.ts'
import type { SpecPlaces } from '../../src/spec/places.ts'
import type { Spec } from '../../src/spec/spec.ts'

export function specOf(text: string): Spec {
  return placedSpecOf(text).spec
}

export function placedSpecOf(text: string): { readonly spec: Spec; readonly places: SpecPlaces } {
  const { spec, findings, places } = parseSpec(text, 'home.yaml')
  if (spec === undefined || findings.length > 0)
    throw new Error(`the spec of this test has errors: ${findings.map(({ message }) => message).join('; ')}`)
  return { spec, places }
}
