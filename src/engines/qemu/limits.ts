/**
 * Checks the limits of this process that a VM inherits. QEMU reports them later and with fewer details.
 *
 * VFIO pins all guest memory and counts it against RLIMIT_MEMLOCK, except for a process with CAP_IPC_LOCK
 * (drivers/vfio/vfio_iommu_type1.c, vfio_lock_acct): root has no limit, unless it lacks that capability.
 * Guest memory also counts against memory.max of every control group above the process, for root as well, and
 * the kernel kills a QEMU that exceeds it (Documentation/admin-guide/cgroup-v2.rst). Huge pages count as
 * locked memory, but not against memory.max.
 */
import { formatSize } from '../../base/size.ts'
import { AppError } from '../../base/errors.ts'
import type { VmSpec } from '../../spec/spec.ts'
import type { Reader } from '../../machine/system.ts'

/** Memory besides the guest's: ROMs and video memory are pinned as well, and QEMU needs some itself. */
const besidesMiB = 64

/** linux/capability.h */
const capIpcLock = 14n

export function checkLimits(reader: Reader, vm: VmSpec, isPinned: boolean): void {
  const neededMiB = vm.memoryMiB + besidesMiB
  const locked = isPinned ? lockedLimitMiB(reader) : undefined
  if (locked !== undefined && locked < neededMiB)
    throw new AppError(
      `${vm.name} would lock ${formatSize(vm.memoryMiB)} of memory, and this process may ` +
        `lock only ${formatSize(locked)} (RLIMIT_MEMLOCK, without CAP_IPC_LOCK)`,
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
      `${group.path} may use only ${formatSize(group.maxMiB)}: the kernel would kill the VM`,
    {
      help:
        'raise MemoryMax= of that unit (systemctl status ' +
        `${group.path.split('/').at(-1) ?? ''}), or start the VM in another unit`,
    },
  )
}

/** The soft limit; undefined when this process is not limited, or the limit cannot be read. */
function lockedLimitMiB(reader: Reader): number | undefined {
  const status = reader.readText('/proc/self/status', 65_536)
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status.ok ? status.value : '')?.[1]
  if (capabilities === undefined || ((BigInt(`0x${capabilities}`) >> capIpcLock) & 1n) === 1n)
    return undefined
  const limits = reader.readText('/proc/self/limits', 65_536)
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits.ok ? limits.value : '')?.[1]
  return soft === undefined || soft === 'unlimited' ? undefined : Math.floor(Number(soft) / 1_048_576)
}

/**
 * The group with the smallest memory.max among our group and those above it. The value `max` means no limit.
 */
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
