/**
 * Why demands cannot be met together, and what would make it possible. The causes are found by trying: leave
 * one rule out and see whether the demands fit then.
 */
import { defined } from '../../base/defined.ts'
import { classWord } from '../../pci/class-code.ts'
import { listAll } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import type { PciAddress } from '../../pci/address.ts'
import { isBridge } from '../../pci/device.ts'
import type { DeviceSelector } from '../../spec/spec.ts'
import { placeOf } from '../../spec/places.ts'
import { allocate, type Demand, type Problem, type Supply } from './allocate.ts'
import type { Unit } from './cards.ts'
import type { Demands } from './demands.ts'
import { omit } from '../omit.ts'
import { findDevices } from './select.ts'
import { mayGo, type View } from './view.ts'
import { sayDemand, withArticle } from '../words.ts'

type Conflicting = { readonly demands: readonly number[]; readonly isMinimal: boolean }

const maxNamed = 6

export function explainConflict(
  view: View,
  wanted: Demands,
  { demands: numbers, isMinimal }: Conflicting,
): Finding {
  const demands = numbers.flatMap((i) => wanted.demands[i] ?? [])
  const last = demands.at(-1)
  const at = last && placeOf(view.places, ['vms', last.vm, 'devices', last.role], 'key')
  const addresses = candidatesOf(demands, wanted)
  const twice = addresses.length === 1 && numbers.every((i) => pointsAtOne(wanted.selects[i]))
  const names = demands.map(
    ({ vm, role }, i) => `${role} of ${vm} (${sayDemand(wanted.selects[numbers[i] ?? -1] ?? {})})`,
  )
  const shown =
    names.length <= maxNamed
      ? listAll(names)
      : `${names.slice(0, maxNamed).join(', ')} and ${names.length - maxNamed} more`
  // A set that could not be narrowed down is large, and trying what would help it takes as long as finding it
  // did.
  const causes: Causes = isMinimal ? findCauses(view, wanted, numbers) : {}
  const means = twice
    ? `${listAll(demands.map(({ vm, role }) => `${role} of ${vm}`))} mean the same device, ` +
      (addresses[0] ?? '')
    : `${isMinimal ? 'these' : 'among these'} ${demands.length} demands ${isMinimal ? '' : 'some '}cannot ` +
      `be met together: ${shown}; ${causes.why ?? supplyWords(demands, addresses)}`
  const help = twice ? 'a device goes to one role; choose another for the rest' : causes.help
  return {
    code: twice ? 'device-twice' : 'demands-conflict',
    severity: 'error',
    message: means,
    ...defined({ help }),
    about: addresses.slice(0, 64),
    ...defined({ at }),
  }
}

/** A key that names one device, and not a kind of device. */
function pointsAtOne(select: DeviceSelector | undefined): boolean {
  const { address, path, mac, serial, disk } = select ?? {}
  return [address, path, mac, serial, disk].some((key) => key !== undefined)
}

function candidatesOf(demands: readonly Demand[], wanted: Demands): PciAddress[] {
  const numbers = new Set(demands.flatMap((demand) => [...demand.candidates]))
  return [...numbers].toSorted((a, b) => a - b).flatMap((i) => wanted.addresses[i] ?? [])
}

function supplyWords(demands: readonly Demand[], addresses: readonly PciAddress[]): string {
  const few = addresses.length <= 4 ? ` (${addresses.join(', ')})` : ''
  return (
    `${addresses.length === 1 ? 'only one device fits' : `only ${addresses.length} devices fit`} any of ` +
    `them${few}${addresses.length >= demands.length ? ', and not all at once' : ''}`
  )
}

type Causes = { readonly why?: string; readonly help?: string }

