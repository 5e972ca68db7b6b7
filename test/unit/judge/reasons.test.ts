import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judgeHost } from '../../../src/judge/judge.ts'
import { briefWords, findingOf, isAboutOnly, mentions, notes, says } from '../../../src/judge/reasons.ts'
import type { Reason } from '../../../src/judge/types.ts'
import { at } from '../../support/host-builder.ts'
import { readHostYaml } from '../../support/host-yaml.ts'

const scenarios = join(import.meta.dirname, '../../scenarios')

function reasonsOfAllScenarios(): readonly (readonly [string, Reason])[] {
  const files = readdirSync(scenarios).map((name) => join(scenarios, name, 'host.yaml'))
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => judgeHost(readHostYaml(file, join(scenarios, 'hosts'))).devices)
    .flatMap(({ address, reasons }) => reasons.map((reason) => [address, reason] as const))
}

describe('the words of a reason', () => {
  const address = at('01:00.0')

  it('have a brief form for a line that names the function', () => {
    expect(says(address, 'has no reset')).toEqual({
      message: `${address} has no reset`,
      brief: 'has no reset',
    })
    expect(notes(address, 'users report')).toEqual({
      message: `${address}: users report`,
      brief: 'users report',
    })
    expect(mentions(address, (it) => `nothing is known of ${it}`)).toEqual({
      message: `nothing is known of ${address}`,
      brief: 'nothing is known of it',
    })
  })

  it('are brief for the function that the reason is about, and whole for any other', () => {
    const reason: Reason = {
      code: 'no-reset',
      severity: 'note',
      ...says(address, 'has no reset'),
      about: [address],
    }
    expect(briefWords(reason, address)).toBe('has no reset')
    expect(briefWords(reason, at('02:00.0'))).toBe(`${address} has no reset`)
    expect(isAboutOnly({ ...reason, about: [at('02:00.0'), address] }, address)).toBe(false)
  })

  it('stand in documents without what only verdict and plan use', () => {
    const reason: Reason = {
      code: 'no-reset',
      severity: 'note',
      ...says(address, 'resets together'),
      about: [address],
      undecided: true,
      mates: [address],
    }
    expect(Object.keys(findingOf(reason))).toEqual(['code', 'severity', 'message', 'about'])
  })

  it('begin with their own function in the message alone', () => {
    const reasons = reasonsOfAllScenarios()
    expect(reasons.length).toBeGreaterThan(200)
    for (const [address, { brief, message, about }] of reasons) {
      expect(about).toContain(address)
      if (brief === undefined) continue
      expect(about?.[0]).toBe(address)
      expect(message).toContain(address)
      expect(brief.startsWith(address)).toBe(false)
    }
  })
})
