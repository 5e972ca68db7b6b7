/** The same story on UEFI firmware, with real EFI variables (lab/reboot-systemd-boot.yaml). */
import { beforeAll, describe } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { expectRebootStory } from '../support/reboot-checks.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const reason = whyNoReboot('debian-systemd-boot')

describe.skipIf(reason)(
  `a host with systemd-boot and dracut whose IOMMU is off${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let run: LabRun
    beforeAll(async () => {
      run = await runLab('lab/reboot-systemd-boot.yaml')
    }, 2_400_000)

    expectRebootStory(() => run, /\/boot\/efi\/.*\/handover-trial\.img/)
  },
)
