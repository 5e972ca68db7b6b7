/**
 * The kernel's own words about every function (lab/host/snapshot.sh), and how two such snapshots differ.
 * Pure.
 */

export type SnapshotLine = {
  readonly address: string
  readonly ids: string
  readonly classCode: string
  readonly group: string
  readonly driver: string
  /** `(null)` when none is set. */
  readonly override: string
  readonly macs: readonly string[]
  readonly disks: readonly string[]
}

export type Snapshot = ReadonlyMap<string, SnapshotLine>

export function parseSnapshot(lines: readonly string[]): Snapshot {
  const found = new Map<string, SnapshotLine>()
  for (const line of lines) {
    const [kind, address = '', ids = '', classCode = '', group = '', driver = '', override = '', ...rest] =
      line.split(' ')
    if (kind !== 'function') continue
    const values = (key: string) =>
      rest.filter((word) => word.startsWith(key)).map((word) => word.slice(key.length))
    found.set(address, {
      address,
      ids,
      classCode,
      group,
      driver,
      override,
      macs: values('mac='),
      disks: values('disk='),
    })
  }
  return found
}

/** The changes of one function, in words; empty for none. `(null)` and `` both mean no override. */
export function differences(before: SnapshotLine | undefined, after: SnapshotLine | undefined): string[] {
  if (!before || !after) return [before ? `${before.address} is gone` : `${after?.address ?? '?'} is new`]
  const no = (override: string) => (override === '(null)' ? '' : override)
  const pairs: [string, string, string][] = [
    ['driver', before.driver, after.driver],
    ['override', no(before.override), no(after.override)],
    ['group', before.group, after.group],
    ['ids', before.ids, after.ids],
  ]
  return pairs
    .filter(([, a, b]) => a !== b)
    .map(([what, a, b]) => `${before.address} ${what} ${a || 'none'} → ${b || 'none'}`)
}

export function allDifferences(before: Snapshot, after: Snapshot): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((address) =>
    differences(before.get(address), after.get(address)),
  )
}
