/**
 * What the host uses and could do without, and this plan takes: a second address, a bridge for VMs, a sound
 * card. Each is given up by name, in the spec (`host: give-up`) or at the question of `apply`.
 */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import type { HostNeed } from '../../host/host.ts'
import { giveUpWords } from '../../judge/checks/needs.ts'
import { needSteps } from '../../judge/words.ts'
import type { PciAddress } from '../../pci/address.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'
import { placeOf } from '../../spec/places.ts'
import { callNames, type View } from './view.ts'

/** `name` is the word to give it up by; `what` says what it is. */
export type Concession = { readonly address: PciAddress; readonly name: string; readonly what: string }

/** Given up by a word for the whole kind, whatever the device is called. */
const kindWords = new Set(Object.values(giveUpWords))

/** The board's idle functions go with their group, and nobody misses them. */
function isConcession({ weight, kind }: HostNeed): boolean {
  return weight === 'spoken-for' && kind !== 'chipset' && kind !== 'vm'
}

/** Another keyboard or leg of the same set stays. */
function stands({ redundant }: HostNeed, gone: ReadonlySet<PciAddress>): boolean {
  return redundant?.others.some((other) => !gone.has(other)) === true
}

export function concessionsOf(
  view: View,
  gone: ReadonlySet<PciAddress>,
): { readonly open: readonly Concession[]; readonly findings: readonly Finding[] } {
  const given = new Set(view.spec.host.giveUp.map((word) => word.toLowerCase()))
  const open = new Map<string, Concession>()
  for (const address of gone) {
    for (const need of view.judgements.get(address)?.neededBy ?? []) {
      if (
        !isConcession(need) ||
        stands(need, gone) ||
        namesOf(view, need).some((name) => given.has(name.toLowerCase()))
      )
        continue
      const [name = need.what] = namesOf(view, need)
      open.set(`${address} ${name}`, { address, name, what: needSteps(need).join(' → ') })
    }
  }
  return { open: [...open.values()], findings: unknownWords(view, gone) }
}

/** Words that name a need: the one to show comes first. */
function namesOf(view: View, need: HostNeed): string[] {
  const device = view.layout.devices.get(need.device)
  const word = giveUpWords[need.kind]
  const mount = need.mountPoint === undefined ? [] : [need.mountPoint]
  return [
    ...(word === undefined ? [] : [word]),
    ...mount,
    ...need.chain.slice(0, 1),
    need.what,
    ...need.chain,
    ...(device ? callNames(device) : []),
  ]
}

/**
 * A word that gives up nothing now: what it names may have ended, or was never there. What a device already
 * left for no longer shows.
 */
function unknownWords(view: View, gone: ReadonlySet<PciAddress>): Finding[] {
  const needs = view.host.needs
  const isUnderWay = [...gone].some((address) => isVfioDriver(view.layout.devices.get(address)?.driver))
  return view.spec.host.giveUp.flatMap((word, index): Finding[] => {
    if (kindWords.has(word)) return []
    const meant = needs.filter((need) =>
      namesOf(view, need).some((name) => name.toLowerCase() === word.toLowerCase()),
    )
    const vital = meant.find(
      (need) => need.weight === 'vital' && !kindWords.has(namesOf(view, need)[0] ?? ''),
    )
    if (vital === undefined && (meant.length > 0 || isUnderWay)) return []
    const at = placeOf(view.places, ['host', 'give-up', index])
    return [{ ...(vital ? cannotBeGivenUp(word, vital) : namesNothing(word)), ...defined({ at }) }]
  })
}

function cannotBeGivenUp(word: string, need: HostNeed): Finding {
  return {
    code: 'give-up',
    severity: 'error',
    message: `host: give-up names ${word}, and the host cannot do without it: ${needSteps(need).join(' → ')}`,
    help: 'take the word out; only what the host can do without is given up',
    about: [need.device],
  }
}

function namesNothing(word: string): Finding {
  return {
    code: 'give-up',
    severity: 'warning',
    message: `host: give-up names ${word}, and the host uses nothing by that name now`,
    help: 'use boot-display, text-console, keyboard, or the name that handover plan shows',
  }
}
