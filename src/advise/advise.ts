/** Before a purchase: would this card work on this host, and in which slot (pure). */
import type { Host } from '../host/host.ts'
import { judgeHost } from '../judge/judge.ts'
import type { DeviceJudgement } from '../judge/types.ts'
import { needSteps } from '../judge/words.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { acsRowsFor } from '../pci/quirks/acs-quirks.ts'
import { resetReportsOf } from '../pci/quirks/reset-reports.ts'
import { resetQuirksOf, type ResetQuirk } from '../pci/quirks/reset-quirks.ts'
import { nameOf } from '../plan/words.ts'
import type { Card } from './find-card.ts'
import { freeSlots, placeCard, type Slot } from './slots.ts'

/** A known fact with the place where it can be read, and the year and month of looking. */
export type Fact = { readonly text: string; readonly source: string; readonly date: string }

export type SlotAdvice = {
  readonly slot: Slot
  /**
   * `good`: the card leaves with nothing else. `shared`: something leaves with it. `bad`: the host needs what
   * shares its group. `unknown`: the groups cannot be predicted from this input.
   */
  readonly fit: 'good' | 'shared' | 'bad' | 'unknown'
  /** Each port of the card in a group of its own, so that two VMs can share the card. */
  readonly portsApart?: boolean
  readonly confidence?: 'high' | 'low'
  readonly with: readonly { readonly address: PciAddress; readonly name: string; readonly need?: string }[]
}

export type CardAdvice = {
  readonly name: string
  readonly ids: string
  readonly ports?: number
  readonly facts: readonly Fact[]
  readonly unknown: readonly string[]
  readonly slots: readonly SlotAdvice[]
}

export type Advice = {
  readonly cards: readonly CardAdvice[]
  readonly freeSlots: readonly Slot[]
}

/** Any endpoint: for a host without a card in mind. */
const anyCard: Card = { vendorId: '0000', deviceId: '0000' }

/** Without cards: what the free slots give to any card with one function. */
export function advise(host: Host, cards: readonly Card[]): Advice {
  const slots = freeSlots(host)
  const judged = new Map(judgeHost(host).devices.map((one) => [one.address, one]))
  const look: Look = { host, judged, slots }
  return {
    freeSlots: slots,
    cards: (cards.length === 0 ? [anyCard] : cards).map((card) => adviseCard(look, card)),
  }
}

type Look = {
  readonly host: Host
  readonly judged: ReadonlyMap<PciAddress, DeviceJudgement>
  readonly slots: readonly Slot[]
}

function adviseCard(look: Look, card: Card): CardAdvice {
  const { vendorId, deviceId, family } = card
  const isAny = card === anyCard
  return {
    name: isAny ? 'any card with one function' : (family?.name ?? 'a card that is in no table here'),
    ids: isAny ? '' : `${vendorId}:${deviceId}`,
    ...(family === undefined ? {} : { ports: family.ports }),
    facts: isAny ? [] : factsOf(card),
    unknown: isAny ? [] : unknownOf(card),
    slots: look.slots.map((slot) => adviseSlot(look, card, slot)),
  }
}

function adviseSlot({ host, judged }: Look, card: Card, slot: Slot): SlotAdvice {
  const placed = placeCard(host, card, slot)
  if (placed === undefined) return { slot, fit: 'unknown', with: [] }
  const mates = [...new Set(placed.groups.flat())].flatMap((address) => {
    const device = host.devices.find((one) => one.address === address)
    // Ports of a group stay with the host and are in nobody's way.
    return device === undefined || isBridge(device) ? [] : [mateOf(device, judged)]
  })
  const isBad = mates.some(({ need }) => need !== undefined)
  return {
    slot,
    fit: isBad ? 'bad' : mates.length > 0 ? 'shared' : 'good',
    portsApart: placed.groups.length > 1 || (card.family?.ports ?? 1) === 1,
    confidence: placed.confidence,
    with: mates,
  }
}

function mateOf(device: PciDevice, judged: Look['judged']): SlotAdvice['with'][number] {
  const need = judged.get(device.address)?.neededBy.find(({ weight }) => weight === 'vital')
  const words = need === undefined ? {} : { need: needSteps(need).join(' → ') }
  return { address: device.address, name: nameOf(device), ...words }
}

/** When the tables were looked up (families.ts; pci/quirks/acs-quirks.ts). */
const lookedUp = '2026-12'

function factsOf({ vendorId, deviceId, family }: Card): Fact[] {
  const kernel = 'drivers/pci/quirks.c of Linux'
  const isIsolated = acsRowsFor(vendorId, deviceId).some(
    ({ quirk, listed }) => listed && quirk.rule === 'isolated',
  )
  const identified = { vendorId, deviceId, classCode: '' }
  return [
    ...(family === undefined ? [] : driverFacts(family)),
    ...(isIsolated && (family?.ports ?? 1) > 1
      ? [{ text: 'Linux knows that its ports do not reach each other', source: kernel, date: lookedUp }]
      : []),
    ...resetQuirksOf(identified)
      .filter(isReset)
      .map(({ about }) => ({
        text: `Linux has a reset quirk: ${about}`,
        source: kernel,
        date: lookedUp,
      })),
    ...resetReportsOf(vendorId, deviceId).map(({ what, source, date }) => ({
      text: `users report: ${what}`,
      source,
      date,
    })),
  ]
}

const isReset = ({ rule }: ResetQuirk) => rule !== 'brokenIntxMasking'

function driverFacts({ linux, freebsd }: NonNullable<Card['family']>): Fact[] {
  const ofLinux = {
    text: `Linux drives it with ${linux}`,
    source: "modules.alias of Debian's 6.1",
    date: lookedUp,
  }
  if (freebsd === null) return [ofLinux]
  const source = `FreeBSD, ${freebsd}`
  return [ofLinux, { text: `FreeBSD drives it with ${freebsd}`, source, date: lookedUp }]
}

/** What a person would want to know and no table here says. */
function unknownOf({ family }: Card): string[] {
  if (family === undefined) return ['its drivers, its ports and how it resets']
  const resets = 'how it resets: handover inspect shows that once the card is in'
  return family.freebsd === null ? ['a driver of FreeBSD (for OPNsense)', resets] : [resets]
}
