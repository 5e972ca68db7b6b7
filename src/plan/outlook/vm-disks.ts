/**
 * Block devices and images as the virtual disks of VMs: what the host needs, or another VM has, is refused
 * like a device, by whatever path, link or node it is named.
 */
import { defined } from '../../base/defined.ts'
import { listText } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host, HostBlockDevice, HostNeed, HostPath } from '../../host/host.ts'
import { identityWords } from '../../judge/identity-words.ts'
import { needSteps } from '../../judge/words.ts'
import type { PciAddress } from '../../pci/address.ts'
import { placeOf } from '../../spec/places.ts'
import type { View } from '../who/view.ts'
import { namedPaths, pathFinder, type NamedPath } from './vm-paths.ts'

type Leaving = { readonly vm: string; readonly address: PciAddress }
type Named = NamedPath & { readonly there: HostPath }

export function checkVmDisks(view: View, leaving: readonly Leaving[]): Finding[] {
  const find = pathFinder(view.host)
  const named = namedPaths(view.spec).flatMap((one): Named[] => {
    const there = find(one.path)
    return there === undefined ? [] : [{ ...one, there }]
  })
  const found = [
    ...named.flatMap((one) => wrongWithBlock(view, one, leaving).map((finding) => ({ one, finding }))),
    ...sharedImages(named),
  ]
  return found.map(({ one, finding }) => {
    const at = placeOf(view.places, one.place)
    return { ...finding, ...defined({ at }) }
  })
}

function wrongWithBlock(view: View, one: Named, leaving: readonly Leaving[]): Finding[] {
  const device = deviceAt(view.host, one.there)
  const names = namesOf(device, one.there)
  if (device === undefined && one.there.kind !== 'block') return wrongWithFile(view, one, names)
  const functions = device?.functions ?? []
  const named = view.host.needs.filter((need) => need.kind === 'disk' && isNamed(need, names))
  // That a volume is active is a need of the disks under it; itself it may be made for this VM.
  const isNeeded = device === undefined ? named.length > 0 : device.neededFor.length > 0
  if (isNeeded) return [needed(one, named, device)]
  const held = view.host.needs.find(
    (need) => need.kind !== 'disk' && need.vm !== one.vm && isNamed(need, names),
  )
  if (held !== undefined) return [inUse(one, held)]
  const goes = leaving.find(({ address }) => functions.includes(address))
  if (goes !== undefined) return [given(one, goes)]
  const doubts = lostAt(view, functions)
  if (doubts.length > 0) return [doubtful(one, doubts)]
  return device === undefined ? [notListed(one)] : []
}

/** A file that the host has in use itself, as swap or behind a loop device. */
function wrongWithFile({ host }: View, one: Named, names: ReadonlySet<string>): Finding[] {
  const needs = host.needs.filter((need) => need.kind === 'disk' && isNamed(need, names))
  return needs.length > 0 ? [needed(one, needs, undefined)] : []
}

function deviceAt({ blockDevices = [] }: Host, there: HostPath): HostBlockDevice | undefined {
  return (
    blockDevices.find(({ name }) => name === there.block) ??
    blockDevices.find(({ paths }) => paths.includes(there.real) || paths.includes(there.path))
  )
}

/** As chains of needs spell it: the kernel's name, or the volume's own. */
function namesOf(device: HostBlockDevice | undefined, { block, real, path }: HostPath): Set<string> {
  const paths = [...(device?.paths ?? []), real, path].map((one) => one.replace(/^\/dev\/(?:mapper\/)?/, ''))
  return new Set([...paths, block, device?.name].flatMap((name) => name ?? []))
}

