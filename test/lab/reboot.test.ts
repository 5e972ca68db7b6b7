/** A whole Debian on a disk, prepared for good and taken back, by real reboots (lab/reboot.yaml). */
import { beforeAll, describe, expect, it } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'

describe('a host with GRUB whose IOMMU is off', () => {
  let run: LabRun
  beforeAll(async () => {
    run = await runLab('lab/reboot.yaml')
  }, 2_400_000)

  it('tells its story to the end', () => {
    expect(run.result.checks.filter((check) => check.result === 'fail')).toEqual([])
    expect(run.status).toBe(0)
  })

  it.each([
    ['at first the IOMMU is off', /^0 groups.*intel_iommu=off/],
    ['every path that differs after apply is named in the plan', /\/boot\/handover-trial\.img/],
    ['on trial the IOMMU is on', /intel_iommu=on.*handover\.trial=1/],
    ['on trial every assigned device is on vfio-pci', /(?:0000:0\d:00\.\d vfio-pci(?:; )?){4}/],
    ['on trial no driver of the host ever touched them', /4 functions named by no driver/],
    ['after a plain restart the IOMMU is on', /intel_iommu=on/],
    ['after a plain restart every assigned device is on vfio-pci', /(?:0000:0\d:00\.\d vfio-pci(?:; )?){4}/],
    ['after a plain restart no driver of the host ever touched them', /4 functions named by no driver/],
    ['the machine is as planned: planning again finds nothing to do', /^0 steps/],
    ['after rollback and a restart every file is as at the beginning', /facts compared/],
    ['after rollback and a restart every driver is as at the beginning', /functions compared/],
    ['the host boots as at the beginning', /intel_iommu=off/],
  ])('holds: %s', (name, evidence) => {
    const check = run.result.checks.find((candidate) => candidate.name === name)
    expect(check?.result).toBe('pass')
    expect(check?.evidence).toMatch(evidence)
  })

  it('needs five commands of its owner', () => {
    expect(run.result.session.map(({ command, status }) => [command, status])).toEqual([
      ['handover inspect', 0],
      ['handover apply reboot.yaml --yes', 0],
      ['handover confirm', 0],
      ['handover rollback --yes', 0],
      ['handover journal', 0],
    ])
  })
})
