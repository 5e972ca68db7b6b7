/**
 * `init` on recorded machines: what it proposes has no errors, and a wish that cannot be served names the device
 * in the way or the class that is missing.
 */
import { describe, expect, it } from 'vitest'
import { leavesUseOpen } from '../../src/app/plan.ts'
import { hasErrors } from '../../src/base/finding.ts'
import { propose } from '../../src/init/propose.ts'
import { wishes } from '../../src/init/wishes.ts'
import { plan } from '../../src/plan/plan.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

describe.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'init on every recorded machine (needs ../shared/corpus)',
  () => {
    const machines = (hasCorpus ? corpusItems() : []).flatMap((item) => {
      const reading = readItem(item)
      return reading.ok && reading.host.devices.length > 0 ? [{ id: item.id, host: reading.host }] : []
    })

    it('serves at least one wish on most of them', () => {
      const rows = machines.map(({ id, host }) => {
        const given = { conditional: leavesUseOpen(host), standIns: false }
        const { refused } = propose(host, wishes, given)
        const served = wishes.filter((wish) => !refused.some((one) => one.wish === wish))
        return [id, served.join(' ') || '-', refused.map(({ wish }) => wish).join(' ') || '-'] as const
      })
      for (const [id, served, not] of rows) console.log(`${id.padEnd(40)} ${served.padEnd(32)} not: ${not}`)
      const some = rows.filter(([, served]) => served !== '-').length
      expect(some / rows.length).toBeGreaterThan(0.6)
    })

    it.each(machines)('$id', ({ host }) => {
      const conditional = leavesUseOpen(host)
      for (const wish of wishes) {
        const { text, refused, assignments } = propose(host, [wish], { conditional, standIns: false })
        if (text === undefined) {
          expect(assignments).toEqual([])
          const reasons = refused.flatMap((one) => one.reasons)
          expect(reasons.length).toBeGreaterThan(0)
          for (const { code, about = [] } of reasons)
            expect(about.length > 0 || code === 'device-missing' || code === 'two-machines', code).toBe(true)
          continue
        }
        const { spec } = parseSpec(text, 'home.yaml')
        if (spec === undefined) throw new Error('the proposal cannot be read')
        expect(hasErrors(plan(host, spec, { ...(conditional && { conditional }) }).findings)).toBe(false)
      }
    })
  },
)
