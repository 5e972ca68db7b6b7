/**
 * `advise` on recorded machines: a card that is there is taken out in thought, and put back into its slot. Its
 * predicted group is what the kernel made of it, wherever the prediction is sure.
 */
import { describe, expect, it } from 'vitest'
import { advise } from '../../src/advise/advise.ts'
import { families } from '../../src/advise/families.ts'
import { placeCard } from '../../src/advise/slots.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

describe.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'advise on every recorded machine (needs ../shared/corpus)',
  () => {
    const machines = (hasCorpus ? corpusItems() : []).flatMap((item) => {
      const reading = readItem(item)
      return reading.ok ? [{ id: item.id, host: reading.host }] : []
    })
    const cards = families.slice(0, 20).map((family) => ({
      ...{ vendorId: family.vendor, deviceId: family.devices[0] ?? '', family },
    }))

    it('answers for 20 cards on each, in free slots only', () => {
      let answered = 0
      for (const { host } of machines) {
        const { freeSlots, cards: advised } = advise(host, cards)
        for (const { slots } of advised) {
          expect(slots.map(({ slot }) => slot)).toEqual(freeSlots)
          answered += slots.filter(({ fit }) => fit !== 'unknown').length
        }
      }
      expect(answered).toBeGreaterThan(1000)
    })

    it('predicts for a card that is there the group that the kernel made', () => {
      let compared = 0
      for (const { id, host } of machines) {
        for (const device of host.devices) {
          const group = host.groups.find(({ devices }) => devices.includes(device.address))
          const others = host.devices.filter((one) => one.parent === device.parent)
          const isAlone = others.length === 1 && device.parent !== undefined
          const { vendorId, deviceId } = device
          if (!isAlone || group === undefined || vendorId === undefined || deviceId === undefined) continue
          const without = { ...host, devices: host.devices.filter((one) => one !== device) }
          const placed = placeCard(without, { vendorId, deviceId }, { port: device.parent })
          if (placed === undefined || placed.confidence === 'low') continue
          const kernels = group.devices.filter((one) => one !== device.address).toSorted()
          expect(placed.groups.flat().toSorted(), `${id} ${device.address}`).toEqual(kernels)
          compared += 1
        }
      }
      console.log(`${compared} cards compared with the groups of their kernels`)
      expect(compared).toBeGreaterThanOrEqual(15)
    })
  },
)
