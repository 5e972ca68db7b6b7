/** Where in the text each key and value of a spec stands: what turns a finding into a line, a column and a caret. */
import { isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml'
import type { Place } from '../base/finding.ts'
import type { SpecPath } from './spec.ts'

type KeyAndValue = { readonly key?: Place; readonly value: Place }

/** From `vms/firewall/devices/wan` to its places. Kept beside the Spec, so that the Spec stays a plain value. */
export type SpecPlaces = ReadonlyMap<string, KeyAndValue>

const maxPlaces = 100_000

/** The place of a key (`key`) or of what follows it (`value`); the nearest known one above when the path itself is not in the text. */
export function placeOf(
  places: SpecPlaces | undefined,
  path: SpecPath,
  part: 'key' | 'value' = 'value',
): Place | undefined {
  for (let length = path.length; length >= 0; length--) {
    const found = places?.get(keyOf(path.slice(0, length)))
    // Above the path itself the key says more than a value that may go on for pages.
    if (found) return part === 'key' || length < path.length ? (found.key ?? found.value) : found.value
  }
  return undefined
}

export function collectPlaces(root: Node | null, lines: LineCounter, file: string): SpecPlaces {
  const places = new Map<string, KeyAndValue>()
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
    if (value) places.set(keyOf(path), { value, ...(key ? { key } : {}) })
    if (isSeq(node)) node.items.forEach((item, i) => pending.push({ node: item, path: [...path, i] }))
    if (!isMap(node)) continue
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue
      const place = placeAt(pair.key)
      pending.push({ node: pair.value, path: [...path, String(pair.key.value)], ...(place ? { key: place } : {}) })
    }
  }
  return places
}

function keyOf(path: SpecPath): string {
  return path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
}
