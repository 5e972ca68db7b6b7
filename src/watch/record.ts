/**
 * The boot record: what one boot of the host was like for the functions that the plan in force hands over,
 * for the members of their groups, and for the functions that the host needs. `compare.ts` compares two of
 * them. What could not be read is absent.
 */
import { z } from 'zod'
import { addressSchema as address } from '../base/address-schema.ts'
import { defined } from '../base/defined.ts'
import type { Host, IommuGroup } from '../host/host.ts'
import type { HostView } from '../judge/host-view.ts'
import { viewOf } from '../judge/view.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import { identityOf } from '../pci/identity.ts'
import { leavesDmaAlone } from '../pci/vfio-driver.ts'
import { identity } from '../steps/parts.ts'

const text = z.string().max(4096)
const optional = z.exactOptional(text)
const texts = z.array(text).max(64).readonly()
const vmName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/)

/** Who uses a function. `vm`: the plan gives it to that VM. `unknown`: a need of the host may end there. */
const use = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('free') }),
  z.object({ kind: z.literal('vm'), vm: vmName }),
  z.object({ kind: z.literal('host'), for: texts }),
  z.object({ kind: z.literal('unknown'), why: texts }),
])

const link = z.object({ speed: optional, width: z.exactOptional(z.int().min(0).max(64)) })

const fn = z.object({
  address,
  identity,
  driver: z.exactOptional(z.nullable(text)),
  use,
  /** As the kernel states them. */
  resetMethods: z.exactOptional(texts),
  /** Those of them that work here, and what they amount to (pci/reset.ts). */
  usableResets: z.exactOptional(texts),
  reset: z.exactOptional(z.enum(['function', 'bus', 'together', 'power', 'none', 'unknown'])),
  link: z.exactOptional(link),
})

const group = z.object({
  devices: z.array(address).max(4096).readonly(),
  otherMembers: z.exactOptional(texts),
})

const firmware = z.object({ vendor: optional, version: optional, date: optional })

/** `optional`: its VM starts without it. */
const given = z.object({ vm: vmName, address, optional: z.exactOptional(z.literal(true)) })

export const bootRecordSchema = z.object({
  schema: z.literal(1),
  /** /proc/sys/kernel/random/boot_id */
  bootId: z.string().regex(/^[0-9a-z-]{1,64}$/),
  /** ISO 8601, for people. */
  at: z.string().max(64),
  kernel: optional,
  /** The kernel's command line. */
  arguments: z.exactOptional(z.string().max(65_536)),
  firmware: z.exactOptional(firmware),
  qemu: optional,
  /** What the plan in force hands over, also functions that are not there. */
  given: z.array(given).max(4096).readonly(),
  functions: z.array(fn).max(16_384).readonly(),
  /** The groups of the functions that are given. */
  groups: z.array(group).max(4096).readonly(),
})

export type BootRecord = Readonly<z.infer<typeof bootRecordSchema>>
export type RecordedFunction = Readonly<z.infer<typeof fn>>
export type RecordedGroup = Readonly<z.infer<typeof group>>
export type Use = Readonly<z.infer<typeof use>>
export type Firmware = Readonly<z.infer<typeof firmware>>
export type GivenFunction = Readonly<z.infer<typeof given>>

/** What a Host does not hold. */
export type BootSituation = {
  readonly bootId: string
  readonly at: string
  readonly firmware?: Firmware
  readonly qemu?: string
  readonly given: readonly GivenFunction[]
}

export function recordOf(host: Host, { given, ...boot }: BootSituation): BootRecord {
  const vms = new Map(given.map((one) => [one.address, one.vm]))
  const view = viewOf(host, { ownVms: [...vms.values()] })
  const groups = groupsOf(view, [...vms.keys()])
  const wanted = new Set<PciAddress>([
    ...vms.keys(),
    ...groups.flatMap(({ devices }) => devices),
    ...host.needs.map(({ device }) => device),
  ])
  return {
    schema: 1,
    ...boot,
    ...defined({ kernel: host.kernel.release, arguments: host.kernel.cmdline }),
    given,
    functions: view.host.devices
      .filter((device) => wanted.has(device.address))
      .map((device) => functionOf(device, view, vms)),
    groups: groups.map(({ devices, otherMembers }) => ({ devices, ...defined({ otherMembers }) })),
  }
}

function groupsOf(view: HostView, given: readonly PciAddress[]): IommuGroup[] {
  const groups = given.flatMap((address) => {
    const device = view.byAddress.get(address)
    return (device && view.groupOf(device)) ?? []
  })
  return [...new Set(groups)]
}

function functionOf(
  device: PciDevice,
  view: HostView,
  vms: ReadonlyMap<PciAddress, string>,
): RecordedFunction {
  const { address: at, driver, resetMethods } = device
  const judged = view.resetOf(at)
  const { speed, width } = device.link ?? {}
  const isLinked = speed !== undefined || width !== undefined
  return {
    address: at,
    identity: identityOf(device, view.byAddress),
    use: useOf(device, view, vms),
    ...defined({ driver, resetMethods, usableResets: judged?.usable, reset: judged?.class }),
    ...(isLinked ? { link: defined({ speed, width }) } : {}),
  }
}

/**
 * A need counts without a driver, too: the firmware's screen has none. The board's own functions count only
 * with a driver: without one they are in nobody's way (judge/group-mates.ts). A driver that uses the device's
 * DMA keeps VFIO from the whole group (`iommu_group_claim_dma_owner`, drivers/iommu/iommu.c), whatever it is
 * for.
 */
function useOf(device: PciDevice, view: HostView, vms: ReadonlyMap<PciAddress, string>): Use {
  const vm = vms.get(device.address)
  if (vm !== undefined) return { kind: 'vm', vm }
  const { driver } = device
  const needs = view.needsOf(device.address).flatMap((need) => (need.kind === 'chipset' ? [] : need.what))
  const drives = typeof driver === 'string' && !leavesDmaAlone(driver) ? [`driver ${driver}`] : []
  if (needs.length > 0 || drives.length > 0) return { kind: 'host', for: few([...needs, ...drives]) }
  const lost = view.lostAt(device.address).map(({ what, why }) => `${what}: ${why}`)
  const unread = driver === undefined ? ['its driver cannot be read'] : unreadScreen(device, view.host)
  if (lost.length > 0 || unread.length > 0) return { kind: 'unknown', why: few([...unread, ...lost]) }
  return { kind: 'free' }
}

/** The firmware's screen needs no driver. Without one, a function carries nothing else of the host. */
function unreadScreen({ classCode }: PciDevice, { unreadNeeds = [] }: Host): string[] {
  const isOpen = classCode?.startsWith('03') === true && unreadNeeds.includes('display')
  return isOpen ? ['where the screen of the host is cannot be read'] : []
}

function few(words: readonly string[]): string[] {
  return [...new Set(words)].slice(0, 16)
}
