/** Removes the parts of a spec whose shape is wrong, so that one run can also check and report the rest. */
import type { core } from 'zod'
import { specSchema, type WrittenSpec } from './schema.ts'
import type { SpecPath } from './spec.ts'

type Pruned = {
  readonly written: WrittenSpec
  /** Paths of removed and replaced parts. */
  readonly touched: readonly SpecPath[]
}

/** `undefined` if the rest is still not a valid spec after a few rounds. */
export function prune(value: unknown, issues: readonly core.$ZodIssue[]): Pruned | undefined {
  const copy = structuredClone(value)
  const touched: SpecPath[] = []
  let open = issues
  for (let round = 0; round < 4; round++) {
    for (const issue of open) {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
      for (const key of issue.code === 'unrecognized_keys' ? issue.keys : [undefined])
        takeOut(copy, key === undefined ? path : [...path, key], touched)
    }
    const parsed = specSchema.safeParse(copy)
    if (parsed.success) return { written: parsed.data, touched }
    open = parsed.error.issues
  }
  return undefined
}

function takeOut(root: unknown, path: SpecPath, touched: SpecPath[]): void {
  let parent = root
  for (const part of path.slice(0, -1))
    parent = (parent as Record<string | number, unknown> | undefined)?.[part]
  const key = path.at(-1)
  if (typeof parent !== 'object' || parent === null || key === undefined) return
  touched.push(path)
  // `memory` is the one required key of a VM, so it gets a size that passes every check.
  if (key === 'memory') (parent as Record<string, unknown>)[key] = '1 MiB'
  else if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete (parent as Record<string | number, unknown>)[key]
}
