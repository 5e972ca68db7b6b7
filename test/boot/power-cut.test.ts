/** VMs that live with their host: on trial, through a power cut, through a restart, without the firewall. */
import { beforeAll, describe, expect, it } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const order = /^firewall starts [\d.]+ s, .*firewall is up [\d.]+ s, media starts .*media is up [\d.]+ s$/
const online = /the lab's internet says hello.*default via 192\.168\.77\.1/
const came = (when: string): [string, RegExp][] => [
  [`${when} the host's own internet comes through the firewall VM`, online],
  [`${when} the firewall VM starts first, and media when the firewall answers`, order],
]

const checks: readonly [name: string, evidence: RegExp][] = [
  ['the VMs start by themselves on the trial boot', /handover\.trial=1/],
  ...came('on the trial boot'),
  [
    'each VM runs in its service, as a user without rights, in a sandbox',
    /handover-qemu 2 .*firewall.*media/,
  ],
  ['the power is cut while the guest writes', /^\d{2,} files acknowledged/],
  ...came('after the power cut'),
  ['every acknowledged file is there, with its bytes', /^\d{2,} of \d+ were acknowledged/],
  [
    'before the host goes down the guests are shut down, media before the firewall',
    /media powered off.*firewall/,
  ],
  ...came('after the restart'),
  [
    'a firewall that does not come up is shown with its reason, and media waits',
    /firewall (?:waiting|failed)/,
  ],
  ['the host is reached by its fixed address meanwhile', /192\.168\.77\.2\/24/],
  ...came('when its reason is mended'),
  ['after down and rollback no unit and no process is left', /none found/],
  ['the file system of MEDIA-1 is clean', /MEDIA-1/],
]

const reason = whyNoReboot('debian-vms')

describe.skipIf(reason)(
  `a host whose VMs live with it${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let run: LabRun
    beforeAll(async () => {
      run = await runLab('lab/power-cut.yaml')
    }, 2_400_000)

    it('tells its story to the end', () => {
      expect(run.result.checks.filter((check) => check.result === 'fail')).toEqual([])
      expect(run.result.checks.map(({ name }) => name)).toEqual(checks.map(([name]) => name))
      expect(run.status).toBe(0)
    })

    it.each(checks)('holds: %s', (name, evidence) => {
      const check = run.result.checks.find((candidate) => candidate.name === name)
      expect(check?.result).toBe('pass')
      expect(check?.evidence).toMatch(evidence)
    })
  },
)
