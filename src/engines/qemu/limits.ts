/**
 * Limits of this process that its VM would inherit and break on, told before the start: QEMU says less, and
 * later.
 *
 * VFIO pins all guest memory and counts it against RLIMIT_MEMLOCK, except for a process with CAP_IPC_LOCK
 * (drivers/vfio/vfio_iommu_type1.c, vfio_lock_acct): root needs nothing, unless its capabilities were taken
 * away. Guest memory counts against memory.max of every control group above
 * (Documentation/admin-guide/cgroup-v2.rst), root's too, and breaking that one ends QEMU instead of refusing
 * it. Huge pages are locked memory, and none that memory.max counts.
 */
import { formatSize } from '../../base/size.ts'
import { AppError } from '../../base/errors.ts'
import type { VmSpec } from '../../spec/spec.ts'
import type { Reader } from '../../machine/system.ts'

/** ROMs and video memory are pinned, too; and QEMU itself takes some. */
const besidesMiB = 64

/** linux/capability.h */
const capIpcLock = 14n

export function checkLimits(reader: Reader, vm: VmSpec, isPinned: boolean): void {
  const neededMiB = vm.memoryMiB + besidesMiB
  const locked = isPinned ? lockedLimitMiB(reader) : undefined
  if (locked !== undefined && locked < neededMiB)
    throw new AppError(
      `${vm.name} would lock ${formatSize(vm.memoryMiB)} of memory, and this process may ` +
        `lock ${formatSize(locked)} (RLIMIT_MEMLOCK, without CAP_IPC_LOCK)`,
      {
        help:
          `run it as root; in a systemd unit: LimitMEMLOCK=${neededMiB}M, or keep ` +
          'CAP_IPC_LOCK in CapabilityBoundingSet',
      },
    )
  const group = vm.hugepages ? undefined : tightestGroup(reader)
  if (group === undefined || group.maxMiB >= neededMiB) return
  throw new AppError(
    `${vm.name} has ${formatSize(vm.memoryMiB)} of memory, and the control group ` +
      `${group.path} may have ${formatSize(group.maxMiB)}: the kernel would end it`,
    {
      help:
        'raise MemoryMax= of that unit (systemctl status ' +
        `${group.path.split('/').at(-1) ?? ''}), or start it elsewhere`,
    },
  )
}

/** The soft limit, where it holds for us; undefined where it does not, or cannot be read. */
function lockedLimitMiB(reader: Reader): number | undefined {
  const status = reader.readText('/proc/self/status', 65_536)
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status.ok ? status.value : '')?.[1]
  if (capabilities === undefined || ((BigInt(`0x${capabilities}`) >> capIpcLock) & 1n) === 1n)
    return undefined
  const limits = reader.readText('/proc/self/limits', 65_536)
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits.ok ? limits.value : '')?.[1]
  return soft === undefined || soft === 'unlimited' ? undefined : Math.floor(Number(soft) / 1_048_576)
}

/** The group with the smallest memory.max, of ours and all above it; `max` is none. */
function tightestGroup(reader: Reader): { readonly path: string; readonly maxMiB: number } | undefined {
  const own = reader.readText('/proc/self/cgroup', 65_536)
  let path = /^0::(\/.*)$/m.exec(own.ok ? own.value : '')?.[1]
  let tightest: { path: string; maxMiB: number } | undefined
  while (path !== undefined && path !== '/' && path !== '') {
    const text = reader.readText(`/sys/fs/cgroup${path}/memory.max`, 64)
    const maxMiB =
      text.ok && /^\d+\s*$/.test(text.value) ? Math.floor(Number(text.value) / 1_048_576) : undefined
    if (maxMiB !== undefined && maxMiB < (tightest?.maxMiB ?? Number.POSITIVE_INFINITY))
      tightest = { path, maxMiB }
    path = path.slice(0, path.lastIndexOf('/'))
  }
  return tightest
}
