/** Predicted groups against the kernel's, on virtual machines that really booted (shared/data/group-fixtures). */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAddress, type PciAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { predictGroups } from '../../../src/pci/predict-groups.ts'
import { comparePairs } from './pairs.ts'

const folder = new URL('../../../../shared/data/group-fixtures/', import.meta.url)
const present = existsSync(folder)

type Fixture = {
  kernel: string
  acpiTables: Record<string, string>
  devices: { bdf: string; cfgSize: number; config: string; iommuGroup: number | null }[]
}

function readFixture(name: string): { devices: PciDevice[]; actual: Map<PciAddress, string>; options: object } {
  const fixture = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture
  const actual = new Map<PciAddress, string>()
  const devices = fixture.devices.map((d) => {
    const address = parseAddress(d.bdf)!
    if (d.iommuGroup !== null) actual.set(address, String(d.iommuGroup))
    const config = Buffer.from(d.config, 'base64')
      .toString('hex')
      .padEnd(d.cfgSize * 2, '0')
    return { address, config }
  })
  const hexOf = (table: string) => Buffer.from(fixture.acpiTables[table] ?? '', 'base64').toString('hex')
  const options = {
    kernelRelease: fixture.kernel,
    ...(fixture.acpiTables['DMAR'] && { dmar: hexOf('DMAR') }),
    ...(fixture.acpiTables['IVRS'] && { ivrs: hexOf('IVRS') }),
  }
  return { devices, actual, options }
}

describe.skipIf(!present)(`group fixtures${present ? '' : ' (skipped: ../shared/data is not there)'}`, () => {
  for (const name of ['qemu-q35-intel-A', 'qemu-q35-intel-B', 'qemu-q35-amd-A']) {
    it(`${name}: the kernel's partition and numbering`, () => {
      const { devices, actual, options } = readFixture(`${name}.json`)
      const predicted = predictGroups(devices, options)
      const count = comparePairs(name, predicted, actual)
      expect(count.right).toBe(count.pairs)
      expect(count.wrongHighGroups).toEqual([])
      const numbering = predicted.flatMap((group, id) => group.devices.map((d) => [d, String(id)]))
      expect(Object.fromEntries(numbering)).toEqual(Object.fromEntries(actual))
      expect(predicted.map((g) => g.confidence)).toEqual(predicted.map(() => 'high'))
    })
  }
})
