/** Notes what a listing lacks, once for the whole listing, and finds its form. */
import type { SourceKind } from '../../host/host.ts'
import { fullListing, note } from './draft.ts'
import type { Listing } from './listing-state.ts'

export function kindOf({ counts, forms }: Listing): SourceKind {
  const { headers, find, script, log, logFacts } = counts
  const [form, lines] = [...forms].toSorted(([, a], [, b]) => b - a)[0] ?? []
  if (form !== undefined && lines !== undefined && lines > headers + find + script + log + logFacts)
    return form
  if (log + logFacts > headers + find + script) return 'kernel-log'
  if (find > headers && find > script) return 'find'
  return script > 0 ? 'script' : headers > 0 ? 'lspci' : 'find'
}

export function noteGaps({ draft, shell }: Listing, kind: SourceKind): void {
  const devices = [...draft.devices.values()]
  const withoutIds = devices.filter((d) => d.deviceId === undefined).length
  if (withoutIds === devices.length) note(draft, 'the input states no vendor and device ids', fullListing)
  else if (withoutIds > 0)
    note(
      draft,
      `${withoutIds} of ${devices.length} functions are stated without vendor and device ids`,
      fullListing,
    )
  if (shell.groups === undefined && !devices.some((d) => typeof d.iommuGroup === 'number'))
    note(draft, 'the input states no IOMMU groups', fullListing)
  if (!devices.some((d) => d.driver !== undefined)) note(draft, 'the input states no drivers', fullListing)
  if (!devices.some((d) => d.facts?.depth === 'extended' || d.facts?.depth === 'standard'))
    note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  if (kind === 'find')
    note(draft, 'functions outside every IOMMU group are not in a listing of the groups', fullListing)
}
