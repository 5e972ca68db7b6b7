/** Collects the places of all keys and values from the YAML document of a spec. */
import { defined } from '../base/defined.ts'
import { isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml'
import type { Place } from '../base/finding.ts'
import { keyOf, type SpecPlaces } from './places.ts'
import type { SpecPath } from './spec.ts'

const maxPlaces = 100_000

export function collectPlaces(root: Node | null, lines: LineCounter, file: string): SpecPlaces {
  const places = new Map<string, { readonly key?: Place; readonly value: Place }>()
  const placeAt = (node: unknown): Place | undefined => {
    const range = (node as { range?: readonly [number, number, number] | null } | null)?.range
    if (!range) return undefined
    const { line, col } = lines.linePos(range[0])
    const length = isScalar(node) || isAlias(node) ? Math.max(1, range[1] - range[0]) : 1
    return { file, line, column: col, length }
  }
  const pending: { node: unknown; path: SpecPath; key?: Place }[] = [{ node: root, path: [] }]
  for (let next = pending.pop(); next !== undefined && places.size < maxPlaces; next = pending.pop()) {
    const { node, path, key } = next
    const value = placeAt(node) ?? key
    if (value) places.set(keyOf(path), { value, ...defined({ key }) })
    if (isSeq(node)) node.items.forEach((item, i) => pending.push({ node: item, path: [...path, i] }))
    if (!isMap(node)) continue
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue
      const place = placeAt(pair.key)
      pending.push({ node: pair.value, path: [...path, String(pair.key.value)], ...defined({ key: place }) })
    }
  }
  return places
}
