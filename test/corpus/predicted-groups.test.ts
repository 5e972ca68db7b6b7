/** Predicted groups against the kernel's on every recorded machine that shows capabilities and groups: the table of issue 3. */
import { describe, expect, it } from 'vitest'
import { parseAddress, type PciAddress } from '../../src/pci/address.ts'
import { canPredictGroups, predictGroups } from '../../src/pci/predict-groups.ts'
import { comparePairs, type PairCount, renderPairs } from '../unit/pci/pairs.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

/** Groups the expected file states wrongly, with the reason; compared without these functions. */
const wrongExpectations: Readonly<Record<string, readonly string[]>> = {
  // Its VMD functions start with a blank, so the program behind expected.json gave their group to the NIC before them.
  'acer-wmi.lspci': ['0000:6d:00.0'],
}

function kernelGroups(id: string, items: ReturnType<typeof corpusItems>): Map<PciAddress, string> {
  // A listing without groups may have the boot log of the same machine beside it.
  const own = items.find((item) => item.id === id)
  const log = items.find((item) => item.id === id.replace(/\.lspci$/, '.dmesg'))
  const stated = own && Object.keys(own.expected.groups).length > 0 ? own : log
  const groups = new Map<PciAddress, string>()
  for (const [group, members] of Object.entries(stated?.expected.groups ?? {})) {
    for (const member of members) {
      const address = parseAddress(member)
      if (address && !wrongExpectations[id]?.includes(address)) groups.set(address, group)
    }
  }
  return groups
}

describe.skipIf(!hasCorpus)(`predicted groups${hasCorpus ? '' : ' (skipped: ../shared/corpus is not there)'}`, () => {
  it('equal the kernel’s wherever they are claimed for certain', () => {
    const items = corpusItems()
    const counts: PairCount[] = []
    for (const item of items) {
      if (!/lspci|tar\.gz|umockdev/.test(item.id)) continue
      const reading = readItem(item)
      if (!reading.ok || !canPredictGroups(reading.host.devices)) continue
      const actual = kernelGroups(item.id, items)
      if (actual.size === 0) continue
      const { kernel, iommu } = reading.host
      const predicted = predictGroups(reading.host.devices, {
        ...(kernel.release !== undefined && { kernelRelease: kernel.release }),
        ...(kernel.cmdline !== undefined && { cmdline: kernel.cmdline }),
        ...(iommu.dmar !== undefined && { dmar: iommu.dmar }),
        ...(iommu.ivrs !== undefined && { ivrs: iommu.ivrs }),
        iommuKind: iommu.kind,
      })
      counts.push(comparePairs(item.id, predicted, actual))
    }
    process.stdout.write(`${renderPairs(counts)}\n`)
    expect(counts.length).toBeGreaterThan(10)
    for (const count of counts) {
      expect([count.machine, count.wrongHigh, count.wrongHighGroups]).toEqual([count.machine, [], []])
    }
  })
})
