/**
 * Finds disks that belong to the host although they are not in use: those that /etc/fstab and mount units
 * mount on request, the boot partitions that Proxmox synchronises, the target of crash dumps. It returns
 * names only; storage.ts follows them.
 */
import { defined } from '../../../base/defined.ts'
import type { HostNeed } from '../../host.ts'
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { unescapeOctal } from './mounts.ts'
import { namesInSource, textOfSource } from '../sources.ts'

export type NamedDisk = {
  readonly what: string
  /** The possible meanings of one name, the likeliest first: `UUID=…`, `/dev/sda2`, `8:3`. */
  readonly names: readonly string[]
  readonly weight: HostNeed['weight']
  /**
   * The mount point or unlocked volume, if the disk is in use under another name. The disk is then followed
   * from there.
   */
  readonly point?: string
  readonly mapping?: string
}

export function readNamedDisks(reading: Reading): NamedDisk[] {
  return [
    ...fstabDisks(reading),
    ...proxmoxDisks(reading),
    ...unitDisks(reading),
    ...automountDisks(reading),
    ...dumpDisks(reading),
  ]
}

function fstabDisks(reading: Reading): NamedDisk[] {
  return parseFstab(textOfSource(reading, '/etc/fstab')).map(({ source, point, type }) => {
    const isBoot = /^\/(?:boot|efi)(?:\/|$)/.test(point)
    const what = type === 'swap' ? 'swap in /etc/fstab' : `${point} in /etc/fstab`
    return { what, names: [source], weight: isBoot ? 'vital' : 'spoken-for', point }
  })
}

/** fstab(5): source, mount point, type, with octal escapes; options may hold passwords and are not kept. */
export function parseFstab(text: string): { source: string; point: string; type: string }[] {
  const entries: { source: string; point: string; type: string }[] = []
  for (const line of text.split('\n')) {
    const [source = '', point = '', type = ''] = line.trim().split(/\s+/)
    if (source === '' || source.startsWith('#') || type === '') continue
    entries.push({ source: unescapeOctal(source), point: unescapeOctal(point), type })
  }
  return entries
}

function proxmoxDisks(reading: Reading): NamedDisk[] {
  return textOfSource(reading, '/etc/kernel/proxmox-boot-uuids')
    .split('\n')
    .flatMap((line): NamedDisk[] => {
      const id = line.trim()
      return id === ''
        ? []
        : [{ what: 'boot partition of proxmox-boot-tool', names: [`UUID=${id}`], weight: 'vital' }]
    })
}

const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

/** systemd.mount(5), systemd.swap(5): `What=` names the device, with specifiers of systemd (`%%`). */
function unitDisks(reading: Reading): NamedDisk[] {
  const found: NamedDisk[] = []
  const seen = new Set<string>()
  for (const folder of unitFolders) {
    for (const name of namesInSource(reading, folder)) {
      if (!/\.(?:mount|swap)$/.test(name) || seen.has(name)) continue
      seen.add(name)
      const text = textOfSource(reading, `${folder}/${name}`, 65_536)
      const value = (key: string): string | undefined =>
        [...text.matchAll(new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'gm'))]
          .at(-1)?.[1]
          ?.replaceAll('%%', '%')
      const source = value('What')
      const what = name.endsWith('.swap') ? `swap in ${name}` : `${value('Where') ?? name} in ${name}`
      if (source === undefined) continue
      const point = value('Where')
      found.push({
        what,
        names: [unescapeUnit(source)],
        weight: 'spoken-for',
        ...defined({ point }),
      })
    }
  }
  return found
}

/** systemd.syntax(7): quotes around a value, and C escapes in it. */
function unescapeUnit(text: string): string {
  const plain = /^(["'])(.*)\1$/.exec(text)?.[2] ?? text
  return plain.startsWith('/dev/')
    ? plain
    : plain.replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
}

/** autofs(5): /etc/auto.master names maps, and a map names a disk as `:/dev/sdb1`. */
function automountDisks(reading: Reading): NamedDisk[] {
  const masters = namesIn(reading, '/etc/auto.master.d').map((name) => `/etc/auto.master.d/${name}`)
  const texts = ['/etc/auto.master', ...masters].map((path) => textOf(reading, path, 1 << 20) ?? '')
  const maps = texts.flatMap((text) =>
    [...text.matchAll(/^\s*\/\S*\s+(?:file:)?(\/\S+)/gm)].map(([, map = '']) => map),
  )
  return [...new Set(maps)].slice(0, 256).flatMap((map) =>
    [...(textOf(reading, map, 1 << 20) ?? '').matchAll(/^\s*([^#\s]\S*)\s.*?:(\/dev\/\S+)\s*$/gm)].map(
      ([, key = '', source = '']): NamedDisk => ({
        what: `${key} in ${map}`,
        names: [source],
        weight: 'spoken-for',
      }),
    ),
  )
}

/**
 * kdump.conf(5): `<fs type> <partition>` or `raw <partition>`; other keys name servers, paths and programs.
 */
function dumpDisks(reading: Reading): NamedDisk[] {
  const lines = textOfSource(reading, '/etc/kdump.conf', 65_536).split('\n')
  return lines.flatMap((line): NamedDisk[] => {
    const [, type = '', source = ''] = /^\s*([a-z]\w*)\s+(\S+)\s*$/.exec(line) ?? []
    const isDevice = /^(?:\/dev\/|(?:UUID|LABEL|PARTUUID|PARTLABEL)=)/i.test(source)
    if (!isDevice || /^(?:nfs|ssh|sshkey|path)$/.test(type)) return []
    return [{ what: 'crash dumps in /etc/kdump.conf', names: [source], weight: 'spoken-for' }]
  })
}

/** The folders for crash dumps of Debian's kdump-tools and SUSE's kdump. */
export function readDumpFolders(reading: Reading): { readonly what: string; readonly path: string }[] {
  return ['/etc/default/kdump-tools', '/etc/sysconfig/kdump'].flatMap((file) => {
    const text = textOf(reading, file, 65_536) ?? ''
    const value = /^\s*(?:KDUMP_COREDIR|KDUMP_SAVEDIR)=["']?(?:file:\/\/)?(\/[^"'\s]*)/m.exec(text)?.[1]
    return value === undefined ? [] : [{ what: `crash dumps in ${file}`, path: value }]
  })
}
