/**
 * What an earlier attempt left on the host and will fight with the plan at the next boot: ids for vfio-pci,
 * blacklists, driverctl overrides, devices still bound. Read from the kernel command line and the files
 * inside the Host.
 */
import { listAll } from '../../base/text.ts'
import { plainModule } from '../../boot/module-options.ts'
import type { Finding } from '../../base/finding.ts'
import { compareAddresses, parseAddress, type PciAddress } from '../../pci/address.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { findForeignIds, takesOut, type ForeignIds, type Removal } from './foreign-ids.ts'
import { mayGo, type View } from '../who/view.ts'
import { nameOf } from '../words.ts'

type Text = { readonly where: string; readonly text: string }

/** `removal`: what the spec asks to be taken out; absent when it does not. */
export function checkLeftovers(view: View, leaving: ReadonlySet<PciAddress>, removal?: Removal): Finding[] {
  const modprobe = (view.host.files ?? [])
    .filter(({ path }) => path.startsWith('/etc/modprobe.d/'))
    .map(({ path, text }) => ({ where: path, text: withoutComments(text) }))
  return [
    ...findForeignIds(view.host).flatMap((found) => checkIds(view, leaving, found, removal)),
    ...modprobe.flatMap((source) => checkBlacklists(view, source)),
    ...checkDriverctl(view, leaving),
    ...checkStillBound(view, leaving),
  ]
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*#.*$/gm, '').replaceAll(/\\\n/g, ' ')
}

/** Takes every device of that kind, the host's too. */
function checkIds(
  view: View,
  leaving: ReadonlySet<PciAddress>,
  found: ForeignIds,
  removal?: Removal,
): Finding[] {
  const { where, taker, ids: list } = found
  const wanted = list.split(',').filter((id) => id !== '')
  const same = view.host.devices
    .filter((device) => !isBridge(device) && wanted.some((id) => hasIds(device, id)))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
  const grabbed = same.filter(({ address }) => !leaving.has(address))
  if (takesOut(removal, found)) return [sayTakenOut(found, same, grabbed)]
  const way =
    removal === undefined
      ? ' (or let it be done: host: foreign-ids: remove)'
      : ' yourself, since the plan does not write there'
  if (grabbed.length === 0) return [noteIds(found, same, way)]
  const needed = grabbed.filter(({ address }) => !mayGo(view, address))
  return [
    {
      code: 'ids-binding',
      severity: needed.length > 0 ? 'error' : 'warning',
      message: `${where} gives ${taker} the ids ${list}: at boot it takes ${sayAll(grabbed)} too, which the plan does not give away${needed.length > 0 ? ` and the host needs (${listAll(needed.map((d) => d.address))})` : ''}`,
      help: `take ids=${list} out of ${where}${way}: the plan binds by place and identity, not by kind`,
      about: grabbed.map(({ address }) => address),
    },
  ]
}

/** Harmless today, and not ours: shown and left alone. */
function noteIds({ where, taker, ids }: ForeignIds, same: readonly PciDevice[], way: string): Finding {
  const whom =
    same.length === 0
      ? 'no device here has them, and a card of that kind would be taken the day it is added'
      : `of the devices here only ${sayAll(same)}, which leave anyway`
  return {
    code: 'ids-binding',
    severity: 'note',
    message: `${where} gives ${taker} the ids ${ids}: ${whom}; that line is left alone`,
    help:
      `you may take it out${way}: the plan binds by place and identity, and another card of ` +
      `that kind would be taken by ids=${ids}, too`,
    about: same.map(({ address }) => address),
  }
}

function sayTakenOut(
  { where, taker, ids }: ForeignIds,
  same: readonly PciDevice[],
  freed: readonly PciDevice[],
): Finding {
  const own = freed.length === 1 ? 'has its own driver' : 'have their own drivers'
  const then = freed.length === 0 ? '' : `; from the next boot on ${sayAll(freed)} ${own} again`
  return {
    code: 'ids-binding',
    severity: 'note',
    message: `${where} gives ${taker} the ids ${ids}: they are taken out, as the spec asks${then}`,
    help: 'what a VM is given is bound by place and identity instead; handover rollback puts the ids back',
    about: same.map(({ address }) => address),
  }
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
  const names = new Set(
    [...text.matchAll(/^\s*blacklist\s+(\S+)/gm)].map(([, name]) => plainModule(name ?? '')),
  )
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

/**
 * `/etc/driverctl.d/pci-0000:01:00.0` holds a driver name; it goes by address alone and sticks to whatever
 * answers there.
 */
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
      ? `driverctl binds ${address} (${nameOf(device)}) to ${driver} at every boot, and the ` +
        'plan does not give it away'
      : isOurs
        ? `driverctl binds ${address} to ${driver} at every boot too, by its address alone: ` +
          'after a renumbering that is another device'
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
  const bound = view.host.devices.filter(
    (device) => device.driver === 'vfio-pci' && !leaving.has(device.address),
  )
  if (bound.length === 0) return []
  return [
    {
      code: 'still-bound',
      severity: 'note',
      message:
        `${sayAll(bound)} ${bound.length === 1 ? 'is' : 'are'} on vfio-pci, and the spec ` +
        `gives ${bound.length === 1 ? 'it' : 'them'} to no VM`,
      help: 'handover rollback gives back what handover took; a device bound by hand is given back by hand',
      about: bound.map(({ address }) => address),
    },
  ]
}

function sayAll(devices: readonly PciDevice[]): string {
  const named = devices.slice(0, 4).map((device) => `${device.address} (${nameOf(device)})`)
  return devices.length > 4 ? `${named.join(', ')} and ${devices.length - 4} more` : listAll(named)
}
