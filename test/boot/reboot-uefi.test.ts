/** The same story on UEFI firmware, with real EFI variables: entry files, and unified kernel images. */
import { beforeAll, describe } from 'vitest'
import type { InstalledKind } from '../../src/lab/installed/systems.ts'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { expectRebootStory } from '../support/reboot-checks.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const entry = /\/boot\/efi\/.*\/handover-trial\.img/
const image = /\/boot\/efi\/EFI\/Linux\/handover-trial\.efi/

const hosts: readonly (readonly [name: string, kind: InstalledKind, topology: string, trial: RegExp])[] = [
  ['systemd-boot and dracut', 'debian-systemd-boot', 'lab/reboot-systemd-boot.yaml', entry],
  ['unified images that dracut makes', 'debian-unified', 'lab/reboot-unified.yaml', image],
]

for (const [name, kind, topology, trial] of hosts) {
  const reason = whyNoReboot(kind)
  describe.skipIf(reason)(
    `a host with ${name} whose IOMMU is off${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    () => {
      let run: LabRun
      beforeAll(async () => {
        run = await runLab(topology)
      }, 2_400_000)

      expectRebootStory(() => run, trial)
    },
  )
}
