/**
 * Reads the TCP connections of this namespace from /proc/net/tcp and tcp6 (net/ipv4/tcp_ipv4.c), and finds
 * the programs that hold them.
 */
import { defined } from '../../../base/defined.ts'
import { textOf, type Reading } from '../../read/reading.ts'
import { readProcesses } from '../users/processes.ts'

export type Connection = {
  readonly local: string
  readonly localPort: number
  readonly remote: string
  readonly remotePort: number
  /** The number of the socket. `0`: a socket of the kernel. Absent: the table was shortened. */
  readonly inode?: string
}

export type Connections = {
  readonly established: readonly Connection[]
  readonly listening: ReadonlySet<number>
  readonly gaps: readonly { readonly lost: string; readonly why: string }[]
}

const limit = 16 << 20
const states = { established: '01', listening: '0A' } as const

export function readConnections(reading: Reading): Connections {
  const established: Connection[] = []
  const listening = new Set<number>()
  const gaps: { lost: string; why: string }[] = []
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const result = reading.system.readText(path, limit)
    if (!result.ok) {
      textOf(reading, path, limit)
      if (result.reason !== 'absent')
        gaps.push({ lost: path, why: `it cannot be read (${result.code ?? result.reason})` })
      continue
    }
    for (const line of result.value.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      const one = parseConnection(fields)
      if (one === undefined) continue
      if (fields[3] === states.listening) listening.add(one.localPort)
      if (fields[3] === states.established && !isLoopback(one.remote)) established.push(one)
    }
  }
  return { established, listening, gaps }
}

function parseConnection(fields: readonly string[]): Connection | undefined {
  const [, local = '', remote = '', , , , , , , inode] = fields
  const [localHex = '', localPort = ''] = local.split(':')
  const [remoteHex = '', remotePort = ''] = remote.split(':')
  const here = parseProcAddress(localHex)
  const there = parseProcAddress(remoteHex)
  if (here === undefined || there === undefined) return undefined
  return {
    local: here,
    localPort: Number.parseInt(localPort, 16),
    remote: there,
    remotePort: Number.parseInt(remotePort, 16),
    ...defined({ inode }),
  }
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || /^(?:0:){7}1$/.test(address)
}

export type Holders = {
  /** Socket number → program names. */
  readonly names: ReadonlyMap<string, readonly string[]>
  /** Present if the sockets of some programs could not be seen, with place and reason. */
  readonly hidden?: string
}

export function holdersOf(reading: Reading, inodes: ReadonlySet<string>): Holders {
  const names = new Map<string, string[]>()
  if (inodes.size === 0) return { names }
  const { list, hidden } = readProcesses(reading)
  for (const { pid, sockets } of list) {
    for (const socket of sockets) {
      if (!inodes.has(socket)) continue
      names.set(socket, [...(names.get(socket) ?? []), textOf(reading, `/proc/${pid}/comm`) ?? ''])
    }
  }
  if (hidden !== undefined) return { names, hidden: `${hidden.path}: ${hidden.why}` }
  return list.length === 0 ? { names, hidden: 'no program is shown in /proc' } : { names }
}

/**
 * `0702000A` is 10.0.2.7. 32 digits are four such words. An IPv4 address mapped into IPv6 is returned as
 * IPv4.
 */
export function parseProcAddress(hex: string): string | undefined {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return undefined
  const bytes: number[] = []
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = 6; at >= 0; at -= 2) bytes.push(Number.parseInt(hex.slice(word + at, word + at + 2), 16))
  }
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff)
    return bytes.slice(12).join('.')
  const words: string[] = []
  for (let at = 0; at < 16; at += 2) words.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  return words.join(':')
}
