/**
 * Finds programs with an open device node: a model on a graphics card, a recorder on a tuner, a UPS or radio
 * on a USB port, a virtual machine on a disk. Watchdogs (watchdogs.ts) and VFIO devices (virtual-machines.ts)
 * have their own readers.
 */
import { defined } from '../../../base/defined.ts'
import type { PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import type { HostNeed } from '../../host.ts'
import type { Reading } from '../../read/reading.ts'
import { findByNumber, findDevice, isDiskName, type Found } from '../disks/device-path.ts'
import type { NodeFinder } from './device-nodes.ts'
import { readDisks, type Disks } from '../disks/disks.ts'
import { needsOf, joinNeeds, type End, type NeedsRead, type NeedStart } from '../ends.ts'
import { argumentsOf, guestName, nodeNumber, programName, type OpenFile, type Process } from './processes.ts'

export type Around = {
  readonly devices: readonly PciDevice[]
  readonly processes: readonly Process[]
  readonly find: NodeFinder
  /** Process id → name, for VMs that Handover started. */
  readonly own: ReadonlyMap<string, string>
}

/** `keyboards`: functions whose keyboards are already reported. */
export function readProgramUsers(
  reading: Reading,
  around: Around,
  keyboards: ReadonlySet<PciAddress>,
): NeedsRead {
  const disks = readDisks(reading, around.devices)
  const users = new Map<string, User>()
  const parts: NeedsRead[] = []
  for (const process of around.processes) {
    for (const file of process.open) {
      if (/^\/dev\/(?:watchdog\d*$|vfio\/)/.test(file.path)) continue
      const number = nodeNumber(reading, process.pid, file)
      const held = blockNeeds({ reading, disks, around }, process, { file, number })
      if (held !== undefined) {
        parts.push(held)
        continue
      }
      for (const device of around.find(file.path, number)) {
        if (file.path.startsWith('/dev/input/') && keyboards.has(device)) continue
        if (process.runsGuest && handedOn.test(file.path))
          parts.push({
            needs: [{ ...guestStart(reading, around, process), chain: [file.path], device }],
            lost: [],
          })
        else addUser(users, { name: programName(reading, process.pid), device }, { process, file })
      }
    }
  }
  return joinNeeds([...parts, { needs: [...users.values()].map(needOfUser), lost: [] }])
}

/** Devices that a VM monitor passes to its guest: USB, SCSI, tapes, NVMe, ports by vDPA. */
const handedOn = /^\/dev\/(?:bus\/usb\/|sg\d|bsg\/|n?st\d|nvme\d|ng\d|vhost-vdpa)/

type User = {
  readonly name: string
  readonly device: PciAddress
  readonly pids: Set<string>
  readonly paths: string[]
}

/** A browser has many processes but is reported once. */
function addUser(
  users: Map<string, User>,
  { name, device }: { readonly name: string; readonly device: PciAddress },
  { process, file }: { readonly process: Process; readonly file: OpenFile },
): void {
  const key = `${device} ${name}`
  const user = users.get(key) ?? { name, device, pids: new Set<string>(), paths: [] }
  users.set(key, user)
  user.pids.add(process.pid)
  if (!user.paths.includes(file.path)) user.paths.push(file.path)
}

function needOfUser({ name, device, pids, paths }: User): HostNeed {
  const [first = ''] = pids
  const whole = pids.size > 1 ? `process ${first} and ${pids.size - 1} more` : `process ${first}`
  const [path = ''] = paths
  const chain = name === `process ${first}` ? [name, path] : [name, whole, path]
  return { kind: 'use', what: `program ${name}`, subject: name, chain, device, weight: 'spoken-for' }
}

/** The start of a need of a virtual machine; `vm` is set only for VMs that Handover started. */
export function guestStart(reading: Reading, { own }: Pick<Around, 'own'>, { pid }: Process): NeedStart {
  const mine = own.get(pid)
  const name = mine ?? guestName(argumentsOf(reading, pid))
  if (name !== undefined)
    return { kind: 'vm', what: `running VM ${name}`, weight: 'vital', ...defined({ vm: mine }) }
  const program = programName(reading, pid)
  return { kind: 'vm', what: `a VM of ${program}`, subject: program, weight: 'vital' }
}

/** These devices are a file, a pool or a disk of another machine, and are reported there. */
const told = /^\/dev\/(?:loop|zd|nbd|rbd|drbd|zram|ram)\d/

/** `undefined` if the file is not a block device. */
function blockNeeds(
  { reading, disks, around }: { readonly reading: Reading; readonly disks: Disks; readonly around: Around },
  process: Process,
  { file, number }: { readonly file: OpenFile; readonly number: string | undefined },
): NeedsRead | undefined {
  const found = blockOf(disks, file, number)
  if (found === undefined) return undefined
  if (told.test(file.path)) return { needs: [], lost: [] }
  const name = programName(reading, process.pid)
  const start: NeedStart = process.runsGuest
    ? guestStart(reading, around, process)
    : { kind: 'use', what: `program ${name}`, subject: name, weight: 'spoken-for' }
  const head = process.runsGuest ? [`process ${process.pid}`] : [name, `process ${process.pid}`]
  const ends = disks
    .foundEnds(found, file.path)
    .map((end): End => ({ ...end, chain: [...head, ...end.chain] }))
  return needsOf(start, ends, disks.couldBe)
}

/**
 * Uses the number of the node, if the kernel gives it: a node in a container may have any name. Otherwise
 * uses the name.
 */
function blockOf({ namer }: Disks, { path }: OpenFile, number: string | undefined): Found | undefined {
  if (number !== undefined)
    return number.startsWith('block ') ? findByNumber(namer, number.slice(6)) : undefined
  const found = findDevice(namer, path)
  return found.is === 'block' || isDiskName(path.slice('/dev/'.length)) ? found : undefined
}
