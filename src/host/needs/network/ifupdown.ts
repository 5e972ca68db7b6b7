/**
 * interfaces(5) of ifupdown, ifupdown2 and ifupdown-ng. The installer of Proxmox lists every port as `iface
 * eno2 inet manual`. That line alone brings nothing up, so it is no use of the port.
 */
import { matchesPattern, namesPort, wordsOf, type Port } from './port-words.ts'

export function namedByIfupdown(text: string, port: Port): boolean {
  let inside: { name: string; isManual: boolean } | undefined
  for (const line of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const [word = '', ...rest] = wordsOf(line.trim())
    if (word === '') continue
    if (word === 'auto' || word.startsWith('allow-')) {
      inside = undefined
      if (rest.some((name) => isNamed(name, port))) return true
    } else if (word === 'iface') {
      inside = { name: rest[0] ?? '', isManual: rest.includes('manual') || rest.length < 2 }
      if (!inside.isManual && isNamed(inside.name, port)) return true
      // The name of a VLAN contains that of its port.
      if (inside.name !== port.name && namesPort([inside.name], port)) return true
    } else if (word === 'mapping' || word.startsWith('source') || word.startsWith('no-')) inside = undefined
    else if (inside !== undefined && givesUse(inside.name, word, rest, port)) return true
  }
  return false
}

/** A pattern in ifupdown begins with a slash: `auto /eth*`. */
function isNamed(word: string, port: Port): boolean {
  return namesPort([word], port) || matchesPattern(word.replace(/^\//, ''), port.name)
}

/** An option that gives this port an address, or an option of another interface that is built on it. */
function givesUse(stanza: string, option: string, values: readonly string[], port: Port): boolean {
  if (stanza === port.name) return option === 'address' || (option === 'use' && values.includes('dhcp'))
  if (/^bridge[-_]ports$/.test(option) && (values.includes('all') || values.includes('regex'))) return true
  return namesPort(values, port)
}
