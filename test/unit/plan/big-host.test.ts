import { describe, expect, it } from 'vitest'
import { plan } from '../../../src/plan/plan.ts'
import { bigHost, bigSpec, cases } from '../../support/big-host.ts'
import { specOf } from '../../support/spec.ts'

// How long it takes is npm run bench:plan's question; here the answers are looked at.
describe('64 VMs with 256 roles', () => {
  // Each second one, to keep the suite short; the bench runs them all.
  it.each(cases.filter((_, i) => i % 2 === 0).map((one) => [one.name, one] as const))('%s', (_, one) => {
    const host = bigHost(one.host)
    const result = plan(host, specOf(bigSpec(one.spec)))
    const conflicts = result.findings.filter(
      (f) => f.code === 'demands-conflict' || f.code === 'device-twice',
    )
    expect(conflicts.length > 0).toBe(!one.possible)
    expect(result.assignments.length > 0 || !one.possible).toBe(true)
  })
})