function findCauses(view: View, wanted: Demands, numbers: readonly number[]): Causes {
  const demands = numbers.flatMap((i) => wanted.demands[i] ?? [])
  const oneNumaNode = new Set(view.spec.vms.filter((vm) => vm.oneNumaNode).map((vm) => vm.name))
  const fits = (changed: Partial<Problem>) =>
    allocate({ demands, supplies: wanted.supplies, oneNumaNode, ...changed }).kind === 'found'
  const ways: string[] = []
  let why: string | undefined
  if (fits({ supplies: wanted.supplies.map((supply, i): Supply => ({ ...supply, unit: i })) })) {
    const shared = sharedGroups(view, wanted, demands)
    why = `what leaves the host together goes to one VM as a whole${shared === '' ? '' : `: ${shared}`}`
    ways.push('give these roles to the same VM', 'put a card into a slot with an IOMMU group of its own')
  }
  for (const key of ['card', 'pair'] as const) {
    const words = new Set(demands.flatMap((demand) => demand[key] ?? []))
    if (words.size === 0 || !fits({ demands: demands.map((demand) => omit(demand, key)) })) continue
    why ??= `no ${key} has them all free`
    ways.push(`leave out ${listAll([...words].map((word) => `${key}: ${word}`))}`)
  }
  if (oneNumaNode.size > 0 && fits({ oneNumaNode: new Set() })) {
    why ??= 'no NUMA node has them all free'
    ways.push('leave out one-numa-node')
  }
  ways.push(...otherDevices(view, wanted, { numbers, demands, fits }))
  return {
    ...defined({ why }),
    help: ways.length === 0 ? addWords(wanted, numbers) : `it would work to ${ways.join(', or to ')}`,
  }
}

function sharedGroups(view: View, wanted: Demands, demands: readonly Demand[]): string {
  const groups = new Map<string, Set<PciAddress>>()
  for (const address of candidatesOf(demands, wanted)) {
    const unit = view.layout.unitOf.get(address)
    if (unit === undefined || unit.members.length < 2) continue
    const name = unitName(view, unit)
    groups.set(name, new Set([...(groups.get(name) ?? []), ...unit.members]))
  }
  return listAll(
    [...groups].slice(0, 3).map(([name, members]) => `${[...members].slice(0, 6).join(', ')} (${name})`),
  )
}

/** What ties them: the groups, and the card where functions of one have groups of their own. */
function unitName(view: View, { groups, members }: Unit): string {
  const [only] = groups
  if (groups.length === 1 && only !== undefined) return `group ${only}`
  const cards = new Set(members.map((address) => view.layout.cardOf.get(address)))
  return cards.size === 1
    ? 'one card'
    : `groups ${listAll(groups.map(String))}, tied by a card with functions in each`
}

type Trial = {
  readonly numbers: readonly number[]
  readonly demands: readonly Demand[]
  readonly fits: (changed: Partial<Problem>) => boolean
}

/** Would other devices do: any port, any of the kind, or one the spec keeps back. */
function otherDevices(view: View, wanted: Demands, { numbers, demands, fits }: Trial): string[] {
  const ways: string[] = []
  const index = new Map(wanted.addresses.map((address, i) => [address, i]))
  const endpoints = view.host.devices.filter((device) => !isBridge(device))
  const widened = (keys: 'no port' | 'class only') =>
    demands.map((demand, i): Demand => {
      const select = omit(wanted.selects[numbers[i] ?? -1] ?? {}, 'port')
      const asked =
        keys === 'no port' ? select : select.class === undefined ? select : { class: select.class }
      const candidates = findDevices(asked, endpoints, view.layout)
        .filter((device) => mayGo(view, device.address))
        .flatMap((device) => index.get(device.address) ?? [])
      return { ...demand, candidates: candidates.toSorted((a, b) => a - b) }
    })
  const asksPort = numbers.some((i) => wanted.selects[i]?.port !== undefined)
  if (asksPort && fits({ demands: widened('no port') })) ways.push('ask for another port, or for any')
  else if (fits({ demands: widened('class only') })) ways.push('take other devices of the same class')
  const kept = [...view.kept].filter(([address]) => index.has(address) && onlyKept(view, address))
  for (const [address, { words }] of kept.slice(0, 16)) {
    const more = demands.map((demand, i): Demand => {
      const device = view.layout.devices.get(address)
      const isMeant =
        device !== undefined &&
        findDevices(wanted.selects[numbers[i] ?? -1] ?? {}, [device], view.layout).length > 0
      return isMeant
        ? {
            ...demand,
            candidates: [...demand.candidates, index.get(address) ?? -1].toSorted((a, b) => a - b),
          }
        : demand
    })
    if (fits({ demands: more })) ways.push(`give up ${words} (${address}), which the spec keeps`)
  }
  return ways
}

function onlyKept(view: View, address: PciAddress): boolean {
  return !(view.judgements.get(address)?.reasons ?? []).some((reason) => reason.severity === 'error')
}

function addWords(wanted: Demands, numbers: readonly number[]): string {
  const kinds = new Set(numbers.map((i) => wanted.selects[i]?.class ?? 'other'))
  return (
    `ask for less, or add ${listAll([...kinds].map((kind) => withArticle(classWord(kind))))} ` +
    'to this host'
  )
}
