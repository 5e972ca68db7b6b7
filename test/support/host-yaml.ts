/**
 * A host as a few lines of YAML, for scenarios:
 *
 *     base: seed                       # test/scenarios/hosts/seed.yaml, changed by the rest
 *     remove: [ "04:00.0" ]
 *     change: { "01:00.0": { driver: vfio-pci } }
 *     devices:
 *       - { at: "00:1c.0", bus: 1, group: 2 }              # a root port and the bus below it
 *       - { at: "01:00.0", kind: nic, group: 10 }          # kind fills in class, ids, driver and name
 *     needs: [ { device: "00:1f.2", what: /, chain: [ sda1, sda ] } ]
 *     facts: { memory: { totalMiB: 4096 } }                # anything else of a Host
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Host, HostNeed } from '../../src/host/host.ts'
import type { PciDevice } from '../../src/pci/device.ts'
import { at, device, host, need, rootPort, type DeviceFacts } from './host-builder.ts'

type DeviceLine = DeviceFacts & { readonly at: string; readonly bus?: number }
type HostYaml = {
  readonly base?: string
  readonly remove?: readonly string[]
  readonly change?: Readonly<Record<string, Partial<PciDevice> & { readonly group?: number }>>
  readonly devices?: readonly DeviceLine[]
  readonly needs?: readonly (Partial<HostNeed> & { readonly device: string; readonly what: string })[]
  readonly facts?: Partial<Host>
}
type Parts = { devices: Map<string, PciDevice>; needs: HostNeed[]; facts: Partial<Host> }

export function readHostYaml(file: string, hosts: string): Host {
  const { devices, needs, facts } = readParts(file, hosts)
  return host([...devices.values()], { ...facts, needs })
}

function readParts(file: string, hosts: string): Parts {
  const yaml = parse(readFileSync(file, 'utf8')) as HostYaml
  const parts =
    yaml.base === undefined
      ? { devices: new Map(), needs: [], facts: {} }
      : readParts(join(hosts, `${yaml.base}.yaml`), hosts)
  const devices = new Map(parts.devices)
  for (const address of yaml.remove ?? [])
    if (!devices.delete(at(address))) throw new Error(`${file}: nothing to remove at ${address}`)
  for (const [address, { group, ...facts }] of Object.entries(yaml.change ?? {})) {
    const known = devices.get(at(address))
    if (known === undefined) throw new Error(`${file}: nothing to change at ${address}`)
    devices.set(at(address), { ...known, ...facts, ...(group === undefined ? {} : { iommuGroup: group }) })
  }
  for (const { at: address, bus, ...facts } of yaml.devices ?? [])
    devices.set(at(address), bus === undefined ? device(address, facts) : rootPort(address, bus, facts))
  const needs =
    yaml.needs === undefined
      ? parts.needs
      : yaml.needs.map(({ device, what, chain, ...facts }) => need(device, what, chain ?? [], facts))
  return { devices, needs, facts: { ...parts.facts, ...yaml.facts } }
}
