/** `su` and cron do not have these folders in PATH; update-grub, modprobe and ip are there. */
const adminFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Drops empty parts of PATH, which would mean the current folder. */
export function searchPath(): string {
  const given = (process.env['PATH'] ?? '/usr/bin:/bin').split(':').filter((folder) => folder !== '')
  return [...given, ...adminFolders.filter((folder) => !given.includes(folder))].join(':')
}
