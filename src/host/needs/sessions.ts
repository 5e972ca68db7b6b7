/**
 * The sessions a person sits in: the SSH connection of this very process, and established connections to the ports hosts
 * are managed on (sudo strips SSH_CONNECTION, so both are looked at).
 */
import { textOf, type Reading } from '../reading.ts'

const managementPorts = new Map([
  [22, 'SSH session'],
  [8006, 'Proxmox session'],
  [9090, 'Cockpit session'],
])

/** /proc/net/tcp state of a connection in use. */
const established = '01'

export type Session = { readonly what: string; readonly client: string }

export function readSessions(reading: Reading): Session[] {
  const sessions = new Map<string, Session>()
  const add = (label: string, client: string): void => {
    if (isLoopback(client)) return
    sessions.set(`${label} ${client}`, { what: `${label} from ${client}`, client })
  }
  const own = reading.system.live ? reading.system.env('SSH_CONNECTION')?.split(' ')[0] : undefined
  if (own) add('SSH session', own)
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (textOf(reading, path, 16 << 20) ?? '').split('\n').slice(1)) {
      const [, local = '', remote = '', state] = line.trim().split(/\s+/)
      if (state !== established) continue
      const label = managementPorts.get(Number.parseInt(local.split(':')[1] ?? '', 16))
      const client = parseProcAddress(remote.split(':')[0] ?? '')
      if (label !== undefined && client !== undefined) add(label, client)
    }
  }
  return [...sessions.values()]
}

/** `0702000A` is 10.0.2.7; 32 digits are four such words; an IPv4 address mapped into IPv6 comes out as IPv4. */
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

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || /^(?:0:){7}1$/.test(address)
}
