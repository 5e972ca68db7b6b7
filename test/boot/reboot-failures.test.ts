/**
 * Trial boots that go wrong, by real reboots (lab/reboot-failures.yaml): each time the host comes back alone,
 * as it was.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const reason = whyNoReboot('debian-grub')

describe.skipIf(reason)(
  `a trial boot that goes wrong${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let run: LabRun
    beforeAll(async () => {
      run = await runLab('lab/reboot-failures.yaml')
    }, 2_400_000)

    it('never leaves the host elsewhere than it was', () => {
      expect(run.result.checks.filter((check) => check.result === 'fail')).toEqual([])
      expect(run.status).toBe(0)
    })

    it.each([
      ['a trial without the network', /no default route|its address/],
      ['a trial that does not start', /did not come up/],
      ['a trial that nobody confirms', /nobody confirmed it/],
    ])('comes back from %s, and says why', (name, reason) => {
      const evidence = (check: string) => {
        const found = run.result.checks.find((candidate) => candidate.name === check)
        expect(found?.result, check).toBe('pass')
        return found?.evidence ?? ''
      }
      evidence(`${name} is started`)
      expect(evidence(`after ${name} the old entry is back`)).toContain('intel_iommu=off')
      expect(evidence(`after ${name} the journal says why`)).toMatch(reason)
      expect(evidence(`after ${name} every file is as at the beginning`)).toMatch(/facts compared/)
      expect(evidence(`after ${name} every driver is as at the beginning`)).toMatch(/functions compared/)
    })
  },
)
