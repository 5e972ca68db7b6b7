import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { parseGuestReport } from '../../../src/run/guest-report.ts'

describe("a guest's report", () => {
  it('is read line by line', () => {
    const report = parseGuestReport([
      'system linux 6.1.0',
      'device 0000:01:00.0 vendor=8086 device=10d3 class=020000 driver=e1000e interface=eth0 mac=52:54:00:77:01:00 link=1',
      'device 0000:02:00.0 vendor=8086 device=2922 class=010601 driver=ahci disk=sda:MEDIA-1:50331648 disk=sdb:A:B:512',
      'address eth0 10.0.2.15/24',
      'lease wan address=10.0.2.15',
    ])
    expect(report.devices[0]).toMatchObject({
      driver: 'e1000e',
      mac: '52:54:00:77:01:00',
      link: true,
      disks: [],
    })
    expect(report.devices[1]?.disks).toEqual([
      { name: 'sda', serial: 'MEDIA-1', sizeBytes: 50331648 },
      { name: 'sdb', serial: 'A:B', sizeBytes: 512 },
    ])
    expect(report.addresses).toEqual([{ interface: 'eth0', address: '10.0.2.15/24' }])
    expect(report.facts).toEqual(['lease wan address=10.0.2.15'])
  })

  it('may be hostile: control characters go, length and number are capped, nothing throws', () => {
    expect(parseGuestReport(['address \u001b[31m x']).addresses[0]?.interface).toBe('?[31m')
    expect(parseGuestReport(Array.from({ length: 5000 }, () => 'device x')).devices).toHaveLength(2000)
    expect(parseGuestReport([`fact ${'y'.repeat(1e6)}`]).facts[0]?.length).toBe(2000)
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => void parseGuestReport(lines)),
      { numRuns: 500 },
    )
  })
})
