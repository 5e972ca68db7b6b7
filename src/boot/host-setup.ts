/**
 * Files of our own that set the host up at every boot, besides the early binding: text only, who writes it is
 * apply/. systemd-tmpfiles writes to sysfs early (tmpfiles.d(5), type `w`), and names the page size;
 * vm.nr_hugepages of sysctl means whatever size the kernel command line made the default.
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
