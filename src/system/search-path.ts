/** Where programs are looked for: `su` and cron leave out the folders that update-grub, modprobe and ip live in. */
export function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`
}
