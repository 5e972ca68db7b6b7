/**
 * Reads the other ends of a tunnel from its configuration; sysfs does not show those of WireGuard and of
 * programs behind /dev/net/tun. Names are looked up in /etc/hosts only.
 */
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { numbersOf } from './remote-storage.ts'

export function configuredPeers(reading: Reading, name: string): string[] {
  const peers = new Set<string>()
  const take = (host: string): void => {
    for (const number of numbersOf(reading, host)) peers.add(number)
  }
  for (const [text, pattern] of texts(reading, name))
    for (const match of text.matchAll(pattern)) take((match[1] ?? '').replaceAll(/[[\]]/g, ''))
  return [...peers]
}

/** `Endpoint = 198.51.100.1:51820`, `endpoint=[2001:db8::1]:51820`. */
const endpoint = /^\s*endpoint\s*=\s*(\[[^\]]+\]|[^\s:]+):\d+/gim
/** `remote vpn.example 1194` of OpenVPN. */
const remote = /^\s*remote\s+(\S+)/gim

function* texts(reading: Reading, name: string): Generator<readonly [string, RegExp]> {
  const quick = textOf(reading, `/etc/wireguard/${name}.conf`)
  if (quick !== undefined) yield [quick, endpoint]
  for (const folder of ['/etc/systemd/network', '/run/systemd/network'])
    for (const file of namesIn(reading, folder)) {
      const text = file.endsWith('.netdev') ? textOf(reading, `${folder}/${file}`) : undefined
      if (text !== undefined && new RegExp(`^\\s*Name\\s*=\\s*${escaped(name)}\\s*$`, 'm').test(text))
        yield [text, endpoint]
    }
  const connections = '/etc/NetworkManager/system-connections'
  for (const file of namesIn(reading, connections)) {
    const text = textOf(reading, `${connections}/${file}`)
    if (text !== undefined && new RegExp(`^interface-name=${escaped(name)}$`, 'm').test(text))
      yield [text, endpoint]
  }
  for (const folder of ['/etc/openvpn', '/etc/openvpn/client'])
    for (const file of namesIn(reading, folder)) {
      const text = /\.(?:conf|ovpn)$/.test(file) ? textOf(reading, `${folder}/${file}`) : undefined
      if (text !== undefined && new RegExp(`^\\s*dev\\s+${escaped(name)}\\s*$`, 'm').test(text))
        yield [text, remote]
    }
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`)
}
