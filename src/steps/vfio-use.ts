import type { System } from '../machine/system.ts'
import type { PciAddress } from '../pci/address.ts'

/** A sentence that names the process which uses the device through VFIO. */
export function findVfioUse(system: System, address: PciAddress): string | undefined {
  const group = system.readLink(`/sys/bus/pci/devices/${address}/iommu_group`)
  const node = group.ok ? `/dev/vfio/${group.value.split('/').at(-1) ?? ''}` : undefined
  const cdev = system.list(`/sys/bus/pci/devices/${address}/vfio-dev`)
  const nodes = new Set([node, ...(cdev.ok ? cdev.value.map((name) => `/dev/vfio/devices/${name}`) : [])])
  const processes = system.list('/proc')
  if (!processes.ok) return undefined
  for (const pid of processes.value.filter((name) => /^\d+$/.test(name))) {
    const fds = system.list(`/proc/${pid}/fd`)
    if (!fds.ok) continue
    for (const fd of fds.value) {
      const target = system.readLink(`/proc/${pid}/fd/${fd}`)
      if (!target.ok || !nodes.has(target.value)) continue
      const name = system.readText(`/proc/${pid}/comm`, 64)
      return `${address} is in use by process ${pid} (${name.ok ? name.value.trim() : '?'})`
    }
  }
  return undefined
}
