/** `su` and cron leave these out of PATH, and update-grub, modprobe and ip live there. */
const adminFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Where programs are looked for. An empty part of PATH would mean the folder one happens to be in: never
 * that.
 */
export function searchPath(): string {
  const given = (process.env['PATH'] ?? '/usr/bin:/bin').split(':').filter((folder) => folder !== '')
  return [...given, ...adminFolders.filter((folder) => !given.includes(folder))].join(':')
}
