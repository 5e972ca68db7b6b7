/**
 * Finds the ports below PPP interfaces, which have no link in sysfs. /proc/net/pppoe
 * (drivers/net/ppp/pppoe.c) names the port of every PPPoE session of the kernel, but not its PPP interface. A
 * `pppoe` program has the port among its arguments. A modem is the terminal that pppd has open.
 */
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, textOf } from '../../read/reading.ts'
import type { End } from '../ends.ts'
import { argumentsOf, readProcesses, type OpenFile } from '../users/processes.ts'
import type { NetworkFacts } from './facts.ts'

export type PppGround = {
  /** Interfaces that PPPoE sessions use. */
  readonly interfaces: readonly string[]
  readonly modems: readonly End[]
  /** Some sessions run inside other packets of the host (L2TP, PPTP). */
  readonly overTunnel: boolean
  /** The reason why the list may be incomplete. */
  readonly gap?: string
}

export function pppGround({ reading, interfaces }: NetworkFacts): PppGround {
  const all = [...interfaces.byName.values()].filter(({ kind }) => kind === 'ppp').length
  const table = reading.system.readText('/proc/net/pppoe', 1 << 20)
  if (!table.ok) textOf(reading, '/proc/net/pppoe', 1 << 20)
  const sessions = table.ok
    ? table.value
        .split('\n')
        .slice(1)
        .flatMap((line) => line.trim().split(/\s+/)[2] ?? [])
    : []
  if (sessions.length >= all) return { interfaces: [...new Set(sessions)], modems: [], overTunnel: false }
  const { ports, modems, servers } = fromPrograms(reading)
  const tunnels = sessionsOfTunnels(reading) + servers
  const found = sessions.length + ports.length + modems.length + tunnels
  const why =
    !table.ok && table.reason !== 'absent'
      ? `/proc/net/pppoe cannot be read (${table.code ?? table.reason})`
      : 'nothing says which port it runs over'
  return {
    interfaces: [...new Set([...sessions, ...ports])],
    modems,
    overTunnel: tunnels > 0,
    ...(found < all ? { gap: why } : {}),
  }
}

function sessionsOfTunnels(reading: NetworkFacts['reading']): number {
  const table = reading.system.readText('/proc/net/pppol2tp', 1 << 20)
  return table.ok ? table.value.split('\n').filter((line) => /^\s+SESSION /.test(line)).length : 0
}

type Programs = { readonly ports: string[]; readonly modems: End[]; readonly servers: number }

function fromPrograms(reading: NetworkFacts['reading']): Programs {
  const found: { ports: string[]; modems: End[]; servers: number } = { ports: [], modems: [], servers: 0 }
  for (const { pid, open } of readProcesses(reading).list) {
    const comm = textOf(reading, `/proc/${pid}/comm`)
    if (comm !== 'pppd' && comm !== 'pppoe' && comm !== 'pptp') continue
    const words = argumentsOf(reading, pid)
    const port = comm === 'pppoe' ? words[words.indexOf('-I') + 1] : undefined
    if (port !== undefined && words.includes('-I')) found.ports.push(port)
    if (comm === 'pptp') found.servers += 1
    if (comm === 'pppd') found.modems.push(...openModems(reading, open))
  }
  return found
}

function openModems(reading: NetworkFacts['reading'], open: readonly OpenFile[]): End[] {
  for (const { path } of open) {
    const name = /^\/dev\/(tty(?:USB|ACM|S|XRUSB)\d+|wwan\w+)$/.exec(path)?.[1]
    if (name === undefined) continue
    const link = linkOf(reading, `/sys/class/tty/${name}`) ?? linkOf(reading, `/sys/class/wwan/${name}`)
    const device = ownerOf(link)
    if (device !== undefined) return [{ to: 'function', chain: [name], device }]
    if (link !== undefined)
      return [{ to: 'elsewhere', chain: [name], why: 'its hardware is not on a PCI bus' }]
  }
  return []
}
