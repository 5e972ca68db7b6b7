/** Reads the facts about kernel, processor, memory and distribution. */
import { defined } from '../../base/defined.ts'
import type { CpuFacts, Distribution, KernelFacts, MemoryFacts } from '../host.ts'
import { namesIn, numberOf, textOf, type Reading } from './reading.ts'

export function readKernel(reading: Reading): KernelFacts {
  const release = textOf(reading, '/proc/sys/kernel/osrelease')
  const cmdline = textOf(reading, '/proc/cmdline')
  const lockdown = /\[(\w+)\]/.exec(textOf(reading, '/sys/kernel/security/lockdown') ?? '')?.[1]
  const modules = textOf(reading, '/proc/modules', 4 << 20)
    ?.split('\n')
    .map((line) => line.slice(0, line.indexOf(' ')))
    .filter(Boolean)
    .sort()
  const config = release === undefined ? undefined : readConfig(reading, release)
  return {
    ...defined({ release, cmdline, lockdown, modules, config }),
  }
}

/** The options for the IOMMU's default, interrupt remapping, VFIO and KVM. */
const interesting = /^CONFIG_((?:INTEL_IOMMU|AMD_IOMMU|IOMMU_DEFAULT|IOMMUFD|VFIO|IRQ_REMAP|KVM)\w*)=(.*)$/gm

function readConfig(reading: Reading, release: string): Record<string, string> | undefined {
  // The release becomes a part of a path, so other characters are refused.
  if (!/^[\w.+~-]{1,64}$/.test(release)) return undefined
  for (const path of [`/boot/config-${release}`, `/lib/modules/${release}/config`]) {
    const text = reading.system.readText(path, 2 << 20)
    if (!text.ok) continue
    const config: Record<string, string> = {}
    for (const match of text.value.matchAll(interesting)) config[match[1] ?? ''] = match[2] ?? ''
    return config
  }
  return undefined
}

export function readCpu(reading: Reading): CpuFacts {
  const text = textOf(reading, '/proc/cpuinfo', 16 << 20)
  if (text === undefined) return {}
  const first = text.slice(0, Math.max(text.indexOf('\n\n'), 0) || 16_384)
  const vendor = /^vendor_id\s*:\s*(\S+)/m.exec(first)?.[1]
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(first)?.[1]?.split(' ') ?? [])
  const count = [...text.matchAll(/^processor\s*:/gm)].length
  const virtualisation = flags.has('vmx') ? 'vmx' : flags.has('svm') ? 'svm' : null
  return {
    ...defined({ vendor }),
    ...(flags.size > 0 ? { virtualisation, isGuest: flags.has('hypervisor') } : {}),
    ...(count > 0 ? { count } : {}),
  }
}

export function readMemory(reading: Reading): MemoryFacts {
  const text = textOf(reading, '/proc/meminfo') ?? ''
  const mebibytes = (name: string): number | undefined => {
    const kib = numberOf(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1])
    return kib === undefined ? undefined : Math.floor(kib / 1024)
  }
  const totalMiB = mebibytes('MemTotal')
  const availableMiB = mebibytes('MemAvailable')
  const hugepages: { sizeKiB: number; total: number; free: number }[] = []
  const folder = '/sys/kernel/mm/hugepages'
  for (const name of namesIn(reading, folder)) {
    const sizeKiB = numberOf(/^hugepages-(\d+)kB$/.exec(name)?.[1])
    const total = numberOf(textOf(reading, `${folder}/${name}/nr_hugepages`))
    if (sizeKiB === undefined || total === undefined) continue
    hugepages.push({
      sizeKiB,
      total,
      free: numberOf(textOf(reading, `${folder}/${name}/free_hugepages`)) ?? 0,
    })
  }
  return {
    ...defined({ totalMiB, availableMiB }),
    ...(hugepages.length > 0 ? { hugepages } : {}),
  }
}

/** os-release(5): shell-like assignments, quoted or not. */
export function readDistribution(reading: Reading): Distribution | undefined {
  const text = textOf(reading, '/etc/os-release') ?? textOf(reading, '/usr/lib/os-release')
  if (text === undefined) return undefined
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=(["']?)([^"'\\n]*)\\1`, 'm').exec(text)?.[2] || undefined
  const id = value('ID')
  if (id === undefined) return undefined
  const versionId = value('VERSION_ID')
  const idLike = value('ID_LIKE')?.split(/\s+/)
  return { id, ...(versionId ? { versionId } : {}), ...defined({ idLike }) }
}
