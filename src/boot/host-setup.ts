/** Makes the files that reserve huge pages at every boot and keep the host awake. */
import { ownHeader, type OwnFile } from './own-file.ts'

export const hugepagesPath = '/etc/tmpfiles.d/handover.conf'

export function nrHugepages(sizeKiB: number): string {
  return `/sys/kernel/mm/hugepages/hugepages-${sizeKiB}kB/nr_hugepages`
}

/**
 * systemd-tmpfiles writes to sysfs early in the boot (tmpfiles.d(5), type `w`), where the path has the page
 * size; sysctl vm.nr_hugepages uses the default size, which the kernel command line may change.
 */
export function hugepagesFile(sizeKiB: number, count: number): OwnFile {
  return {
    path: hugepagesPath,
    mode: 0o644,
    text: `${ownHeader}\nw ${nrHugepages(sizeKiB)} - - - - ${count}\n`,
  }
}

export const sleepPath = '/etc/systemd/sleep.conf.d/handover.conf'

/**
 * The host neither suspends nor hibernates (systemd-sleep.conf(5)): vfio-pci does not save the state of a
 * guest's device, and the device is reset when the host wakes up.
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
