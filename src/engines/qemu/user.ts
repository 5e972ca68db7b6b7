/**
 * QEMU runs as the user `handover-qemu`, which the package creates (packaging/debian/handover.sysusers). It
 * opens its files, devices and sockets before it changes to that user (`-runas`; QEMU, system/os-posix.c), so
 * nothing on the host has to belong to that user.
 */
import { AppError } from '../../base/errors.ts'
import type { Reader } from '../../machine/system.ts'

export type QemuUser = { readonly uid: number; readonly gid: number }

const userName = 'handover-qemu'

/**
 * Undefined when the user does not exist: QEMU runs as the caller then. Throws AppError when the list of
 * users cannot be read, so that QEMU never keeps its privileges because of that.
 */
export function qemuUser(reader: Reader): QemuUser | undefined {
  const text = reader.readText('/etc/passwd', 16 * 1024 * 1024)
  if (!text.ok) {
    if (text.reason === 'absent') return undefined
    throw new AppError(
      `/etc/passwd cannot be read (${text.code ?? text.reason}), so the user of QEMU is not known`,
    )
  }
  const [, uid, gid] = new RegExp(`^${userName}:[^:]*:(\\d{1,10}):(\\d{1,10}):`, 'm').exec(text.value) ?? []
  const user = { uid: Number(uid), gid: Number(gid) }
  return uid === undefined || user.uid === 0 ? undefined : user
}

/**
 * Memory that a device can reach is pinned, and counts against RLIMIT_MEMLOCK when the process has no
 * privileges (drivers/vfio/vfio_iommu_type1.c), so the limit is lifted before QEMU starts. If that is not
 * allowed, QEMU reports that it cannot pin the memory.
 */
export const withoutMemoryLimit = ['sh', '-c', 'ulimit -l unlimited 2>/dev/null; exec "$@"', 'sh']
