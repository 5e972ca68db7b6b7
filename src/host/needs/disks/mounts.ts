/**
 * Reads /proc/PID/mountinfo (proc(5)): the mounts of this and of other mount namespaces, and the mount that
 * holds a file.
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 */
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { readContained } from '../container.ts'
import { noteBeyond, textOfSource } from '../sources.ts'

export type Mount = {
  readonly point: string
  /** `major:minor` of the device; major 0 for file systems without one device. */
  readonly number: string
  readonly type: string
  readonly source: string
  /** The options of the file system. */
  readonly options: readonly string[]
}

/** In the order of mounting: a later mount hides an earlier one at the same point. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const [, , number, , point] = left.split(' ')
    const [type, source, options = ''] = right.split(' ')
    if (!number || !point || !type || source === undefined) continue
    const split = options.split(',').map(unescapeOctal)
    mounts.push({ point: unescapeOctal(point), number, type, source: unescapeOctal(source), options: split })
  }
  return mounts
}

/** mountinfo, swaps and fstab write space, tab, newline and backslash in octal: `\040`. */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

export function optionOf({ options }: Mount, name: string): string | undefined {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** The mount that holds a path: the longest mount point above it, the last one of equals. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts) {
    const isAbove = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`)
    if (isAbove && path.startsWith('/') && mount.point.length >= (best?.point.length ?? 0)) best = mount
  }
  return best
}

const largest = 16 << 20
const maxNamespaces = 2048

export type Namespaces = {
  /** The mounts of the host: those of process 1 if Handover is in a container. */
  readonly own: readonly Mount[]
  /** Mounts of other namespaces, each with a process that lives there. */
  readonly others: readonly { readonly mounts: readonly Mount[]; readonly process: string }[]
}

const known = new WeakMap<Reading, Namespaces>()

/** Read once for each Reading. */
export function readMounts(reading: Reading): Namespaces {
  const before = known.get(reading)
  if (before) return before
  const found = readNamespaces(reading, readContained(reading).mounts === 'other')
  known.set(reading, found)
  return found
}

function readNamespaces(reading: Reading, isContained: boolean): Namespaces {
  const self = parseMounts(textOfSource(reading, '/proc/self/mountinfo', largest))
  const host = isContained ? parseMounts(textOf(reading, '/proc/1/mountinfo', largest) ?? '') : []
  const own = host.length > 0 ? host : self
  const others = []
  const seen = new Set([namespaceOf(reading, 'self'), isContained ? namespaceOf(reading, '1') : undefined])
  const texts = new Set([
    textOf(reading, '/proc/self/mountinfo', largest),
    isContained ? textOf(reading, '/proc/1/mountinfo', largest) : '',
  ])
  for (const pid of namesIn(reading, '/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const namespace = namespaceOf(reading, pid)
    if (namespace !== undefined && seen.has(namespace)) continue
    if (namespace !== undefined) seen.add(namespace)
    // If the link is missing (another user's process, an archive), the list of mounts distinguishes the
    // namespaces.
    const text = textOf(reading, `/proc/${pid}/mountinfo`, largest)
    if (text === undefined || texts.has(text)) continue
    if (others.length >= maxNamespaces) {
      noteBeyond(reading, '/proc', maxNamespaces)
      break
    }
    texts.add(text)
    others.push({ mounts: parseMounts(text), process: pid })
  }
  if (own !== self) others.push({ mounts: self, process: 'self' })
  return { own, others }
}

function namespaceOf(reading: Reading, pid: string): string | undefined {
  return linkOf(reading, `/proc/${pid}/ns/mnt`)
}
