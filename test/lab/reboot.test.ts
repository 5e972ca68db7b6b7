/** A whole Debian on a disk, prepared for good and taken back, by real reboots (lab/reboot.yaml). */
import { beforeAll, describe } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { expectRebootStory } from '../support/reboot-checks.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const reason = whyNoReboot('debian-grub')

describe.skipIf(reason)(
  `a host with GRUB and initramfs-tools whose IOMMU is off${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let run: LabRun
    beforeAll(async () => {
      run = await runLab('lab/reboot.yaml')
    }, 2_400_000)

    expectRebootStory(() => run, /\/boot\/handover-trial\.img/)
  },
)
