/**
 * What the import tests share: text in, the few facts a test looks at out. The machines in these tests are
 * invented.
 */
import { readHostFrom } from '../../../../src/sources/listings/read-from.ts'
import type { Host } from '../../../../src/host/host.ts'
import type { PciDevice } from '../../../../src/pci/device.ts'
import { gunzip } from '../../../../src/machine/gunzip.ts'
import { linuxSystem } from '../../../../src/machine/linux.ts'

export const importSystem = { openFolder: (path: string) => linuxSystem({ root: path }), gunzip }

export function readText(text: string | Uint8Array): Host {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const reading = readHostFrom({ name: 'pasted', bytes }, importSystem)
  if (!reading.ok) throw reading.error
  return reading.host
}

export function deviceOf(host: Host, address: string): PciDevice {
  const device = host.devices.find((d) => (d.address as string) === address)
  if (!device) throw new Error(`${address} is not among ${host.devices.map((d) => d.address).join(' ')}`)
  return device
}

/** `0: 00:01.0, 01:00.0` per group, domain 0 left out. */
export function groupsOf(host: Host): Record<number, string> {
  const short = (address: string) => address.replace(/^0000:/, '')
  return Object.fromEntries(
    host.groups.map((g) => [g.id, [...g.devices.map(short), ...(g.otherMembers ?? [])].join(' ')]),
  )
}
