/**
 * What an earlier attempt left on the host and will fight with the plan at the next boot: ids for vfio-pci, blacklists,
 * driverctl overrides, devices still bound. Read from the kernel command line and the files inside the Host.
 */
import type { Finding } from '../finding.ts'
import { compareAddresses, parseAddress, type PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { mayGo, type View } from './view.ts'
import { listWords, nameOf } from './words.ts'

type Text = { readonly where: string; readonly text: string }

export function checkLeftovers(view: View, leaving: ReadonlySet<PciAddress>): Finding[] {
  const files = (view.host.files ?? []).map(({ path, text }) => ({ where: path, text: withoutComments(text) }))
  const modprobe = files.filter(({ where }) => where.startsWith('/etc/modprobe.d/'))
  const sources: Text[] = [
    { where: 'the kernel command line', text: view.host.kernel.cmdline ?? '' },
    ...modprobe,
    // Lines `MODULE OPTIONS`, loaded in the initramfs (initramfs-tools(7)).
    ...files.filter(({ where }) => where === '/etc/initramfs-tools/modules'),
  ]
  return [
    ...sources.flatMap((source) => checkIds(view, leaving, source)),
    ...modprobe.flatMap((source) => checkBlacklists(view, source)),
    ...checkDriverctl(view, leaving),
    ...checkStillBound(view, leaving),
  ]
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*#.*$/gm, '').replaceAll(/\\\n/g, ' ')
}

/** `vfio-pci.ids=8086:10d3,…` on a command line, or `ids=…` behind the module's name; quotes go away in both. */
function idsIn(line: string): string[] {
  const words = line.trim().split(/\s+/)
  const module = words.findIndex((word) => plainModule(word) === 'vfio_pci')
  return words.flatMap((word, at) => {
    const [key = '', value = ''] = word.replaceAll('"', '').toLowerCase().split('=')
    const isOurs = plainModule(key) === 'vfio_pci.ids' || (key === 'ids' && module >= 0 && at > module)
    return isOurs && value !== '' ? [value] : []
  })
}

/** Takes every device of that kind, the host's too. */
function checkIds(view: View, leaving: ReadonlySet<PciAddress>, { where, text }: Text): Finding[] {
  const lists = text.split('\n').flatMap(idsIn)
  return lists.flatMap((list) => {
    const wanted = list.split(',').filter((id) => id !== '')
    const grabbed = view.host.devices
      .filter((device) => !isBridge(device) && !leaving.has(device.address) && wanted.some((id) => hasIds(device, id)))
      .toSorted((a, b) => compareAddresses(a.address, b.address))
    if (grabbed.length === 0) return noteIds(view, leaving, { where, list, wanted })
    const needed = grabbed.filter(({ address }) => !mayGo(view, address))
    return [
      {
        code: 'ids-binding',
        severity: needed.length > 0 ? 'error' : 'warning',
        message: `${where} gives vfio-pci the ids ${list}: at boot it takes ${sayAll(grabbed)} too, which the plan does not give away${needed.length > 0 ? ` and the host needs (${listWords(needed.map((d) => d.address))})` : ''}`,
        help: `take ids=${list} out of ${where}: the plan binds by place and identity, not by kind`,
        about: grabbed.map(({ address }) => address),
      } satisfies Finding,
    ]
  })
}

/** Harmless today, and not ours: shown and left alone. */
function noteIds(
  view: View,
  leaving: ReadonlySet<PciAddress>,
  { where, list, wanted }: { readonly where: string; readonly list: string; readonly wanted: readonly string[] },
): Finding[] {
  const same = view.host.devices
    .filter(({ address }) => leaving.has(address))
    .filter((device) => wanted.some((id) => hasIds(device, id)))
  if (same.length === 0) return []
  return [
    {
      code: 'ids-binding',
      severity: 'note',
      message: `${where} gives vfio-pci the ids ${list}: of the devices here only ${sayAll(same)}, which leave anyway; that line is left alone`,
      help: `it may go: the plan binds by place and identity, and another card of that kind would be taken by ids=${list}, too`,
      about: same.map(({ address }) => address),
    },
  ]
}

/** `vendor:device[:subvendor:subdevice[:class[:mask]]]`; ffffffff is "any", as in the kernel's PCI_ANY_ID. */
function hasIds(device: PciDevice, id: string): boolean {
  const parts = id.toLowerCase().split(':')
  const has = [device.vendorId, device.deviceId, device.subsystemVendorId, device.subsystemId]
  return has.every((value, i) => {
    const wanted = parts[i]
    return wanted === undefined || wanted === '' || wanted === 'ffffffff' || wanted.padStart(4, '0') === value
  })
}

/** A blacklist keeps a module from loading by itself, for every device it drives. */
function checkBlacklists(view: View, { where, text }: Text): Finding[] {
  const names = new Set([...text.matchAll(/^\s*blacklist\s+(\S+)/gm)].map(([, name]) => plainModule(name ?? '')))
  if (names.size === 0) return []
  return [...names].flatMap((name): Finding[] => {
    const needed = view.host.needs
      .filter(({ weight }) => weight === 'vital')
      .map((need) => view.layout.devices.get(need.device))
    const hit = [...new Set(needed)]
      .filter((device) => device !== undefined)
      .filter((device) =>
        [device.driver ?? '', ...(device.modules ?? [])].some((module) => plainModule(module) === name),
      )
    if (hit.length === 0) return []
    return [
      {
        code: 'driver-blacklisted',
        severity: 'warning',
        message: `${where} blacklists ${name}, the driver of ${sayAll(hit)}, which the host needs`,
        help: `take the line out of ${where}; a device is handed over by its place, its driver may stay`,
        about: hit.map(({ address }) => address),
      },
    ]
  })
}

/** `/etc/driverctl.d/pci-0000:01:00.0` holds a driver name; it goes by address alone and sticks to whatever answers there. */
function checkDriverctl(view: View, leaving: ReadonlySet<PciAddress>): Finding[] {
  return (view.host.files ?? []).flatMap(({ path, text }): Finding[] => {
    const address = parseAddress(/^\/etc\/driverctl\.d\/pci-(\S+)$/.exec(path)?.[1] ?? '')
    const driver = text.trim()
    if (address === undefined) return []
    const device = view.layout.devices.get(address)
    const isOurs = driver === 'vfio-pci' && leaving.has(address)
    const isHarmful = driver === 'vfio-pci' && device !== undefined && !leaving.has(address)
    if (!isOurs && !isHarmful && !leaving.has(address)) return []
    const message = isHarmful
      ? `driverctl binds ${address} (${nameOf(device)}) to ${driver} at every boot, and the plan does not give it away`
      : isOurs
        ? `driverctl binds ${address} to ${driver} at every boot too, by its address alone: after a renumbering that is another device`
        : `driverctl binds ${address} to ${driver} at every boot, against the plan`
    return [
      {
        code: 'driverctl-override',
        severity: isHarmful && device !== undefined && !mayGo(view, address) ? 'error' : 'warning',
        message,
        help: `driverctl unset-override ${address}`,
        about: [address],
      },
    ]
  })
}

function checkStillBound(view: View, leaving: ReadonlySet<PciAddress>): Finding[] {
  const bound = view.host.devices.filter((device) => device.driver === 'vfio-pci' && !leaving.has(device.address))
  if (bound.length === 0) return []
  return [
    {
      code: 'still-bound',
      severity: 'note',
      message: `${sayAll(bound)} ${bound.length === 1 ? 'is' : 'are'} on vfio-pci, and the spec gives ${bound.length === 1 ? 'it' : 'them'} to no VM`,
      help: 'handover rollback gives back what handover took; a device bound by hand is given back by hand',
      about: bound.map(({ address }) => address),
    },
  ]
}

function sayAll(devices: readonly PciDevice[]): string {
  const named = devices.slice(0, 4).map((device) => `${device.address} (${nameOf(device)})`)
  return devices.length > 4 ? `${named.join(', ')} and ${devices.length - 4} more` : listWords(named)
}

/** The kernel treats `-` and `_` in module names as equal. */
function plainModule(name: string): string {
  return name.replaceAll('-', '_')
}
