/**
 * Where in the text each key and value of a spec stands: what turns a finding into a line, a column and a
 * caret.
 */
import type { Place } from '../base/finding.ts'
import type { SpecPath } from './spec.ts'

type KeyAndValue = { readonly key?: Place; readonly value: Place }

/**
 * From `vms/firewall/devices/wan` to its places. Kept beside the Spec, so that the Spec stays a plain value.
 */
export type SpecPlaces = ReadonlyMap<string, KeyAndValue>

/**
 * The place of a key (`key`) or of what follows it (`value`); the nearest known one above when the path
 * itself is not in the text.
 */
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

/** The name of a path in SpecPlaces, after RFC 6901. */
export function keyOf(path: SpecPath): string {
  return path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
}
