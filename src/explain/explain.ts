/** Finds the known failures in any text: a kernel log, QEMU's last words, a paste of both. */
import type { Severity } from '../base/finding.ts'
import { clean } from '../base/printable.ts'
import { cut } from '../base/text.ts'
import type { PciAddress } from '../pci/address.ts'
import { cleanLine, eachLine } from '../sources/listings/text.ts'
import { catalogue } from './catalogue.ts'
import { addressesIn, fill } from './fill.ts'
import type { Certainty, Emitter, Signature } from './signature.ts'

export type Explanation = {
  /** Of the signature; it stays what it is in later releases. */
  readonly id: string
  readonly emitter: Emitter
  readonly severity: Severity
  readonly cause: string
  /** A command that reads only, for the first device that is named. */
  readonly proof: string
  /** The safest first. */
  readonly remedy: readonly string[]
  readonly source: string
  readonly certainty: Certainty
  /** Where it stands first, counted from 1. */
  readonly line: number
  /** That line: one line of printable characters, cut. */
  readonly quote: string
  /** How many lines say it. */
  readonly count: number
  /** The PCI addresses in these lines, in their order, at most 4096. */
  readonly devices: readonly PciAddress[]
}

/** More than any machine has; a log may name made-up addresses for gigabytes. */
const mostDevices = 4096
const quoteWidth = 240
/** No signature fits into fewer characters; a text may be a million empty lines. */
const shortest = 16

/**
 * In the order of their first lines. A line counts for one signature, the first of the catalogue that knows
 * it; what stands beyond its 16,384th character is not read.
 */
export function explain(text: string): Explanation[] {
  const found = new Map<string, Found>()
  let number = 0
  for (const raw of eachLine(text)) {
    number += 1
    if (raw.length < shortest) continue
    const line = cleanLine(raw)
    for (const { emitter, signature } of catalogue) {
      const match = signature.pattern.exec(line)
      if (match === null) continue
      count(found, { emitter, signature, line, number, match })
      break
    }
  }
  return [...found.values()].map(explanationOf)
}

type Hit = {
  readonly emitter: Emitter
  readonly signature: Signature
  readonly line: string
  readonly number: number
  readonly match: RegExpExecArray
}

type Found = { readonly first: Hit; count: number; readonly devices: Set<PciAddress> }

function count(found: Map<string, Found>, hit: Hit): void {
  const known = found.get(hit.signature.id)
  const one = known ?? { first: hit, count: 0, devices: new Set() }
  if (known === undefined) found.set(hit.signature.id, one)
  one.count += 1
  for (const address of addressesIn(hit.line, hit.match))
    if (one.devices.size < mostDevices) one.devices.add(address)
}

function explanationOf({ first, count, devices }: Found): Explanation {
  const { emitter, signature, line, number, match } = first
  const { pattern: _, remedy, proof, ...said } = signature
  const [device] = devices
  return {
    ...{ ...said, emitter, proof: fill(proof, match, device) },
    remedy: remedy.map((step) => fill(step, match, device)),
    ...{ line: number, quote: cut(clean(line.trim()), quoteWidth), count, devices: [...devices] },
  }
}
