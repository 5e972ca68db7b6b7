/** The host with everything about it that planning asks again and again, worked out once. */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { standOf } from '../../judge/chipset.ts'
import { judgeHost } from '../../judge/judge.ts'
import { says } from '../../judge/reasons.ts'
import type { DeviceJudgement, Reason } from '../../judge/types.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { didYouMean } from '../../base/did-you-mean.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec } from '../../spec/spec.ts'
import { layoutOf, type Layout } from './cards.ts'

/**
 * The words of the spec that keep a function; `functions` names the set of virtual functions that the spec
 * makes of it.
 */
export type Kept = { readonly words: string; readonly functions?: string }

export type View = {
  readonly host: Host
  readonly spec: Spec
  readonly layout: Layout
  readonly judgements: ReadonlyMap<PciAddress, DeviceJudgement>
  readonly kept: ReadonlyMap<PciAddress, Kept>
  readonly places: SpecPlaces | undefined
  /** About the host as a whole, and about words in the spec that name nothing here. */
  readonly findings: readonly Finding[]
}

export function viewOf(
  host: Host,
  spec: Spec,
  places: SpecPlaces | undefined,
  physicalOf?: ReadonlyMap<string, PciAddress>,
): View {
  const judgement = judgeHost(host, {
    giveUp: spec.host.giveUp,
    ownVms: spec.vms.map(({ name }) => name),
    ...defined({ notInUse: spec.host.notInUse }),
  })
  const { kept, findings } = findKept(host, spec, places)
  for (const [word, address] of physicalOf ?? [])
    kept.set(address, { words: `virtual-functions ${word}`, functions: word })
  return {
    host,
    spec,
    layout: { ...layoutOf(host), ...defined({ physicalOf }) },
    judgements: byAddress(judgement.devices),
    kept,
    places,
    findings: [...host.findings, ...judgement.findings, ...findings],
  }
}

/**
 * An input that lists an address twice is believed where it says the worse: a refusal of either is a refusal.
 */
function byAddress(judgements: readonly DeviceJudgement[]): Map<PciAddress, DeviceJudgement> {
  const map = new Map<PciAddress, DeviceJudgement>()
  for (const one of judgements) {
    const known = map.get(one.address)
    if (known === undefined) map.set(one.address, one)
    else {
      const worse = one.verdict === 'refused' ? one : known
      map.set(one.address, { ...worse, reasons: [...known.reasons, ...one.reasons] })
    }
  }
  return map
}

/** What leaves the host when this function does: itself, its group, its card's companions. Bridges stay. */
export function unitMembers(view: View, address: PciAddress): readonly PciAddress[] {
  return view.layout.unitOf.get(address)?.members ?? [address]
}

/**
 * Why this function stays, its own reasons first, then those of what would have to go along. Empty: it may
 * go.
 */
export function refusalsOf(view: View, address: PciAddress): Reason[] {
  const own = ownRefusals(view, address)
  if (own.length > 0) return own
  return unitMembers(view, address).flatMap((member) =>
    member === address ? [] : refusalsAlong(view, member),
  )
}

/**
 * A function of the board is never given by itself; one that the host can do without goes along with its
 * group.
 */
function refusalsAlong(view: View, address: PciAddress): Reason[] {
  const device = view.layout.devices.get(address)
  const reasons = ownRefusals(view, address)
  return device !== undefined && standOf(device) === 'loose'
    ? reasons.filter(({ code }) => code !== 'host-chipset')
    : reasons
}

function ownRefusals(view: View, address: PciAddress): Reason[] {
  const reasons = (view.judgements.get(address)?.reasons ?? []).filter(
    (reason) => reason.severity === 'error',
  )
  const kept = view.kept.get(address)
  return kept === undefined ? reasons : [keptBySpec(address, kept), ...reasons]
}

function keptBySpec(address: PciAddress, { words, functions }: Kept): Reason {
  return {
    code: 'kept',
    severity: 'error',
    ...says(address, `stays with the host because the spec keeps ${words}`),
    help:
      functions === undefined
        ? `take ${words} out of host: keep, or choose another device`
        : `its virtual functions can be given away, it cannot: { virtual-function: ${functions} }`,
    about: [address],
  }
}

export function mayGo(view: View, address: PciAddress): boolean {
  return unitMembers(view, address).every(
    (member) => (member === address ? ownRefusals : refusalsAlong)(view, member).length === 0,
  )
}

/** A word that keeps nothing is an error: the owner believes something is safe that is not. */
function findKept(host: Host, spec: Spec, places: SpecPlaces | undefined) {
  const kept = new Map<PciAddress, Kept>()
  const findings: Finding[] = []
  spec.host.keep.forEach((word, i) => {
    const meant = host.devices.filter((device) => isCalled(device, word))
    for (const { address } of meant) if (!kept.has(address)) kept.set(address, { words: word })
    if (meant.length > 0) return
    const near = didYouMean(word, host.devices.flatMap(callNames))
    const at = placeOf(places, ['host', 'keep', i])
    findings.push({
      code: 'keep-unknown',
      severity: 'error',
      message: `host: keep names ${word}, and nothing on this host is called so`,
      help:
        near === undefined
          ? 'use an address, an interface name, a disk serial or a part of a device name'
          : `did you mean ${near}?`,
      ...defined({ at }),
    })
  })
  return { kept, findings }
}

export function callNames(device: PciDevice): string[] {
  const interfaces = (device.networkInterfaces ?? []).flatMap((port) => [
    port.name,
    port.mac,
    port.permanentMac,
  ])
  const disks = (device.disks ?? []).flatMap((disk) => [disk.name, disk.serial, disk.wwn])
  return [device.address, ...interfaces, ...disks, device.nvmeSerial].filter((name) => name !== undefined)
}

function isCalled(device: PciDevice, word: string): boolean {
  const plain = word.toLowerCase()
  if (callNames(device).some((name) => name.toLowerCase() === plain)) return true
  return parseAddress(word) === device.address || (device.name ?? '').toLowerCase().includes(plain)
}
