/**
 * The three kinds of ends to which a need can be followed. Every reader of needs returns ends, and `needsOf`
 * turns them into needs. A need without a known end is lost, and is never dropped.
 */
import { defined } from '../../base/defined.ts'
import type { PciAddress } from '../../pci/address.ts'
import type { HostNeed, LostNeed } from '../host.ts'

export type End =
  | {
      readonly to: 'function'
      readonly chain: readonly string[]
      readonly device: PciAddress
      readonly redundant?: NonNullable<HostNeed['redundant']>
    }
  /** Known not to be a function of this host: memory, or a server behind a port that is followed itself. */
  | { readonly to: 'elsewhere'; readonly chain: readonly string[]; readonly why: string }
  /**
   * `lost` is the name that could not be followed further, `why` a clause such as `nothing says which port it
   * runs over`.
   */
  | {
      readonly to: 'lost'
      readonly chain: readonly string[]
      readonly lost: string
      readonly why: string
      /** The rest is in another network namespace. */
      readonly isForeign?: true
      /**
       * The functions at which it could end, if they are known more precisely than from the kind of the need.
       */
      readonly couldBe?: readonly PciAddress[]
    }

export type NeedsRead = { readonly needs: readonly HostNeed[]; readonly lost: readonly LostNeed[] }

/** A need without chain and end. */
export type NeedStart = Pick<
  HostNeed,
  'kind' | 'what' | 'weight' | 'mountPoint' | 'isDefaultRoute' | 'subject' | 'vm'
>

/**
 * `couldBe`: the functions at which a lost need of this kind could end (could-be.ts). A need without any end
 * is lost.
 */
export function needsOf(
  start: NeedStart,
  ends: readonly End[],
  couldBe: () => readonly PciAddress[],
): NeedsRead {
  const needs: HostNeed[] = []
  const lost: LostNeed[] = []
  const found: readonly End[] =
    ends.length > 0 ? ends : [{ to: 'lost', chain: [], lost: start.what, why: 'nothing says where it leads' }]
  for (const end of found) {
    if (end.to === 'function') {
      const { chain, device, redundant } = end
      needs.push({ ...start, chain, device, ...defined({ redundant }) })
    } else if (end.to === 'lost') {
      const { kind, what } = start
      lost.push({
        kind,
        what,
        chain: end.chain,
        lost: end.lost,
        why: end.why,
        couldBe: end.couldBe ?? couldBe(),
      })
    }
  }
  return { needs, lost }
}

export function joinNeeds(parts: readonly NeedsRead[]): NeedsRead {
  return { needs: parts.flatMap(({ needs }) => needs), lost: parts.flatMap(({ lost }) => lost) }
}
