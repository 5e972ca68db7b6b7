import { describe, expect, it } from 'vitest'
import { patternBands, patternBytes, patternMode, matchPattern } from '../../../src/images/pattern.ts'
import { LabLog } from '../../../src/lab/result.ts'
import { allDifferences, parseSnapshot } from '../../../src/lab/snapshot.ts'
import {
  checkAfterRollback,
  checkGuests,
  checkScreen,
  checkUntouched,
} from '../../../src/lab/story-checks.ts'

const lines = [
  'function 0000:01:00.0 8086:10d3 020000 7 e1000e (null) mac=52:54:00:77:01:00',
  'function 0000:02:00.0 8086:10d3 020000 8 e1000e (null) mac=52:54:00:77:02:00',
  'function 0000:02:00.1 8086:10d3 020000 8 e1000e (null) mac=52:54:00:77:02:01',
  'function 0000:03:00.0 8086:2922 010601 9 ahci (null) disk=MEDIA-1 disk=MEDIA-2',
]
const before = parseSnapshot(lines)
const applied = parseSnapshot(
  lines.map((line) => line.replace(/(01:00\.0 .*) e1000e \(null\).*/, '$1 vfio-pci vfio-pci')),
)
const log = () =>
  new LabLog(
    () => undefined,
    () => 0,
  )
const results = (of: LabLog) => of.checks.map((check) => check.result)

function document(driver: string) {
  const reported = {
    vendorId: '8086',
    deviceId: '10d3',
    classCode: '020000',
    driver,
    macs: ['52:54:00:77:01:00'],
  }
  const role = {
    ...{
      vm: 'firewall',
      role: 'wan',
      address: '0000:01:00.0',
      guestAddress: '0000:01:00.0',
      promised: reported,
      reported,
    },
    ...{ match: true, differences: [], evidence: '' },
  }
  return { match: true, vms: [{ vm: 'firewall', roles: [role], report: null, problem: null }] }
}

describe('the checks of the lab', () => {
  it('compare the guest with the bare host', () => {
    const good = log()
    checkGuests(good, before, document('e1000e'))
    expect(results(good)).toEqual(['pass', 'pass'])
    const bad = log()
    checkGuests(bad, before, document('e1000'))
    expect(results(bad)).toEqual(['fail', 'pass'])
  })

  it('fail when nothing was seen', () => {
    const empty = log()
    checkGuests(empty, before, { match: true, vms: [] })
    checkAfterRollback(empty, parseSnapshot([]), parseSnapshot([]))
    checkScreen(empty, new Uint8Array())
    expect(results(empty)).toEqual(['fail', 'pass', 'fail', 'fail'])
  })

  it('see a device that left its driver, even for a moment', () => {
    const kept = log()
    checkUntouched(kept, { before, applied, running: applied, after: before }, document('e1000e'))
    expect(results(kept)).toEqual(['pass', 'pass', 'pass'])
    const gone = parseSnapshot(
      lines.map((line) =>
        line.replace('02:00.1 8086:10d3 020000 8 e1000e', '02:00.1 8086:10d3 020000 8 vfio-pci'),
      ),
    )
    const lost = log()
    checkUntouched(lost, { before, applied, running: gone, after: before }, document('e1000e'))
    expect(results(lost)).toEqual(['fail', 'fail', 'pass'])
    expect(lost.checks[0]?.evidence).toBe('0000:02:00.1 driver e1000e → vfio-pci')
  })

  it('name every difference after rollback', () =>
    expect(allDifferences(before, applied)).toEqual([
      '0000:01:00.0 driver e1000e → vfio-pci',
      '0000:01:00.0 override none → vfio-pci',
    ]))

  it('know the painted picture, and a shifted one', () => {
    const pixels = patternBytes()
    const ppm = (move: number) => {
      const body = Buffer.alloc(patternMode.width * patternMode.height * 3)
      for (let at = 0; at < body.length / 3; at++) {
        const from = ((at + move) * 4) % pixels.length
        body.set([pixels[from + 2] ?? 0, pixels[from + 1] ?? 0, pixels[from] ?? 0], at * 3)
      }
      return Buffer.concat([Buffer.from(`P6\n${patternMode.width} ${patternMode.height}\n255\n`), body])
    }
    expect(matchPattern(ppm(0))).toEqual({
      points: patternBands.length * 9,
      right: patternBands.length * 9,
      size: '1280x800',
    })
    expect(matchPattern(ppm(patternMode.width * 100)).right).toBe(0)
  })
})
