import { describe, expect, it } from 'vitest'
import { leftOpen } from '../../../src/judge/left-open.ts'
import type { DeviceJudgement, Reason } from '../../../src/judge/types.ts'
import { at } from '../../support/host-builder.ts'

const open = (message: string, help: string): Reason => ({
  code: 'input-incomplete',
  severity: 'note',
  undecided: true,
  message,
  help,
})
const judged = (...reasons: readonly Reason[]): DeviceJudgement => ({
  address: at('01:00.0'),
  verdict: 'unknown',
  reasons,
  neededBy: [],
  goesWith: [],
})
const told = (...devices: readonly DeviceJudgement[]) =>
  leftOpen({ devices, groups: [], findings: [] }).map(({ message, help }) => `${message} → ${help}`)

describe('what leaves verdicts open', () => {
  it('is told once for each remedy, with how many are alike', () => {
    expect(
      told(judged(open('a', 'x')), judged(open('b', 'x'), open('c', 'y')), judged(open('a', 'x'))),
    ).toEqual(['a (and 1 more like it) → x', 'c → y'])
  })

  it('is nothing else', () => {
    const decided: Reason = { code: 'input-incomplete', severity: 'note', message: 'known', help: 'x' }
    const silent: Reason = { code: 'device-silent', severity: 'warning', undecided: true, message: 'asleep' }
    expect(told(judged(decided, silent), judged())).toEqual([])
  })
})
