import { describe, expect, it } from 'vitest'
import { concede, refuseNewUse } from '../../../src/app/concede.ts'
import { AppError } from '../../../src/base/errors.ts'
import type { Concession } from '../../../src/plan/who/concessions.ts'
import { at } from '../../support/host-builder.ts'

const tuner: Concession = {
  address: at('0b:00.0'),
  name: 'recorderd',
  what: 'program recorderd → process 17 → /dev/dvb/adapter0/frontend0',
}
const keys: Concession = {
  address: at('00:14.0'),
  name: 'Zig bee: 2',
  what: 'program Zig bee: 2 → process 9',
}

/** Answers in turn, and what was asked. */
function answering(...answers: readonly (string | undefined)[]) {
  const asked: string[] = []
  return {
    asked,
    ask: (_concession: Concession, word: string) => {
      asked.push(word)
      return Promise.resolve(answers[asked.length - 1])
    },
  }
}

describe('what the host uses is given up by name', () => {
  it('is not asked about where nothing is given up', async () => {
    const { asked, ask } = answering()
    expect(await concede([], undefined)).toBe(true)
    expect(await concede([], ask)).toBe(true)
    expect(asked).toEqual([])
  })

  it('each by itself, and a name that is not typed as it is ends it', async () => {
    const all = answering(' recorderd ', 'Zig bee: 2')
    expect(await concede([tuner, keys], all.ask)).toBe(true)
    expect(all.asked).toEqual(['recorderd', 'Zig bee: 2'])
    for (const answer of ['yes', 'y', '', undefined, 'recorder']) {
      const { asked, ask } = answering(answer)
      expect(await concede([tuner, keys], ask)).toBe(false)
      expect(asked).toHaveLength(1)
    }
  })

  it('and nothing is taken that came into use after the question', () => {
    const later = { ...tuner, what: 'program recorderd → process 99 → /dev/dvb/adapter0/frontend0' }
    expect(() => refuseNewUse([tuner, keys], [later])).not.toThrow()
    expect(() => refuseNewUse([tuner], [tuner, keys])).toThrow('since the question this plan takes')
  })

  it('a yes for everything gives up nothing, and says how to', async () => {
    const refusal = await concede([tuner, keys], undefined).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AppError)
    expect(refusal).toMatchObject({ exitCode: 1 })
    expect((refusal as AppError).help).toContain('give-up: [recorderd, "Zig bee: 2"]')
  })
})
