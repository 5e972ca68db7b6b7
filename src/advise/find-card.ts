/** Which card a person means: by ids, or by words such as "quad port nic". */
import { didYouMean } from '../base/did-you-mean.ts'
import { classWord } from '../pci/class-code.ts'
import { families, type CardFamily } from './families.ts'

/** A card to think about: a family, or ids of which nothing more is known. */
export type Card = { readonly vendorId: string; readonly deviceId: string; readonly family?: CardFamily }

export type FoundCards =
  | { readonly kind: 'found'; readonly cards: readonly Card[] }
  /** `near`: a known word that is spelled alike. */
  | { readonly kind: 'unknown'; readonly near?: string }

const ids = /^([0-9a-f]{4}):([0-9a-f]{4})$/i
const portWords: Readonly<Record<string, number>> = { single: 1, dual: 2, quad: 4, two: 2, four: 4 }
/** Words that say no more than that it is a card. */
const fillers = new Set(['port', 'ports', 'card', 'a', 'an', 'the', 'adapter', 'controller', 'with'])

export function findCards(asked: string): FoundCards {
  const [, vendorId, deviceId] = ids.exec(asked.trim())?.map((part) => part.toLowerCase()) ?? []
  if (vendorId !== undefined && deviceId !== undefined) {
    const family = families.find((one) => one.vendor === vendorId && one.devices.includes(deviceId))
    return { kind: 'found', cards: [{ vendorId, deviceId, ...(family && { family }) }] }
  }
  const words = asked
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '' && !fillers.has(word))
  const meant =
    words.length === 0 ? [] : families.filter((family) => words.every((word) => isSaid(word, family)))
  if (meant.length > 0)
    return {
      kind: 'found',
      cards: meant.map((family) => ({
        vendorId: family.vendor,
        deviceId: family.devices[0] ?? '',
        family,
      })),
    }
  const near = words
    .flatMap((word) => didYouMean(word, knownWords) ?? [])
    .find((word) => !words.includes(word))
  return { kind: 'unknown', ...(near === undefined ? {} : { near }) }
}

function isSaid(word: string, family: CardFamily): boolean {
  const ports = portWords[word]
  if (ports !== undefined) return family.ports === ports && family.class === 'nic'
  return wordsOf(family).some((known) => known === word || (word.length > 2 && known.startsWith(word)))
}

function wordsOf(family: CardFamily): string[] {
  const name = family.name.toLowerCase().split(/[\s()/]+/)
  return [...name, ...family.words, family.class, ...classWord(family.class).split(' '), family.linux]
}

const knownWords: ReadonlySet<string> = new Set([
  ...families.flatMap(wordsOf).filter((word) => word.length > 2),
  ...Object.keys(portWords),
])
