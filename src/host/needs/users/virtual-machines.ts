/**
 * Finds functions that a running program uses through VFIO: by the groups and devices that programs have open
 * (Documentation/driver-api/vfio.rst), and by their arguments if open files cannot be read.
 */
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import { isBridge, type PciDevice } from '../../../pci/device.ts'
import { isVfioDriver } from '../../../pci/vfio-driver.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, type Reading } from '../../read/reading.ts'
import { joinNeeds, needsOf, type End, type NeedsRead, type NeedStart } from '../ends.ts'
import { argumentsOf, guestName, nodeNumber, programName, type OpenFile, type Process } from './processes.ts'
import { guestStart, type Around } from './program-users.ts'

export function readVmNeeds(reading: Reading, around: Around): NeedsRead {
  const bound = around.devices.filter(({ driver }) => isVfioDriver(driver)).map(({ address }) => address)
  const parts: NeedsRead[] = []
  const told = new Set<string>()
  for (const process of around.processes) {
    for (const file of process.open) {
      if (!file.path.startsWith('/dev/vfio/')) continue
      const ends = endsOfNode(reading, around, process, file)
      for (const end of ends) if (end.to === 'function') told.add(`${process.pid} ${end.device}`)
      parts.push(needsOf(startOf(reading, around, process), ends, () => bound))
    }
  }
  if (bound.length > 0) parts.push(byArguments(reading, around, { bound: new Set(bound), told }))
  return joinNeeds(parts)
}

/** A program without a guest drives the function itself, as packet and storage engines do. */
function startOf(reading: Reading, around: Around, process: Process): NeedStart {
  if (process.runsGuest || guestName(argumentsOf(reading, process.pid)) !== undefined)
    return guestStart(reading, around, process)
  const name = programName(reading, process.pid)
  return { kind: 'use', what: `program ${name}`, subject: name, weight: 'vital' }
}

/** `/dev/vfio/12` is IOMMU group 12, `/dev/vfio/devices/vfio3` one function. */
function endsOfNode(reading: Reading, around: Around, process: Process, file: OpenFile): End[] {
  const chain = [`process ${process.pid}`, file.path]
  const group = /^\/dev\/vfio\/(?:noiommu-)?(\d{1,9})$/.exec(file.path)?.[1]
  const functions =
    group === undefined ? ownerOfDevice(reading, around, process, file) : membersOf(reading, around, group)
  if (functions.length > 0) return functions.map((device) => ({ to: 'function', chain, device }))
  return [{ to: 'lost', chain: chain.slice(0, 1), lost: file.path, why: 'nothing says which function it is' }]
}

/**
 * A program that owns a group owns all of its members, also those without a driver. A mediated device (a part
 * of a graphics card) is a member below its function.
 */
function membersOf(reading: Reading, { devices }: Around, group: string): PciAddress[] {
  const isOwned = ({ driver }: PciDevice) => driver === null || driver === 'pci-stub' || isVfioDriver(driver)
  const members = devices.filter((one) => one.iommuGroup === Number(group) && !isBridge(one) && isOwned(one))
  const folder = `/sys/kernel/iommu_groups/${group}/devices`
  const parents = namesIn(reading, folder)
    .filter((name) => parseAddress(name) === undefined)
    .flatMap((name) => ownerOf(linkOf(reading, `${folder}/${name}`)) ?? [])
  return [...new Set([...members.map(({ address }) => address), ...parents])]
}

/**
 * Uses the node's number or class, else the folder that VFIO creates below each function
 * (drivers/vfio/vfio_main.c).
 */
function ownerOfDevice(
  reading: Reading,
  around: Around,
  process: Process,
  file: OpenFile,
): readonly PciAddress[] {
  const found = around.find(file.path, nodeNumber(reading, process.pid, file))
  if (found.length > 0) return found
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  const holding = around.devices.filter(
    ({ address }) => reading.system.stat(`/sys/bus/pci/devices/${address}/vfio-dev/${name}`).ok,
  )
  return holding.map(({ address }) => address)
}

function byArguments(
  reading: Reading,
  around: Around,
  { bound, told }: { readonly bound: ReadonlySet<PciAddress>; readonly told: ReadonlySet<string> },
): NeedsRead {
  const processes = new Map(around.processes.map((one) => [one.pid, one]))
  const parts: NeedsRead[] = []
  for (const pid of namesIn(reading, '/proc').filter((name) => /^\d{1,10}$/.test(name))) {
    const { functions, saysVfio } = functionsInArguments(argumentsOf(reading, pid))
    const process = processes.get(pid) ?? { pid, open: [], sockets: [], runsGuest: false }
    if (!saysVfio && !process.runsGuest) continue
    for (const device of functions) {
      if (!bound.has(device) || told.has(`${pid} ${device}`)) continue
      const end: End = { to: 'function', chain: [`process ${pid}`], device }
      parts.push(needsOf(guestStart(reading, around, process), [end], () => []))
    }
  }
  return joinNeeds(parts)
}

/**
 * `host=0000:01:00.0` of QEMU's vfio-pci (also as JSON), and folders of sysfs in an argument, as QEMU's
 * `sysfsdev=`, cloud-hypervisor and crosvm take them.
 */
const hostPattern = /\bhost"?[=:]\s{0,4}"?([0-9a-f:.]{7,16})/gi
const folderPattern =
  /\/sys\/(?:bus\/pci\/)?devices\/(?:[\w:.-]{1,40}\/){0,40}([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/gi

/** The PCI functions in the arguments of a program, and whether the arguments contain `vfio`. */
export function functionsInArguments(args: readonly string[]): {
  readonly functions: ReadonlySet<PciAddress>
  readonly saysVfio: boolean
} {
  const functions = new Set<PciAddress>()
  let saysVfio = false
  for (const whole of args.slice(1)) {
    const arg = whole.slice(0, 65_536)
    const isVfio = arg.includes('vfio')
    saysVfio ||= isVfio
    for (const pattern of isVfio
      ? [hostPattern, folderPattern]
      : arg.includes('/sys/')
        ? [folderPattern]
        : [])
      for (const match of arg.matchAll(pattern)) {
        const address = parseAddress(match[1] ?? '')
        if (address !== undefined) functions.add(address)
      }
  }
  return { functions, saysVfio }
}
