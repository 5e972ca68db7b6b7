import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/pci/identity.ts'
import { identityOf, indexDevices } from '../../../src/pci/identity.ts'
import { plan } from '../../../src/plan/plan.ts'
import { recallSerials } from '../../../src/plan/who/recall.ts'
import { device, hostWith, rootPort } from '../../support/host-builder.ts'
import { specOf } from '../../support/spec.ts'

const port = rootPort('00:1c.0', 1, { group: 1 })
const hba = { kind: 'storage', group: 2 } as const
const free = hostWith(port, device('01:00.0', { ...hba, disks: [{ name: 'sdb', serial: 'MEDIA-1' }] }))
const bound = hostWith(port, device('01:00.0', { ...hba, driver: 'vfio-pci', driverOverride: 'vfio-pci' }))
const known = free.devices.map((one) => identityOf(one, indexDevices(free.devices)))
const text = 'version: 1\nvms:\n  a: { memory: 1 GiB, devices: { disks: { disk: MEDIA-1 } } }\n'

describe('what a bound device does not show any more', () => {
  const planOn = (host: typeof free) => {
    return plan(host, specOf(text))
  }

  it('is recalled, so that a plan made after apply finds nothing left to do', () => {
    expect(planOn(free).steps).toHaveLength(1)
    expect(planOn(bound).findings.map((f) => f.code)).toContain('device-missing')
    const again = planOn(recallSerials(bound, known))
    expect(again.findings.filter((f) => f.severity === 'error')).toEqual([])
    expect(again.assignments.map((a) => a.address)).toEqual(['0000:01:00.0'])
    expect(again.steps).toEqual([])
  })

  it.each<[string, Partial<Identity>]>([
    ['another place', { path: '0000:00/1c.1/00.0' }],
    ['other ids', { deviceId: '1234' }],
  ])('is not taken from a record of %s', (_, other) => {
    const records = known.map((identity) => ({ ...identity, ...other }))
    expect(recallSerials(bound, records).devices.map((d) => d.disks)).toEqual(
      bound.devices.map((d) => d.disks),
    )
  })

  it('is not taken from a record that another serial speaks against', () => {
    const card = hostWith(port, device('01:00.0', { ...hba, driver: 'vfio-pci', deviceSerialNumber: 'bb' }))
    const records = known.map((identity) => ({ ...identity, deviceSerialNumber: 'aa' }))
    expect(recallSerials(card, records)).toEqual(card)
  })

  it('is left alone on a device of the host', () => {
    const other = known.map((identity) => ({ ...identity, diskSerials: ['OTHER'] }))
    expect(recallSerials(free, other)).toEqual(free)
  })
})
