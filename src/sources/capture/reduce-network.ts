/**
 * Reduces the kernel's answers about the network and the list of connections to what the readers use
 * (needs/network/). Hardware addresses, gateways and connections of other programs are dropped.
 */
import { parseFibTrie } from '../../host/needs/network/fib-trie.ts'
import {
  isRow,
  parseRows,
  rowIn,
  rowsIn,
  textIn,
  wordsIn,
  type Row,
} from '../../host/needs/network/rtnetlink.ts'
import { socketNumber } from '../../host/needs/users/processes.ts'
import { isSessionProgram } from '../../host/needs/network/sessions.ts'
import type { Recording } from './recording.ts'

type Reduce = (rows: readonly Row[]) => unknown[]

export function reduceRecord(text: string, path: string): string {
  const rows = parseRows(text)
  if (rows === undefined) return ''
  const reduce: Reduce = path.includes('/address') ? addresses : path.includes('/route') ? routes : rules
  const lines = reduce(rows).map((row) => JSON.stringify(row))
  return `[${lines.join(',\n')}]`
}

function pick(row: Row | undefined, keys: readonly string[]): Row {
  return Object.fromEntries(keys.flatMap((key) => (row?.[key] === undefined ? [] : [[key, row[key]]])))
}

function addresses(rows: readonly Row[]): unknown[] {
  return rows.map((row) => {
    const details = rowIn(row, 'linkinfo')
    const kept = {
      ...pick(details, ['info_kind', 'info_slave_kind']),
      info_data: pick(rowIn(details, 'info_data'), [
        'remote',
        'remote6',
        'group',
        'local',
        'local6',
        'link',
        'table',
      ]),
      info_slave_data: pick(rowIn(details, 'info_slave_data'), ['mii_status']),
    }
    return {
      ...pick(row, ['ifindex', 'ifname', 'link', 'link_index', 'link_netnsid', 'master']),
      flags: wordsIn(row, 'flags').filter((flag) => flag === 'UP'),
      ...(details === undefined ? {} : { linkinfo: kept }),
      addr_info: rowsIn(row, 'addr_info').map((entry) => pick(entry, ['local'])),
    }
  })
}

/** Keeps the fact that a gateway exists, but not its address. */
function routes(rows: readonly Row[]): unknown[] {
  const hop = (row: Row): Row => ({
    ...pick(row, ['dev']),
    ...(row['gateway'] === undefined && row['via'] === undefined ? {} : { gateway: 'kept' }),
  })
  return rows
    .filter(
      (row) =>
        ['unicast', undefined].includes(textIn(row, 'type')) && !/^f[ef]/i.test(textIn(row, 'dst') ?? ''),
    )
    .map((row) => {
      const hops = rowsIn(row, 'nexthops')
      return {
        ...pick(row, ['dst', 'table', 'metric']),
        ...hop(row),
        ...(hops.length > 0 ? { nexthops: hops.map(hop) } : {}),
      }
    })
}

function rules(rows: readonly Row[]): unknown[] {
  return rows.filter(isRow).map((row) => pick(row, ['priority', 'table', 'l3mdev', 'goto']))
}

/** Keeps the own addresses of each table, and whether it has a default route. */
export function reduceFibTrie(text: string): string {
  const leaf = (address: string, kind: string): string => `|-- ${address}\n${kind}\n`
  return parseFibTrie(text)
    .map(({ id, local, hasDefault }) =>
      [
        `${id === undefined ? 'Main' : `Id ${id}`}:\n`,
        hasDefault ? leaf('0.0.0.0', '/0 universe UNICAST') : '',
        ...local.map((address) => leaf(address, '/32 host LOCAL')),
      ].join(''),
    )
    .join('')
}

/**
 * Keeps connections to a management port (22, 8006, 9090 in hex), those of session and storage programs, and
 * those whose program could not be seen. Queues and owners are dropped.
 */
export function reduceConnections(recording: Recording): Recording {
  const files = new Map(recording.files)
  const sockets = socketsOf(recording)
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const bytes = files.get(path)
    if (bytes === undefined) continue
    const [head = '', ...lines] = new TextDecoder().decode(bytes).split('\n')
    const kept = lines.flatMap((line) => reduceConnection(line.trim().split(/\s+/), sockets))
    files.set(path, new TextEncoder().encode([head.trim(), ...kept].join('\n')))
  }
  return { ...recording, files }
}

type Sockets = {
  readonly ofSessions: ReadonlySet<string>
  readonly known: ReadonlySet<string>
  readonly someAreHidden: boolean
}

function socketsOf({ links, files, unreadable }: Recording): Sockets {
  const ofSessions = new Set<string>()
  const known = new Set<string>()
  for (const [path, target] of links) {
    const pid = /^\/proc\/(\d+)\/fd\/\d+$/.exec(path)?.[1]
    const socket = pid === undefined ? undefined : socketNumber(target)
    if (socket === undefined) continue
    known.add(socket)
    const name = new TextDecoder().decode(files.get(`/proc/${pid}/comm`) ?? new Uint8Array()).trim()
    if (isSessionProgram(name)) ofSessions.add(socket)
  }
  return {
    ofSessions,
    known,
    someAreHidden: [...unreadable.keys()].some((path) => /^\/proc\/\d+\/fd/.test(path)),
  }
}

function reduceConnection(
  fields: readonly string[],
  { ofSessions, known, someAreHidden }: Sockets,
): string[] {
  const [slot = '', local = '', remote = '', state = '', , , , , , inode = ''] = fields
  const numbered = `${slot} ${local} ${remote} ${state} 0 0 0 0 0 ${inode}`
  if (ofSessions.has(inode) && state === '01') return [numbered]
  if (state === '01' && /:(?:0016|1F46|2382)$/i.test(local)) return [`${slot} ${local} ${remote} ${state}`]
  return someAreHidden && !known.has(inode) && /^0[1A]$/.test(state) ? [numbered] : []
}
