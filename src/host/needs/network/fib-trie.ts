/**
 * Parses /proc/net/fib_trie (net/ipv4/fib_trie.c): the contents of every IPv4 routing table, without
 * interfaces.
 *
 *     Id 1001:
 *        |-- 10.0.2.15
 *           /32 host LOCAL
 */
import { defined } from '../../../base/defined.ts'
export type FibTable = {
  /** The number of the table. Absent for main and local, which the kernel writes by name. */
  readonly id?: string
  /** The host's own addresses in the table, without those of loopback. */
  readonly local: readonly string[]
  readonly hasDefault: boolean
}

export function parseFibTrie(text: string): FibTable[] {
  const tables: { id?: string; local: Set<string>; hasDefault: boolean }[] = []
  let leaf = ''
  for (const line of text.split('\n')) {
    const heading = /^(?:(Main|Local)|Id (\d{1,10})):$/.exec(line)
    if (heading) {
      tables.push({ ...defined({ id: heading[2] }), local: new Set(), hasDefault: false })
      continue
    }
    leaf = /^\s*\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line)?.[1] ?? leaf
    if (tables.length === 0) tables.push({ local: new Set(), hasDefault: false })
    const table = tables.at(-1)
    if (table === undefined) continue
    if (/^\s*\/32 host LOCAL\s*$/.test(line) && leaf !== '' && !leaf.startsWith('127.')) table.local.add(leaf)
    if (leaf === '0.0.0.0' && /^\s*\/0 \w+ UNICAST\s*$/.test(line)) table.hasDefault = true
  }
  return tables.map((table) => ({ ...table, local: [...table.local] }))
}
