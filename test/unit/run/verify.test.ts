/** What `verify` makes of a guest that has not what was promised. */
import { describe, expect, it } from 'vitest'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { parseGuestReport } from '../../../src/run/guest-report.ts'
import { compareRole } from '../../../src/run/verify.ts'
import { record, spec } from '../../support/in-force.ts'

const [firewall, media] = parseSpec(spec, 'home.yaml').spec?.vms ?? []
const [wan, lan, disks] = record.assignments
if (!firewall || !media || !wan || !lan || !disks) throw new Error('the spec has changed')

const port = (place: string, mac: string, more = '') =>
  `device ${place} vendor=8086 device=10d3 class=020000 driver=e1000e interface=eth0 mac=${mac} link=1${more}`
const controller = (words: string) => `device 0000:02:00.0 vendor=8086 device=2922 class=010601 ${words}`

const ask = (lines: readonly string[], place: string | undefined = '0000:01:00.0') =>
  compareRole(wan, firewall, place, parseGuestReport(lines))
const askDisks = (words: string) =>
  compareRole(disks, media, '0000:02:00.0', parseGuestReport(['system linux 6.1', controller(words)]))

describe('a role', () => {
  it('matches where the guest sees what was promised', () => {
    const verdict = ask([port('0000:01:00.0', '52:54:00:00:00:01')])
    expect(verdict).toMatchObject({ match: true, differences: [], guestAddress: '0000:01:00.0' })
    expect(verdict.evidence).toContain('mac=52:54:00:00:00:01')
    expect(askDisks('driver=ahci disk=sdb:DISK-2:512 disk=sda:DISK-1:512')).toMatchObject({ match: true })
  })

  it.each<[string, readonly string[], RegExp]>([
    [
      'another driver',
      [port('0000:01:00.0', '52:54:00:00:00:01').replace('driver=e1000e', 'driver=vfio-pci')],
      /^driver is vfio-pci, promised was e1000e$/,
    ],
    [
      'no driver',
      [port('0000:01:00.0', '52:54:00:00:00:01').replace('driver=e1000e ', '')],
      /^driver is not reported, promised was e1000e$/,
    ],
    [
      'another device in its place',
      [port('0000:01:00.0', '52:54:00:00:00:01').replace('10d3', '1521')],
      /^deviceId is 1521, promised was 10d3$/,
    ],
    ['no device', ['system linux 6.1'], /^the guest does not see it$/],
  ])('does not match where the guest sees %s', (_, lines, difference) => {
    const { match, differences } = ask(lines)
    expect(match).toBe(false)
    expect(differences).toEqual([expect.stringMatching(difference)])
  })

  it('does not match where the port had a link on the host and has none in the guest', () => {
    const withLink = (lines: readonly string[]) =>
      compareRole({ ...wan, link: true }, firewall, '0000:01:00.0', parseGuestReport(lines))
    const line = port('0000:01:00.0', '52:54:00:00:00:01')
    expect(withLink([line])).toMatchObject({ match: true, promised: { link: true } })
    expect(withLink([line.replace('link=1', 'link=0')]).differences).toEqual([
      'link is false, promised was true',
    ])
    expect(withLink([line.replace(' link=1', '')]).match).toBe(true)
    // Nothing was promised of a port that had no link.
    expect(ask([line.replace('link=1', 'link=0')]).match).toBe(true)
  })

  it('does not match where the ports are swapped', () => {
    const lines = [port('0000:01:00.0', '52:54:00:00:00:02'), port('0000:01:00.1', '52:54:00:00:00:01')]
    expect(ask(lines).differences).toEqual(['macs is 52:54:00:00:00:02, promised was 52:54:00:00:00:01'])
    const other = compareRole(lan, firewall, '0000:01:00.1', parseGuestReport(lines))
    expect(other).toMatchObject({ match: false, guestAddress: '0000:01:00.1' })
  })

  it('is found by its serials where the place that QEMU said is empty', () => {
    const lines = [port('0000:05:00.0', '52:54:00:00:00:02'), port('0000:06:00.0', '52:54:00:00:00:01')]
    expect(ask(lines, '0000:01:00.0')).toMatchObject({ match: true, guestAddress: '0000:06:00.0' })
    expect(ask(lines.slice(0, 1), '0000:01:00.0')).toMatchObject({
      match: false,
      guestAddress: null,
      reported: null,
    })
  })

  it.each([
    ['driver=ahci disk=sda:DISK-1:512', 'disks is DISK-1, promised was DISK-1, DISK-2'],
    ['driver=ahci', 'disks is not reported, promised was DISK-1, DISK-2'],
    [
      'driver=ahci disk=sda:DISK-1:512 disk=sdb:DISK-3:512',
      'disks is DISK-1, DISK-3, promised was DISK-1, DISK-2',
    ],
  ])('does not match where a disk is missing: %s', (words, difference) => {
    expect(askDisks(words)).toMatchObject({ match: false, differences: [difference] })
  })

  it('is asked for no driver where the guest is no Linux', () => {
    const lines = [port('0000:01:00.0', '52:54:00:00:00:01').replace('driver=e1000e', 'driver=em0')]
    const verdict = compareRole(
      wan,
      { ...firewall, guest: 'freebsd' },
      '0000:01:00.0',
      parseGuestReport(lines),
    )
    expect(verdict.match).toBe(true)
    expect(verdict.promised).not.toHaveProperty('driver')
  })
})
