/**
 * Finds the sessions of people, and the connections of storage programs: the SSH connection of this process,
 * established connections to management ports, and connections of known programs on any port. (sudo removes
 * SSH_CONNECTION, so all connections are checked.) A session is on the interface with its local address,
 * since packets to the other end may leave through another port.
 */
import type { Reading } from '../../read/reading.ts'
import { holdersOf, isLoopback, type Connection, type Connections } from './connections.ts'

const managementPorts = new Map([
  [22, 'SSH session'],
  [8006, 'Proxmox session'],
  [9090, 'Cockpit session'],
])

/** Names in /proc/PID/comm, which has at most fifteen characters. */
const sessionPrograms = new Map([
  ...['sshd', 'sshd-session', 'sshd-auth', 'dropbear', 'dropbearmulti', 'tinysshd', 'lsh-server'].map(
    (name) => [name, 'SSH session'] as const,
  ),
  ...['telnetd', 'in.telnetd', 'utelnetd'].map((name) => [name, 'Telnet session'] as const),
  ...['pveproxy worker', 'pveproxy', 'spiceproxy', 'spiceproxy work'].map(
    (name) => [name, 'Proxmox session'] as const,
  ),
  ...['cockpit-ws', 'cockpit-tls'].map((name) => [name, 'Cockpit session'] as const),
  ...[
    'xrdp',
    'gnome-remote-de',
    'krfb',
    'Xvnc',
    'x11vnc',
    'x0vncserver',
    'wayvnc',
    'vncserver-x11-c',
    'Xtigervnc',
  ].map((name) => [name, 'desktop session'] as const),
  ...['ttyd', 'shellinaboxd', 'gotty', 'wetty'].map((name) => [name, 'terminal session'] as const),
])

/** Programs whose connections carry disks and file systems of the host, on any port. */
const storagePrograms =
  /^(?:ceph-(?:osd|mon|mds|fuse)|glusterfs.*|glusterd|nbd-client|sshfs|beegfs.*|mfsmount|moosefs.*)$/

/** Whether the connections of this program are followed. */
export function isSessionProgram(name: string): boolean {
  return sessionPrograms.has(name) || storagePrograms.test(name)
}

export type Session = {
  readonly what: string
  readonly local: string
  readonly remote: string
}

export type SessionsRead = {
  readonly sessions: readonly Session[]
  /** Connections whose program is unknown. */
  readonly hidden: readonly (Session & { readonly why: string })[]
}

export function readSessions(reading: Reading, connections: Connections): SessionsRead {
  const sessions = new Map<string, Session>()
  const add = (label: string, { local, remote }: Pick<Connection, 'local' | 'remote'>): void => {
    sessions.set(`${label} ${local} ${remote}`, { what: `${label} from ${remote}`, local, remote })
  }
  const [client, , own] = reading.system.live ? (reading.system.env('SSH_CONNECTION') ?? '').split(' ') : []
  if (client && own && !isLoopback(client)) add('SSH session', { local: own, remote: client })
  const unsettled: Connection[] = []
  for (const one of connections.established) {
    const label = managementPorts.get(one.localPort)
    if (label === undefined) unsettled.push(one)
    else add(label, one)
  }
  const inodes = new Set(
    unsettled.flatMap(({ inode }) => (inode === undefined || inode === '0' ? [] : [inode])),
  )
  const holders = holdersOf(reading, inodes)
  const hidden: (Session & { why: string })[] = []
  for (const one of unsettled) {
    const names = holders.names.get(one.inode ?? '') ?? []
    const label = names.flatMap((name) => sessionPrograms.get(name) ?? [])[0]
    const storage = names.find((name) => storagePrograms.test(name))
    if (label !== undefined) add(label, one)
    else if (storage !== undefined) {
      const what = `${storage} to ${one.remote}`
      sessions.set(`${what} ${one.local}`, { what, local: one.local, remote: one.remote })
    } else if (
      names.length === 0 &&
      holders.hidden !== undefined &&
      connections.listening.has(one.localPort)
    ) {
      const what = `connection from ${one.remote} to port ${one.localPort}`
      hidden.push({ what, local: one.local, remote: one.remote, why: holders.hidden })
    }
  }
  return { sessions: [...sessions.values()], hidden }
}