function isNamed({ chain }: HostNeed, names: ReadonlySet<string>): boolean {
  return chain.some((step) => names.has(step) || names.has(step.replace(/^\/dev\//, '')))
}

/** A need whose trail was lost may stand on it, unless the person settled the doubt. */
function lostAt(view: View, functions: readonly PciAddress[]): string[] {
  const settled = new Set((view.spec.host.notInUse ?? []).map((word) => word.toLowerCase()))
  const open = functions.filter((address) => {
    const device = view.layout.devices.get(address)
    return device === undefined || !identityWords(device).some((word) => settled.has(word))
  })
  const doubts = (view.host.lostNeeds ?? []).filter(
    ({ kind, couldBe }) => kind === 'disk' && open.some((address) => couldBe.includes(address)),
  )
  return [...new Set(doubts.map(({ what, lost }) => `${what} (${lost})`))]
}

function needed(
  { vm, path, there }: Named,
  needs: readonly HostNeed[],
  device: HostBlockDevice | undefined,
): Finding {
  const [first] = device === undefined ? needs : needs.filter(({ what }) => device.neededFor.includes(what))
  const what =
    first === undefined ? listText(device?.neededFor ?? []) : [...needSteps(first), first.device].join(' → ')
  return {
    code: 'host-disk',
    severity: 'error',
    message: `disk of ${vm}: ${shown(path, there)} belongs to the host: ${what}`,
    help: 'a guest that writes there destroys what the host has on it; name an image file or another disk',
    about: first === undefined ? [...(device?.functions ?? [])] : [first.device],
  }
}

function inUse({ vm, path, there }: Named, need: HostNeed): Finding {
  return {
    code: need.kind === 'vm' ? 'vm-running' : 'host-use',
    severity: 'error',
    message: `disk of ${vm}: ${shown(path, there)} is in use: ${needSteps(need).join(' → ')}`,
    help: 'stop what uses it first, or name another disk',
    about: [need.device],
  }
}

function given({ vm, path, there }: Named, { vm: other, address }: Leaving): Finding {
  return {
    code: 'host-disk',
    severity: 'error',
    message: `disk of ${vm}: ${shown(path, there)} hangs on ${address}, which this plan gives to ${other}`,
    help: 'with its controller the disk leaves the host; take out the disk, or the controller',
    about: [address],
  }
}

function doubtful({ vm, path, there }: Named, doubts: readonly string[]): Finding {
  return {
    code: 'need-lost',
    severity: 'error',
    message: `disk of ${vm}: ${shown(path, there)} may carry ${listText(doubts, 3)}`,
    help: 'find out where that lies; handover inspect names what could not be followed',
  }
}

function notListed({ vm, path, there }: Named): Finding {
  return {
    code: 'need-lost',
    severity: 'error',
    message: `disk of ${vm}: ${shown(path, there)} is a block device, and nothing says what stands on it`,
    help: 'name an image file',
  }
}

function shown(path: string, { real, block }: HostPath): string {
  if (real !== path) return `${path} (${real})`
  return block === undefined || path.endsWith(`/${block}`) ? path : `${path} (${block})`
}

/** Two names of one file or device, or a disk and a part of it. Only what nobody writes may be shared. */
function sharedImages(named: readonly Named[]): { readonly one: Named; readonly finding: Finding }[] {
  const found: { one: Named; finding: Finding }[] = []
  const disks = named.filter(({ what }) => what === 'disk')
  const byPlace = new Map<string, Named[]>()
  for (const one of disks) {
    const before = byPlace.get(wholePlace(one)) ?? []
    byPlace.set(wholePlace(one), [...before, one])
    const other = before.find((earlier) => overlaps(earlier, one) && isWritten(earlier, one))
    if (other !== undefined) found.push({ one, finding: shared(other, one) })
  }
  return found
}

function wholePlace({ there }: Named): string {
  if (there.kind === 'block') return `block ${there.whole ?? there.real}`
  return there.inode ?? there.real
}

function overlaps({ there: a }: Named, { there: b }: Named): boolean {
  if (a.kind !== 'block') return true
  return a.block === b.block || a.block === a.whole || b.block === b.whole
}

function isWritten(a: Named, b: Named): boolean {
  return a.disk?.readOnly !== true || b.disk?.readOnly !== true
}

function shared(a: Named, b: Named): Finding {
  const who = a.vm === b.vm ? `two disks of ${a.vm} are` : `disks of ${a.vm} and ${b.vm} are`
  const path = a.path === b.path ? a.path : `${a.path} and ${b.path}`
  return {
    code: 'image-shared',
    severity: 'error',
    message: `${who} one image: ${path}`,
    help: 'two guests that write to one image destroy it; give each its own, or make it read-only for both',
  }
}
