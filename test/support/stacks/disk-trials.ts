/** What is taken away from a machine, each kind as often as the others, and who is found free then. */
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Host } from '../../../src/host/host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { plan } from '../../../src/plan/plan.ts'
import { readerOf, type Damage } from './broken-tree.ts'
import { diceOf } from './dice.ts'
import { diskCase, type DiskCase } from './disk-stacks.ts'
import { specOf } from '../spec.ts'

const sources = [
  '/sys/class/block',
  '/sys/dev/block',
  '/sys/block',
  '/sys/class/nvme',
  '/sys/class/nvme-subsystem',
  '/sys/fs/btrfs',
  '/run/udev',
  '/etc/zfs',
  '/dev',
  '/dev/disk',
  '/proc/partitions',
  '/proc/mdstat',
  '/proc/swaps',
  '/proc/net/route',
  '/etc/crypttab',
] as const

/**
 * Where a source alone says that there is a need, it is made unreadable and not removed: else there is none
 * to be found.
 */
const evidence: Readonly<Record<string, readonly string[]>> = {
  swap: ['/proc/swaps'],
  'swap file': ['/proc/swaps'],
  zram: ['/proc/swaps'],
  'key of crypttab': ['/etc/crypttab'],
}

export type Tally = Map<string, Map<string, number>>

export function tell(tally: Tally, group: string, name: string): void {
  const names = tally.get(group) ?? new Map<string, number>()
  tally.set(group, names.set(name, (names.get(name) ?? 0) + 1))
}

export function histogram(tally: Tally): string {
  const groups = [...tally].filter(([group]) => !group.startsWith('taken away from'))
  const lines = groups.flatMap(([group, names]) => [
    `${group}:`,
    ...[...names]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, times]) => `  ${String(times).padStart(6)} ${name}`),
  ])
  return lines.join('\n')
}

/** Needs, depths, layers and what is taken away, each counted. */
export function tellCase(tally: Tally, one: DiskCase): void {
  tell(tally, 'need', one.kind)
  tell(tally, 'depth', `${one.depth}`)
  for (const layer of new Set(one.layers)) tell(tally, 'layer', layer)
}

/** What was taken away least so far: of all machines, and every fourth time of those with the same need. */
export function damageOf(
  one: DiskCase,
  tally: Tally,
  number: number,
): { readonly name: string; readonly damage: Damage } {
  const dice = diceOf(number * 7919 + 17)
  const group = number % 4 !== 0 ? 'taken away' : `taken away from ${one.kind}`
  const names = tally.get(group)
  const kinds = dice.shuffle([...new Set(one.links.map(({ kind }) => kind)), ...sources])
  const [name = '/sys/class/block'] = kinds.toSorted((a, b) => (names?.get(a) ?? 0) - (names?.get(b) ?? 0))
  for (const told of ['taken away', `taken away from ${one.kind}`]) tell(tally, told, name)
  const links = one.links.filter(({ kind }) => kind === name)
  const { paths, unknown } = links.length > 0 ? dice.pick(links) : { paths: [name], unknown: undefined }
  const mayGo = !paths.some((path) => evidence[one.kind]?.includes(path) === true)
  const ways = [
    'unreadable',
    ...(mayGo ? (['removed', 'removed'] as const) : []),
    ...(unknown === undefined ? [] : (['of an unknown kind'] as const)),
  ] as const
  const how = dice.pick(ways)
  tell(tally, 'how', how)
  return {
    name: `${name} ${how}`,
    damage: {
      how,
      paths,
      ...(how === 'of an unknown kind' && unknown !== undefined ? { instead: unknown } : {}),
    },
  }
}

/** Functions that carry the need and are free all the same, and steps of a plan that takes them. */
export function foundFree(host: Host, one: DiskCase): string[] {
  const verdicts = verdictsOf(host)
  const isFree = (verdict: string | undefined): boolean =>
    verdict === undefined || verdict === 'ready' || (verdict === 'caution' && !one.mayLeaveAlone)
  const free = [...one.carriers].filter((address) => isFree(verdicts.get(address)))
  return [...free, ...stepsThatTake(host, [...one.carriers])]
}

/** What is not as it should be where everything is there. */
export function foundUnknown(host: Host, one: DiskCase): string[] {
  const wrong = [...verdictsOf(host)].flatMap(([address, verdict]) =>
    verdict === 'unknown' || (one.free.some((free) => free === address) && verdict === 'refused')
      ? [`${address} is ${verdict}`]
      : [],
  )
  return [...wrong, ...(host.lostNeeds ?? []).map(({ what, lost, why }) => `${what}: ${lost}, ${why}`)]
}

function verdictsOf(host: Host): Map<string, string> {
  return new Map<string, string>(judgeHost(host).devices.map(({ address, verdict }) => [address, verdict]))
}

function stepsThatTake(host: Host, addresses: readonly string[]): string[] {
  const devices = addresses.map((address, index) => `      thing${index}: { address: '${address}' }`)
  const text = ['version: 1', 'vms:', '  guest:', '    memory: 1 GiB', '    devices:', ...devices, ''].join(
    '\n',
  )
  const steps = plan(host, specOf(text)).steps.map((step) => JSON.stringify(step))
  return steps.filter((step) => addresses.some((one) => step.includes(one)))
}

export type Trials = { readonly seed: number; readonly count: number; readonly tally: Tally }

/** Machines with everything there. */
export function wrongWithAll({ seed, count, tally }: Trials): string[] {
  return machines(seed, count, (one, number) => {
    tellCase(tally, one)
    const host = readHost(readerOf(one.entries))
    return [...foundUnknown(host, one), ...foundFree(host, one)].map(
      (text) => `${number} ${wordsOf(one)}: ${text}`,
    )
  })
}

/** Machines of which one thing is gone. */
export function wrongWithout({ seed, count, tally }: Trials): string[] {
  return machines(seed, count, (one, number) => {
    const { damage, name } = damageOf(one, tally, seed + number)
    const host = readHost(readerOf(one.entries, damage))
    return foundFree(host, one).map(
      (text) => `${number} ${wordsOf(one)} without ${name} (${damage.paths.join(' ')}): ${text}`,
    )
  })
}

function machines(
  seed: number,
  count: number,
  look: (one: DiskCase, number: number) => readonly string[],
): string[] {
  const wrong: string[] = []
  for (let number = 0; number < count; number++)
    wrong.push(...look(diskCase(seed * 1_000_003 + number), number))
  return wrong
}

function wordsOf({ kind, layers }: DiskCase): string {
  return `${kind} [${layers.join(' ')}]`
}
