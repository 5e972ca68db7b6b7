/**
 * The place of each key and value in the text of a spec. Findings take their line, column and caret from
 * here.
 */
import type { Place } from '../base/finding.ts'
import type { SpecPath } from './spec.ts'

type KeyAndValue = { readonly key?: Place; readonly value: Place }

/**
 * From a path such as `vms/firewall/devices/wan` to its places. They are kept beside the Spec, so that the
 * Spec is a plain value.
 */
export type SpecPlaces = ReadonlyMap<string, KeyAndValue>

/**
 * The place of a key (`key`) or of its value (`value`). If the path is not in the text, this is the place of
 * the nearest path above it.
 */
export function placeOf(
  places: SpecPlaces | undefined,
  path: SpecPath,
  part: 'key' | 'value' = 'value',
): Place | undefined {
  for (let length = path.length; length >= 0; length--) {
    const found = places?.get(keyOf(path.slice(0, length)))
    // For a path above, point at the key: its value may be pages long.
    if (found) return part === 'key' || length < path.length ? (found.key ?? found.value) : found.value
  }
  return undefined
}

/** The name of a path in SpecPlaces, after RFC 6901. */
export function keyOf(path: SpecPath): string {
  return path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
}
