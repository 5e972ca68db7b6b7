/**
 * Moves one PCI function from driver to driver by `driver_override`, which names a single device; the ids-based ways
 * (`new_id`, `ids=`) take every device of a model. Nothing is written before the identity was read again.
 * Order (Documentation/ABI/testing/sysfs-bus-pci): override, unbind, drivers_probe, look at the `driver` link.
 */
import { AppError } from '../base/errors.ts'
import type { PciAddress } from '../pci/address.ts'
import type { DriverState, Step } from './step.ts'
import type { System } from '../machine/system.ts'
import type { NeedsCheck } from './check-needs.ts'
import { refuseOther } from './check-identity.ts'
import { formatDriver, readDriverState } from './read-state.ts'

type DriverStep = Extract<Step, { kind: 'driver' }>

/** Unbinding a NIC or an HBA takes a second or two; a device in use never comes back. */
const unbindSeconds = 20
const settleMilliseconds = 5000

/**
 * Brings the function to `step.after`; throws with the reason when it cannot, having bound nothing to another device. `mayLeave` is
 * asked right before the device leaves its driver.
 */
export async function performDriver(system: System, step: DriverStep, mayLeave?: NeedsCheck): Promise<void> {
  refuseOther(system, step.address, step.identity)
  const now = readDriverState(system, step.address)
  if (!now.ok) throw new AppError(`${step.address} cannot be read (${now.code ?? now.reason})`)
  if (now.value.driver !== null && now.value.driver !== step.after.driver) refuseInUse(system, step.address)
  if (step.after.driver !== null) await loadDriver(system, step.address, step.after.driver)
  await writeOverride(system, step.address, step.after)
  if (now.value.driver !== step.after.driver) mayLeave?.(step.address)
  await moveDevice(system, step, now.value.driver)
  await settle(system, step)
}

async function writeOverride(system: System, address: PciAddress, after: DriverState): Promise<void> {
  // An empty line clears it; an empty write would be no write at all.
  await system.writeAttributeWithin(
    `/sys/bus/pci/devices/${address}/driver_override`,
    `${after.driverOverride ?? ''}\n`,
    5,
  )
}

async function moveDevice(system: System, step: DriverStep, current: string | null): Promise<void> {
  if (current === step.after.driver) return
  if (current !== null)
    await system.writeAttributeWithin(`/sys/bus/pci/devices/${step.address}/driver/unbind`, step.address, unbindSeconds)
  if (step.after.driver !== null)
    await system.writeAttributeWithin('/sys/bus/pci/drivers_probe', step.address, unbindSeconds)
}

/**
 * A driver may be a module that nobody has loaded yet. Without vfio-pci nothing is begun; the host's own driver is also
 * tried by the device's alias, since a driver and its module may have different names (xhci_hcd in xhci_pci), and
 * whether it came is seen after the probe.
 */
async function loadDriver(system: System, address: PciAddress, driver: string): Promise<void> {
  const isLoaded = () => system.list(`/sys/bus/pci/drivers/${driver}`).ok
  if (!system.live) return
  // vfio asks for its IOMMU back end only through a soft dependency, which small modprobes (busybox) do not follow.
  if (driver === 'vfio-pci' && !system.list('/sys/module/vfio_iommu_type1').ok)
    await system.exec(['modprobe', 'vfio_iommu_type1'], { timeoutSeconds: 60 })
  if (isLoaded()) return
  const result = await system.exec(['modprobe', driver], { timeoutSeconds: 60 })
  if (isLoaded()) return
  const alias = system.readText(`/sys/bus/pci/devices/${address}/modalias`, 4096)
  if (driver !== 'vfio-pci' && alias.ok) {
    await system.exec(['modprobe', alias.value.trim()], { timeoutSeconds: 60 })
    return
  }
  const said = result.stderr.trim().split('\n').at(-1) ?? ''
  throw new AppError(`the kernel has no driver ${driver}${said ? `: ${said}` : ''}`, {
    help: `is the module installed? try: modprobe ${driver}`,
  })
}

/** Some drivers finish binding a moment after the probe was asked for. */
async function settle(system: System, step: DriverStep): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    const now = readDriverState(system, step.address)
    if (now.ok && now.value.driver === step.after.driver && now.value.driverOverride === step.after.driverOverride)
      return
    if (waited >= settleMilliseconds) {
      const is = now.ok ? formatDriver(now.value) : `an unreadable state (${now.code ?? now.reason})`
      throw new AppError(`${step.address} has ${is} after binding, expected ${formatDriver(step.after)}`, {
        help: `the kernel's reason is in its log: dmesg | grep ${step.address}`,
      })
    }
    await system.sleep(50)
  }
}

/** A program that holds the device's VFIO group would make the unbind wait inside the kernel for as long as it runs. */
function refuseInUse(system: System, address: PciAddress): void {
  const use = findVfioUse(system, address)
  if (use !== undefined) throw new AppError(use, { help: 'stop the virtual machine first: handover down' })
}

/** Which process holds the device through VFIO, as a sentence. */
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
