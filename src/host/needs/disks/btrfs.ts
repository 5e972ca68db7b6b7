/**
 * Finds all members of a btrfs. Its device number is anonymous, and its source names one member at most
 * (`/dev/root` none). /sys/fs/btrfs/<uuid>/devices lists the members of every mounted btrfs.
 */
import { namesIn, textOf } from '../../read/reading.ts'
import { findDevice, pathOfName, type Namer } from './device-path.ts'
import type { End } from '../ends.ts'
import type { Mount } from './mounts.ts'

type Volume = { readonly id: string; readonly members: readonly string[]; readonly isWhole: boolean }

export type BtrfsMembers = {
  readonly members: readonly string[]
  /** Present if some members may be unknown. */
  readonly lost?: End
}

/** All members count as needed; this program does not judge which of them a profile could lose. */
export function btrfsMembers(namer: Namer, mounts: readonly Mount[], mount: Mount): BtrfsMembers {
  const volumes = readVolumes(namer)
  const source = sourceMember(namer, mount)
  const volume = volumes.find(({ members }) => source !== undefined && members.includes(source))
  // A mounted btrfs is one of the listed ones; without a known source it may be any of them.
  const candidates = volume ? [volume] : source === undefined ? volumes : []
  const known = volume === undefined && source !== undefined ? [source] : []
  const members = [...new Set([...candidates.flatMap((one) => one.members), ...known])]
  const mounted = new Set(mounts.filter(({ type }) => type === 'btrfs').map(({ number }) => number))
  const isListed = volume !== undefined || (candidates.length > 0 && mounted.size <= volumes.length)
  if (isListed && candidates.every(({ isWhole }) => isWhole)) return { members }
  return { members, lost: lostAt(mount.source, 'nothing lists all members of this btrfs') }
}

function lostAt(lost: string, why: string): End {
  return { to: 'lost', chain: [], lost, why }
}

function sourceMember(namer: Namer, { source, point }: Mount): string | undefined {
  const named = source.startsWith('/dev/') ? findDevice(namer, source) : undefined
  if (named?.is === 'block') return named.name
  if (point !== '/') return undefined
  const root = /(?:^|\s)root=(\S+)/.exec(textOf(namer.reading, '/proc/cmdline') ?? '')?.[1]
  const path = root === undefined ? undefined : pathOfName(root)
  const found = path === undefined ? undefined : findDevice(namer, path)
  return found?.is === 'block' ? found.name : undefined
}

/**
 * `devinfo/<id>` has an entry for each member, also for missing ones (fs/btrfs/sysfs.c). udev knows members
 * by the id of the file system.
 */
function readVolumes({ reading, udev }: Namer): Volume[] {
  const ids = namesIn(reading, '/sys/fs/btrfs').filter((name) => /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(name))
  return ids.map((id) => {
    const folder = `/sys/fs/btrfs/${id}`
    const labelled = [...udev()].flatMap(([name, { properties }]) =>
      properties.get('ID_FS_TYPE') === 'btrfs' && properties.get('ID_FS_UUID') === id ? [name] : [],
    )
    const members = [...new Set([...namesIn(reading, `${folder}/devices`), ...labelled])]
    const known = namesIn(reading, `${folder}/devinfo`)
    const present = known.filter((one) => textOf(reading, `${folder}/devinfo/${one}/missing`) !== '1')
    return { id, members, isWhole: members.length > 0 && members.length >= present.length }
  })
}
