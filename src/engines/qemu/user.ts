/**
 * The user that QEMU runs as: `handover-qemu`, which the package makes (packaging/debian/handover.sysusers).
 * QEMU opens its files, devices and sockets first and changes its user then (`-runas`, QEMU's
 * system/os-posix.c), so that nothing on the host has to belong to that user.
 */
import type { Reader } from '../../machine/system.ts'

export type QemuUser = { readonly uid: number; readonly gid: number }

const userName = 'handover-qemu'

/** Undefined where there is no such user: QEMU then stays what its caller is. */
export function qemuUser(reader: Reader): QemuUser | undefined {
  const text = reader.readText('/etc/passwd')
  if (!text.ok) return undefined
  const [, uid, gid] = new RegExp(`^${userName}:[^:]*:(\\d{1,10}):(\\d{1,10}):`, 'm').exec(text.value) ?? []
  const user = { uid: Number(uid), gid: Number(gid) }
  return uid === undefined || user.uid === 0 ? undefined : user
}

/**
 * Memory that a device reaches is pinned, and counts against a limit once the process has no privileges
 * (RLIMIT_MEMLOCK; drivers/vfio/vfio_iommu_type1.c): the limit is lifted before. Where that is not allowed,
 * pinning fails in QEMU itself, which says so.
 */
export const withoutMemoryLimit = ['sh', '-c', 'ulimit -l unlimited 2>/dev/null; exec "$@"', 'sh']
