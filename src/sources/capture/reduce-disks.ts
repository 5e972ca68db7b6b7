/**
 * Reduces the files about disks to the lines and keys that the readers follow (needs/disks/disks.ts).
 * Passwords, servers and programs in these files are dropped.
 */
import { unescapeOctal } from '../../host/needs/disks/mounts.ts'
import { parseFstab } from '../../host/needs/disks/named-disks.ts'
import { linesWith } from './lines.ts'
import type { Recording } from './recording.ts'

type Rule = readonly [path: RegExp, reduce: (text: string) => string | undefined]

/**
 * File systems without a disk. Those in `volatile` can hold files, so they are kept if a followed file is
 * below them.
 */
const windows =
  / - (?:proc|sysfs|devpts|cgroup2?|nsfs|mqueue|debugfs|tracefs|securityfs|pstore|bpf|configfs|fusectl|hugetlbfs|binfmt_misc|efivarfs|rpc_pipefs) /
const volatile = / - (?:tmpfs|devtmpfs|ramfs|autofs|overlay) /

export const diskRules: readonly Rule[] = [
  [/^\/etc\/fstab$/, reduceFstab],
  [/^\/run\/udev\/data\/b\d+:\d+$/, (text) => `I:1\n${linesWith(text, udevKeys)}`],
  [
    /^\/(?:etc|run|usr|lib)\/.*systemd\/system\/[^/]+\.(?:mount|swap)$/,
    (text) => linesWith(text, /^\s*(?:What|Where)\s*=/),
  ],
  [
    /^\/etc\/auto\.[^/]+$|^\/etc\/auto\.master\.d\//,
    (text) => linesWith(text, /^\s*[^#\s]\S*\s.*?:\/dev\/\S+\s*$/),
  ],
  [/^\/etc\/kdump\.conf$/, (text) => linesWith(text, /^\s*[a-z]\w*\s+(?:\/dev\/|[A-Z]+=)/)],
  [
    /^\/etc\/(?:default\/kdump-tools|sysconfig\/kdump)$/,
    (text) => linesWith(text, /^\s*KDUMP_(?:COREDIR|SAVEDIR)=["']?(?:file:\/\/)?\//),
  ],
  [/^\/etc\/initramfs-tools\/conf\.d\//, (text) => linesWith(text, /^\s*RESUME=/)],
  [/^\/etc\/crypttab$/, (text) => linesWith(text, /^\s*[^#\s]/)],
  [/^\/proc\/mdstat$/, (text) => linesWith(text, /^(?:md|\s+\d+ blocks|diskName|rdevName)/)],
]

const udevKeys =
  /^(?:S:|E:(?:ID_FS_(?:TYPE|UUID|UUID_SUB|LABEL|LABEL_ENC|AMBIVALENT)|ID_PART_ENTRY_(?:UUID|NAME)|ID_PART_TABLE_UUID|ID_SERIAL_SHORT|LVM_VG_NAME_COMPLETE)=)/

/** Drops mounts on which no result depends. */
export function reduceMounts(recording: Recording): Recording {
  const files = new Map(recording.files)
  const followed: string[] = []
  for (const [path, bytes] of files) {
    if (!/\/loop\/backing_file$|^\/proc\/(?:swaps|self\/mountinfo)$/.test(path)) continue
    for (const [found] of new TextDecoder().decode(bytes).matchAll(/\/[^\s,:=]*/g))
      followed.push(unescapeOctal(found))
  }
  for (const [path, bytes] of files) {
    if (!/^\/proc\/(?:self|\d+)\/mountinfo$/.test(path)) continue
    const lines = new TextDecoder().decode(bytes).split('\n')
    const kept = lines.filter((line) => {
      // A mount may keep a network namespace, and with it a port.
      if (/ net:\[\d+\] \S+ .* - nsfs /.test(line)) return true
      return !windows.test(line) && (!volatile.test(line) || isAbove(line, followed))
    })
    files.set(path, new TextEncoder().encode(kept.join('\n')))
  }
  return { ...recording, files }
}

/** The line is kept if a followed path is below its mount point. */
function isAbove(line: string, followed: readonly string[]): boolean {
  const point = unescapeOctal(line.split(' ')[4] ?? '')
  return point === '/' || followed.some((path) => path.startsWith(`${point}/`))
}

/** The links of all processes distinguish the mount namespaces; one process of each is kept. */
export function reduceNamespaces(recording: Recording): Recording {
  const links = new Map(
    [...recording.links].filter(([path]) => {
      const pid = /^\/proc\/(\d+)\/ns\/mnt$/.exec(path)?.[1]
      return pid === undefined || pid === '1' || recording.files.has(`/proc/${pid}/mountinfo`)
    }),
  )
  return { ...recording, links }
}

/** Keeps source, mount point and type. Options may hold passwords. Blanks inside a field stay escaped. */
function reduceFstab(text: string): string {
  const escape = (field: string): string =>
    field.replaceAll(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return parseFstab(text)
    .map(({ source, point, type }) => [source, point, type].map(escape).join(' '))
    .join('\n')
}
