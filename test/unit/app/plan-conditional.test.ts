import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { planDocument, planSchema } from '../../../src/api/plan.ts'
import { planSpec } from '../../../src/app/plan.ts'
import { exitCodeOf } from '../../../src/app/spec-error.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'

const folder = mkdtempSync(join(tmpdir(), 'handover-conditional-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const port = (at: string, group: number, driver: string) => `IOMMU Group ${group}:
\t${at} Ethernet controller [0200]: Intel Corporation I350 Gigabit Network Connection [8086:1521] (rev 01)
\t\tKernel driver in use: ${driver}
`

async function planOf(listing: string, devices: string) {
  const [from, spec] = [join(folder, 'listing.txt'), join(folder, 'home.yaml')]
  writeFileSync(from, listing)
  writeFileSync(spec, `version: 1\nvms:\n  fw:\n    memory: 1 GiB\n    devices:\n${devices}`)
  const { plan } = await planSpec(linuxSystem(), { spec, from })
  return planSchema.parse(planDocument(plan))
}

describe('a plan from a listing', () => {
  it('takes what the listing leaves open, states the condition, and has no steps', async () => {
    const listing = port('01:00.0', 12, 'igb') + port('02:00.0', 13, 'igb')
    const plan = await planOf(listing, '      wan: { address: "01:00.0" }\n')
    expect(plan).toMatchObject({ conditional: true, steps: [], needsReboot: false })
    expect(plan.assignments).toMatchObject([
      { address: '0000:01:00.0', onlyIf: ['the host does not use it for its network'] },
    ])
    expect(exitCodeOf(plan.findings)).toBe(0)
  })

  it('states no condition for what VFIO holds already', async () => {
    const listing = port('01:00.0', 12, 'vfio-pci') + port('02:00.0', 13, 'igb')
    const plan = await planOf(listing, '      wan: { address: "01:00.0" }\n')
    expect(plan).toMatchObject({ conditional: true, steps: [] })
    expect(plan.assignments[0]).not.toHaveProperty('onlyIf')
  })

  it('states the condition of what comes along, too', async () => {
    const listing = port('01:00.0', 12, 'igb') + port('01:00.1', 12, 'igb') + port('02:00.0', 13, 'igb')
    const plan = await planOf(listing, '      wan: { address: "01:00.0" }\n')
    expect(plan.takenAlong).toMatchObject([
      { address: '0000:01:00.1', onlyIf: ['the host does not use it for its network'] },
    ])
  })

  it('warns where nothing of a kind is left to the host', async () => {
    const plan = await planOf(port('01:00.0', 12, 'igb'), '      wan: { class: nic }\n')
    const found = plan.findings.filter(({ code }) => code === 'host-network')
    expect(found).toMatchObject([{ severity: 'warning', about: ['0000:01:00.0'] }])
  })

  it('still refuses what the listing states against a device', async () => {
    const bridge = '01:00.0 PCI bridge [0604]: Intel Corporation Device [8086:1901]\n'
    const plan = await planOf(bridge + port('02:00.0', 3, 'igb'), '      wan: { address: "01:00.0" }\n')
    expect(plan).toMatchObject({ conditional: true, assignments: [], steps: [] })
    expect(exitCodeOf(plan.findings)).toBe(1)
  })

  it('is an ordinary plan from an archive that states what the host uses', async () => {
    const { plan } = await planSpec(linuxSystem(), {
      spec: join(folder, 'home.yaml'),
      from: 'test/fixtures/hosts/lab-home.yaml',
    })
    expect(plan).not.toHaveProperty('conditional')
  })
})
