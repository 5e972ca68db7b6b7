/**
 * Changes the driver of one PCI function by `driver_override`, which affects a single device; `new_id` and
 * `ids=` affect every device of a model. The identity is read again before anything is written. The order is
 * `driver_override`, `unbind`, `drivers_probe`, then a look at the `driver` link
 * (Documentation/ABI/testing/sysfs-bus-pci).
 */
import { z } from 'zod'
import { addressSchema } from '../base/address-schema.ts'
import { AppError } from '../base/errors.ts'
import type { PciAddress } from '../pci/address.ts'
import { virtualNumber } from '../pci/identity.ts'
import type { ReadResult, Reader, System } from '../machine/system.ts'
import { refuseOther } from './check-identity.ts'
import { findElsewhere } from './elsewhere.ts'
import { stepKind, type NeedsCheck, type Past, type Standing, type Undone } from './kind.ts'
import { identity, text } from './parts.ts'
import { unreadable } from './unreadable.ts'
import { findVfioUse } from './vfio-use.ts'

const driverState = z.object({ driver: z.nullable(text), driverOverride: z.nullable(text) })

const schema = z.object({
  kind: z.literal('driver'),
  address: addressSchema,
  /** Checked again right before the device is bound. */
  identity,
  before: driverState,
  after: driverState,
  why: text,
})

export type DriverStep = Readonly<z.infer<typeof schema>>
export type DriverState = Readonly<DriverStep['before']>

export const driver = stepKind(schema, {
  object: (step) => step.address,
  words: (step) =>
    `${step.address}: ${step.before.driver ?? 'no driver'} → ${step.after.driver ?? 'no driver'}`,
  wordsBefore: (step) =>
    `${step.address}: ${step.before.driver === null ? 'no driver' : `driver ${step.before.driver}`}`,
  // A listing may omit the driver of a device that has one.
  planned: (step, isStated) =>
    `${step.address}  ${isStated ? shortWords(step.before) : 'driver not stated'} → ` +
    shortWords(step.after),
  standing,
  perform: (system, step, { mayLeave }) => perform(system, step, mayLeave),
  undo,
  device: (step) => step,
  takes: (step) => step.address,
  inUse: (system, step, now) => {
    const use = now.kind === 'after' || now.kind === 'between' ? findVfioUse(system, step.address) : undefined
    return use === undefined ? [] : [use]
  },
})

function shortWords({ driver: name, driverOverride }: DriverState): string {
  const words = name ?? 'no driver'
  return driverOverride === null || driverOverride === name ? words : `${words} (override ${driverOverride})`
}

/** Unbinding a NIC or an HBA takes a second or two; the unbind of a device in use never returns. */
const unbindSeconds = 20
const settleMilliseconds = 5000

/** Throws with the reason when the function does not reach `step.after`. */
async function perform(system: System, step: DriverStep, mayLeave?: NeedsCheck): Promise<void> {
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
  // An empty line clears the override; sysfs ignores a write of zero bytes.
  await system.writeAttributeWithin(
    `/sys/bus/pci/devices/${address}/driver_override`,
    `${after.driverOverride ?? ''}\n`,
    5,
  )
}

async function moveDevice(system: System, step: DriverStep, current: string | null): Promise<void> {
  if (current === step.after.driver) return
  if (current !== null)
    await system.writeAttributeWithin(
      `/sys/bus/pci/devices/${step.address}/driver/unbind`,
      step.address,
      unbindSeconds,
    )
  if (step.after.driver !== null)
    await system.writeAttributeWithin('/sys/bus/pci/drivers_probe', step.address, unbindSeconds)
}

/**
 * Loads the driver's module. Throws when vfio-pci cannot be loaded. A driver of the host may be in a module
 * of another name (xhci_hcd is in xhci_pci), so the device's alias is tried as well; `settle` sees whether
 * the driver was bound.
 */
async function loadDriver(system: System, address: PciAddress, driver: string): Promise<void> {
  const isLoaded = () => system.list(`/sys/bus/pci/drivers/${driver}`).ok
  if (!system.live) return
  // vfio names its IOMMU back end only as a soft dependency, which the modprobe of busybox does not follow.
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

/** Some drivers finish binding after the write to `drivers_probe` has returned. */
async function settle(system: System, step: DriverStep): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    const now = readDriverState(system, step.address)
    if (
      now.ok &&
      now.value.driver === step.after.driver &&
      now.value.driverOverride === step.after.driverOverride
    )
      return
    if (waited >= settleMilliseconds) {
      const is = now.ok ? formatDriver(now.value) : `an unreadable state (${now.code ?? now.reason})`
      throw new AppError(`${step.address} has ${is} after binding, expected ${formatDriver(step.after)}`, {
        help: `see the reason in the kernel log: dmesg | grep ${step.address}`,
      })
    }
    await system.sleep(50)
  }
}

/** An unbind waits inside the kernel for as long as a program holds the device's VFIO group. */
function refuseInUse(system: System, address: PciAddress): void {
  const use = findVfioUse(system, address)
  if (use !== undefined) throw new AppError(use, { help: 'stop the virtual machine first: handover down' })
}

export function readDriverState(reader: Reader, address: PciAddress): ReadResult<DriverState> {
  const folder = `/sys/bus/pci/devices/${address}`
  const override = reader.readText(`${folder}/driver_override`, 4096)
  if (!override.ok) return override
  const link = reader.readLink(`${folder}/driver`)
  if (!link.ok && link.reason !== 'absent') return link
  const text = override.value.trim()
  return {
    ok: true,
    value: {
      driver: link.ok ? (link.value.split('/').at(-1) ?? null) : null,
      driverOverride: text === '' || text === '(null)' ? null : text,
    },
  }
}

function standing(reader: Reader, step: DriverStep): Standing {
  const now = readDriverState(reader, step.address)
  if (!now.ok) {
    if (now.reason === 'absent') return { kind: 'gone', difference: `no device answers at ${step.address}` }
    return unreadable(step.address, now)
  }
  const { before, after } = step
  const is = now.value
  if (is.driver === after.driver && is.driverOverride === after.driverOverride) return { kind: 'after' }
  if (is.driver === before.driver && is.driverOverride === before.driverOverride) return { kind: 'before' }
  const difference = `${step.address} has ${formatDriver(is)}, expected ${formatDriver(before)}`
  const known = (value: string | null, states: readonly (string | null)[]) => states.includes(value)
  const isBetween =
    known(is.driver, [before.driver, after.driver, null]) &&
    known(is.driverOverride, [before.driverOverride, after.driverOverride])
  return isBetween ? { kind: 'between' } : { kind: 'drifted', difference }
}

function formatDriver(state: DriverState): string {
  const driver = state.driver === null ? 'no driver' : `driver ${state.driver}`
  return state.driverOverride === null ? driver : `${driver} (override ${state.driverOverride})`
}

async function undo(system: System, { bootId }: Past, step: DriverStep): Promise<Undone> {
  const now = standing(system, step)
  if (now.kind === 'before') return { restored: true }
  // A virtual function that the card removed took its driver binding with it.
  if (now.kind === 'gone' && virtualNumber(step.identity.path) !== undefined)
    return { restored: true, note: `${step.address}: this virtual function no longer exists` }
  const elsewhere = findElsewhere(system, bootId, step)
  if (elsewhere) return elsewhere
  if (now.kind === 'drifted') return { restored: false, note: now.difference }
  await perform(system, { ...step, before: step.after, after: step.before })
  return { restored: true }
}
