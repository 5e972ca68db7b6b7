/**
 * Whatever a paste does to a listing of a real machine, it states the same functions and groups (needs
 * ../shared/corpus).
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readHostFrom } from '../../src/sources/listings/read-from.ts'
import { bytesOf, pastes, statedBy } from '../support/pasted.ts'
import { corpusItems, hasCorpus, importSystem } from './corpus.ts'

const listings = hasCorpus ? corpusItems().filter(({ input }) => /\/listings\/.*\.txt$/.test(input)) : []

function read(name: string, bytes: Uint8Array) {
  const reading = readHostFrom({ name, bytes }, importSystem)
  if (!reading.ok) return reading.error.message
  const { devices, groups } = statedBy(reading.host)
  // Of the last record only its end says what it lacks, and pasting may take the end or add one: its function
  // is compared by who it is.
  const last = devices.at(-1)
  const known = last && {
    address: last.address,
    vendorId: last.vendorId,
    deviceId: last.deviceId,
    name: last.name,
  }
  return { devices: [...devices.slice(0, -1), known], groups, kind: reading.host.source.kind }
}

describe.skipIf(!hasCorpus)(
  `pasted listings${hasCorpus ? '' : ' (skipped: ../shared/corpus is not there)'}`,
  () => {
    const plain = new Map(listings.map(({ id, input }) => [id, readFileSync(input, 'utf8')]))
    const asIs = new Map([...plain].map(([id, text]) => [id, read(id, bytesOf(text))]))

    it.each(Object.keys(pastes))('%s', (name) => {
      const differing = [...plain].filter(([id, text]) => {
        const pasted = read(id, bytesOf(pastes[name]?.(text) ?? ''))
        return JSON.stringify(pasted) !== JSON.stringify(asIs.get(id))
      })
      expect(plain.size).toBeGreaterThan(60)
      expect(differing.map(([id]) => id)).toEqual([])
    })

    it('UTF-16, as Windows terminals save', () => {
      for (const [id, text] of plain) expect(read(id, bytesOf(text, 'utf16'))).toEqual(asIs.get(id))
    })
  },
)
