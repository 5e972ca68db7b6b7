import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../src/explain/catalogue.ts'
import { explain } from '../../../src/explain/explain.ts'
import { samples } from './samples.ts'

const ids = catalogue.map(({ signature }) => signature.id)

describe('the signatures', () => {
  it('have an id each, and a sample each', () => {
    expect(new Set(ids).size).toBe(ids.length)
    expect(Object.keys(samples).toSorted()).toEqual(ids.toSorted())
    for (const lines of Object.values(samples)) expect(lines.length).toBeGreaterThan(0)
  })

  it.each(Object.entries(samples))('%s knows its lines, and nothing else takes them', (id, lines) => {
    for (const line of lines)
      expect(
        explain(line).map((one) => one.id),
        line,
      ).toEqual([id])
  })

  it.each(catalogue.map(({ signature }) => [signature.id, signature] as const))(
    '%s has a cause, a proof that reads only, and what helps',
    (_, { cause, proof, remedy, source, pattern }) => {
      expect(cause).toMatch(/^[A-Za-z].*[.]$/)
      expect(proof).not.toBe('')
      expect(source).not.toBe('')
      for (const step of remedy) expect(step).toMatch(/^\S.*[^.]$/)
      // What writes, binds, loads, or makes the shell write.
      const writes =
        /(?:^|[;|&] *)(?:echo|tee|modprobe|rm|mv|kill|virsh (?:start|destroy))\b|>(?!\/dev\/null)/
      expect(proof).not.toMatch(writes)
      // A program of ours that is named for proof reads only.
      for (const [, name = ''] of proof.matchAll(/handover (\w+)/g))
        expect(['inspect', 'plan', 'status', 'verify']).toContain(name)
      expect(pattern.flags.replace('i', '')).toBe('')
    },
  )

  it('never advise what our own checks refuse', () => {
    for (const { signature } of catalogue) {
      const advice = signature.remedy.join('\n')
      expect(advice).not.toMatch(/pcie_acs_override|relax_rmrr|disable_denylist/)
      if (!advice.includes('allow_unsafe_interrupts')) continue
      expect(signature.remedy[0]).not.toContain('allow_unsafe_interrupts')
      expect(advice).toContain('gives up the protection')
    }
  })

  it('have no repetition without an end', () => {
    const endless = (source: string) => /[^\\](?:[*+]|\{\d+,\})/.test(source.replaceAll(/\[[^\]]*\]/g, 'x'))
    expect(endless('a.*b')).toBe(true)
    expect(endless('[^:]{1,9}\\*')).toBe(false)
    expect(catalogue.map(({ signature }) => signature.pattern.source).filter(endless)).toEqual([])
  })
})
