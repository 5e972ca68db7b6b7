/** advise: before a purchase. Would this card work on this host, and in which slot. */
import { advise, type Advice } from '../advise/advise.ts'
import { findCards } from '../advise/find-card.ts'
import { UsageError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { readSource } from './read-source.ts'

export type AdviseRequest = {
  readonly from?: string
  /** Ids (`8086:1521`) or words (`quad port nic`). Absent: what the free slots give to any card. */
  readonly card?: string
}

export async function adviseCards(system: System, { from, card }: AdviseRequest): Promise<Advice> {
  const found = card === undefined ? { kind: 'found' as const, cards: [] } : findCards(card)
  if (found.kind === 'unknown')
    throw new UsageError(
      `no card here is called ${card}`,
      found.near === undefined
        ? 'give its ids, such as 8086:1521 (lspci -nn shows them), or words such as: quad port nic, I350, HBA'
        : `did you mean ${found.near}?`,
    )
  return advise(await readSource(system, from), found.cards)
}
