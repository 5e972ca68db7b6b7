/**
 * What the story of a host that is prepared for good must show, whatever its boot loader: check and the
 * evidence it rests on.
 */
import { expect, it } from 'vitest'
import type { LabRun } from './lab-run.ts'

const four = /(?:0000:0\d:00\.\d vfio-pci(?:; )?){4}/

/** `image`: the trial's own initramfs, which the plan must name. */
export function rebootChecks(image: RegExp): readonly (readonly [name: string, evidence: RegExp])[] {
  return [
    ['at first the IOMMU is off', /^0 groups.*intel_iommu=off/],
    ['every path that differs after apply is named in the plan', image],
    ['on trial the IOMMU is on', /intel_iommu=on.*handover\.trial=1/],
    ['on trial every assigned device is on vfio-pci', four],
    ['on trial no driver of the host ever touched them', /4 functions named by no driver/],
    ['after a plain restart the IOMMU is on', /intel_iommu=on/],
    ['after a plain restart every assigned device is on vfio-pci', four],
    ['after a plain restart no driver of the host ever touched them', /4 functions named by no driver/],
    ['the machine is as planned: planning again finds nothing to do', /^0 steps/],
    ['after rollback and a restart every file is as at the beginning', /facts compared/],
    ['after rollback and a restart every driver is as at the beginning', /functions compared/],
    ['the host boots as at the beginning', /intel_iommu=off/],
  ]
}

/** The tests of one such run; `run` is asked when they run. */
export function expectRebootStory(run: () => LabRun, image: RegExp): void {
  it('tells its story to the end', () => {
    expect(run().result.checks.filter((check) => check.result === 'fail')).toEqual([])
    expect(run().status).toBe(0)
  })

  it.each(rebootChecks(image))('holds: %s', (name, evidence) => {
    const check = run().result.checks.find((candidate) => candidate.name === name)
    expect(check?.result).toBe('pass')
    expect(check?.evidence).toMatch(evidence)
  })

  it('needs five commands of its owner', () => {
    expect(run().result.session.map(({ command, status }) => [command, status])).toEqual([
      ['handover inspect', 0],
      ['handover apply reboot.yaml --yes', 0],
      ['handover confirm', 0],
      ['handover rollback --yes', 0],
      ['handover journal', 0],
    ])
  })
}
