/**
 * Disks that are not mounted now and still belong to the host: what /etc/fstab mounts at the next start, the boot partitions
 * Proxmox keeps in step, the place hibernation resumes from. Only names are found here; storage.ts walks them down.
 */
import type { HostNeed } from '../host.ts'
import { textOf, type Reading } from '../reading.ts'

export type NamedDisk = { readonly what: string; readonly path: string; readonly weight: HostNeed['weight'] }

export function readNamedDisks(reading: Reading): NamedDisk[] {
  const disks: NamedDisk[] = []
  for (const { source, point, type } of parseFstab(textOf(reading, '/etc/fstab') ?? '')) {
    const path = devicePath(source)
    if (path === undefined) continue
    const isBoot = /^\/(?:boot|efi)(?:\/|$)/.test(point)
    const what = type === 'swap' ? 'swap in /etc/fstab' : `${point} in /etc/fstab`
    disks.push({ what, path, weight: isBoot ? 'vital' : 'spoken-for' })
  }
  for (const line of (textOf(reading, '/etc/kernel/proxmox-boot-uuids') ?? '').split('\n')) {
    const path = devicePath(`UUID=${line.trim()}`)
    if (path !== undefined) disks.push({ what: 'boot partition of proxmox-boot-tool', path, weight: 'vital' })
  }
  const resume = /(?:^|\s)resume=(\S+)/.exec(textOf(reading, '/proc/cmdline') ?? '')?.[1]
  const path = resume === undefined ? undefined : devicePath(resume)
  if (path !== undefined) disks.push({ what: 'hibernation (resume=)', path, weight: 'vital' })
  return disks
}

/** fstab(5): source, mount point, type; options may hold passwords and are not kept. */
export function parseFstab(text: string): { source: string; point: string; type: string }[] {
  const entries: { source: string; point: string; type: string }[] = []
  for (const line of text.split('\n')) {
    const [source = '', point = '', type = ''] = line.trim().split(/\s+/)
    if (source === '' || source.startsWith('#') || type === '') continue
    entries.push({ source, point, type })
  }
  return entries
}

const tags: Readonly<Record<string, string>> = {
  UUID: 'by-uuid',
  PARTUUID: 'by-partuuid',
  LABEL: 'by-label',
  PARTLABEL: 'by-partlabel',
}

/** `UUID=…` and its kin as the link udev makes; a device file as it stands; anything else (a server, tmpfs) is no disk. */
function devicePath(source: string): string | undefined {
  const [tag = '', value] = source.replaceAll('"', '').split('=')
  const folder = tags[tag]
  if (folder !== undefined && value && /^[\w.+-]{1,128}$/.test(value)) return `/dev/disk/${folder}/${value}`
  return /^\/dev\/[\w./+:-]{1,200}$/.test(source) && !source.includes('..') ? source : undefined
}
