/**
 * Makes the file that reserves huge pages at every boot. systemd-tmpfiles writes to sysfs early in the boot
 * (tmpfiles.d(5), type `w`), where the path has the page size; sysctl vm.nr_hugepages uses the default size,
 * which the kernel command line may change.
 */
import { ownHeader, type OwnFile } from './own-file.ts'

export const hugepagesPath = '/etc/tmpfiles.d/handover.conf'

export function nrHugepages(sizeKiB: number): string {
  return `/sys/kernel/mm/hugepages/hugepages-${sizeKiB}kB/nr_hugepages`
}

export function hugepagesFile(sizeKiB: number, count: number): OwnFile {
  return {
    path: hugepagesPath,
    mode: 0o644,
    text: `${ownHeader}\nw ${nrHugepages(sizeKiB)} - - - - ${count}\n`,
  }
}

export const sleepPath = '/etc/systemd/sleep.conf.d/handover.conf'

/**
 * The host neither suspends nor hibernates (systemd-sleep.conf(5)): vfio-pci saves nothing of a device that a
 * guest drives, and the guest finds it reset when the host wakes up.
 */
export const sleepFile: OwnFile = {
  path: sleepPath,
  mode: 0o644,
  text: `${ownHeader}
[Sleep]
AllowSuspend=no
AllowHibernation=no
AllowSuspendThenHibernate=no
AllowHybridSleep=no
`,
}
