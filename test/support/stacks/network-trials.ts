/** What is taken away from a machine, the rarest first, and who is found free then. */
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Host } from '../../../src/host/host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { readerOf, type Damage } from './broken-tree.ts'
import { diceOf } from './dice.ts'
import { networkCase, type NetworkCase } from './network-stacks.ts'

const sources = [
  '/proc/net',
  '/proc/net/route',
  '/proc/net/ipv6_route',
  '/proc/net/fib_trie',
  '/proc/net/if_inet6',
  '/proc/net/tcp',
  '/proc/net/tcp6',
  '/sys/class/net',
  '/etc/network',
] as const
const record = ['address', 'route4', 'route6', 'rule4'].map((name) => `/proc/net/rtnetlink/${name}.json`)

export type Tally = Map<string, Map<string, number>>

export function tell(tally: Tally, group: string, name: string | number): void {
  const names = tally.get(group) ?? new Map<string, number>()
  tally.set(group, names.set(String(name), (names.get(String(name)) ?? 0) + 1))
}

export function damageOf(
  one: NetworkCase,
  tally: Tally,
  number: number,
): { readonly name: string; readonly damage: Damage } {
  const dice = diceOf(number * 7919 + 17)
  const known = tally.get('taken away')
  const kinds = dice.shuffle([
    ...new Set(one.links.map(({ kind }) => kind)),
    ...sources,
    ...(one.hasRecord ? [...record, '/proc/net/rtnetlink'] : []),
  ])
  const [name = '/proc/net/route'] = kinds.toSorted((a, b) => (known?.get(a) ?? 0) - (known?.get(b) ?? 0))
  tell(tally, 'taken away', name)
  const links = one.links.filter(({ kind }) => kind === name)
  const { paths, instead } = links.length > 0 ? dice.pick(links) : { paths: [name], instead: undefined }
  const mayGo = !paths.some((path) => one.evidence.some((file) => `${file}/`.startsWith(`${path}/`)))
  const how =
    instead === undefined
      ? dice.pick(mayGo ? (['removed', 'unreadable'] as const) : (['unreadable'] as const))
      : 'of an unknown kind'
  tell(tally, 'how', how)
  return { name: `${name} ${how}`, damage: { how, paths, ...(instead === undefined ? {} : { instead }) } }
}

export function foundFree(host: Host, one: NetworkCase): string[] {
  const verdicts = verdictsOf(host)
  return [...one.carriers].flatMap((address) => {
    const verdict = verdicts.get(address)
    const isHeld =
      verdict === 'refused' || verdict === 'unknown' || (one.mayBeCaution && verdict === 'caution')
    return isHeld ? [] : [`${address} is ${verdict ?? 'absent'}`]
  })
}

export function foundUnknown(host: Host, one: NetworkCase): string[] {
  const verdicts = verdictsOf(host)
  const unknown = [...verdicts].flatMap(([address, verdict]) =>
    verdict === 'unknown' ? [`${address} is unknown`] : [],
  )
  const free = verdicts.get(one.free)
  return [
    ...unknown,
    ...(free === 'ready' ? [] : [`the free ${one.free} is ${free ?? 'absent'}`]),
    ...(host.lostNeeds ?? []).map(({ what, lost, why }) => `${what}: ${lost}, ${why}`),
  ]
}

function verdictsOf(host: Host): Map<string, string> {
  return new Map<string, string>(judgeHost(host).devices.map(({ address, verdict }) => [address, verdict]))
}

export type Trials = { readonly seed: number; readonly count: number; readonly tally: Tally }

export function wrongWithAll({ seed, count, tally }: Trials): string[] {
  return machines(seed, count, (one) => {
    tell(tally, 'need', one.kind)
    tell(tally, 'depth', one.depth)
    for (const layer of one.layers) tell(tally, 'layer', layer)
    const host = readHost(readerOf(one.entries))
    return [...foundUnknown(host, one), ...foundFree(host, one)]
  })
}

export function wrongWithout({ seed, count, tally }: Trials): string[] {
  return machines(seed, count, (one, number) => {
    const { damage, name } = damageOf(one, tally, seed + number)
    return foundFree(readHost(readerOf(one.entries, damage)), one).map(
      (text) => `${text} without ${name} (${damage.paths.join(' ')})`,
    )
  })
}

function machines(
  seed: number,
  count: number,
  look: (one: NetworkCase, number: number) => readonly string[],
): string[] {
  const wrong: string[] = []
  for (let number = 0; number < count; number++) {
    const at = seed * 1_000_003 + number
    const one = networkCase(at)
    for (const text of look(one, number))
      wrong.push(`${at} ${one.kind} [${one.layers.join(' ')}]${one.hasRecord ? ' recorded' : ''}: ${text}`)
  }
  return wrong
}
