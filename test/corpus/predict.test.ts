/**
 * Groups predicted from configuration space (or `lspci -vvv` as root) beside the kernel's own, for every
 * machine of the corpus that has both. A pair of functions is right when both sides agree on whether they
 * share a group. A wrong pair with a function in a group of high confidence fails, and so does such a group
 * that is not exactly one of the kernel's.
 */
import { expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { PciAddress } from '../../src/pci/address.ts'
import { predictGroups } from '../support/groups.ts'
import { canPredictGroups } from '../../src/pci/predict-groups.ts'
import { comparePairs, renderPairs } from '../unit/pci/pairs.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

/** A listing without groups may have the boot log of the same machine beside it. */
function kernelGroups(host: Host, log: Host | undefined): Map<PciAddress, string> {
  const stated = host.groups.length > 0 ? host : log
  return new Map(
    (stated?.groups ?? []).flatMap((group) => group.devices.map((a) => [a, String(group.id)] as const)),
  )
}

test.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'predicted groups equal the kernel’s wherever they are certain (needs ../shared/corpus)',
  () => {
    const hosts = new Map<string, Host>()
    for (const item of corpusItems()) {
      const reading = readItem(item)
      if (reading.ok) hosts.set(item.id, reading.host)
    }
    const counts = [...hosts].flatMap(([id, host]) => {
      const actual = kernelGroups(host, hosts.get(id.replace(/\.lspci$/, '.dmesg')))
      if (actual.size === 0 || !canPredictGroups(host.devices)) return []
      const { kernel, iommu } = host
      const predicted = predictGroups(host.devices, {
        ...(kernel.release !== undefined && { kernelRelease: kernel.release }),
        ...(kernel.cmdline !== undefined && { cmdline: kernel.cmdline }),
        ...(iommu.dmar !== undefined && { dmar: iommu.dmar }),
        ...(iommu.ivrs !== undefined && { ivrs: iommu.ivrs }),
        iommuKind: iommu.kind,
      })
      return [comparePairs(id, predicted, actual)]
    })
    process.stdout.write(`${renderPairs(counts)}\n`)
    expect(counts.flatMap((c) => c.wrongHigh.map((pair) => `${c.machine}: ${pair}`))).toEqual([])
    expect(counts.flatMap((c) => c.wrongHighGroups.map((group) => `${c.machine}: ${group}`))).toEqual([])
    expect(counts.length).toBeGreaterThan(10)
    const [pairs, right] = [counts.reduce((n, c) => n + c.pairs, 0), counts.reduce((n, c) => n + c.right, 0)]
    expect(right / pairs).toBeGreaterThan(0.999)
  },
)
