/**
 * What the person says of the host: `host: not-in-use` settles a doubt by the identity of a device. A word
 * that is no identity of a device here, or that names something the host is proven to need, stops the plan.
 */
import { listText } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import { identityWords } from '../../judge/identity-words.ts'
import { chainText } from '../../judge/words.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { placeOf } from '../../spec/places.ts'
import type { View } from './view.ts'

/** A doubt that the person settled: the plan shows it, and the journal keeps it. */
export type Settled = {
  readonly address: PciAddress
  readonly word: string
  readonly doubts: readonly string[]
}

export function settle(view: View): {
  readonly settled: readonly Settled[]
  readonly findings: readonly Finding[]
} {
  const settled: Settled[] = []
  const findings: Finding[] = []
  for (const [index, word] of (view.spec.host.notInUse ?? []).entries()) {
    const at = placeOf(view.places, ['host', 'not-in-use', index])
    const place = at ? { at } : {}
    const meant = view.host.devices.filter((device) => identityWords(device).includes(word.toLowerCase()))
    if (meant.length === 0) findings.push({ ...nothingMeant(view, word), ...place })
    for (const device of meant) {
      const needed = neededFor(view, device)
      if (needed !== undefined) findings.push({ ...isNeeded(device, word, needed), ...place })
      const doubts = (view.host.lostNeeds ?? []).filter(({ couldBe }) => couldBe.includes(device.address))
      if (needed !== undefined || doubts.length === 0) continue
      const whats = [...new Set(doubts.map(({ what }) => what))]
      settled.push({ address: device.address, word, doubts: whats })
      findings.push({ ...isSettled(device, word, whats), ...place })
    }
  }
  return { settled, findings }
}

function neededFor(view: View, { address }: PciDevice): string | undefined {
  const need = view.judgements.get(address)?.neededBy.find(({ weight }) => weight === 'vital')
  return need && chainText(need, undefined)
}

function isSettled(device: PciDevice, word: string, doubts: readonly string[]): Finding {
  return {
    code: 'not-in-use',
    severity: 'note',
    message: `you say that ${word} is not in use: ${device.address} could carry ${listText(doubts)}`,
    about: [device.address],
  }
}

function isNeeded(device: PciDevice, word: string, chain: string): Finding {
  return {
    code: 'not-in-use',
    severity: 'error',
    message: `host: not-in-use names ${word}, and the host needs ${device.address}: ${chain}`,
    help: 'take the word out; not-in-use settles what could not be found out, never what is proven',
    about: [device.address],
  }
}

function nothingMeant(view: View, word: string): Finding {
  const address = parseAddress(word)
  const device = view.host.devices.find((one) => one.address === address)
  const [identity] = device ? identityWords(device) : []
  return {
    code: 'not-in-use',
    severity: 'error',
    message:
      address === undefined
        ? `host: not-in-use names ${word}, and no device here has that serial, MAC address or path`
        : `host: not-in-use names the address ${word}, and an address says only where a card is today`,
    help:
      identity === undefined
        ? 'name the device by a serial, a MAC address or its path: handover inspect ADDRESS shows them'
        : `name the device by what it is: ${identity}`,
  }
}
