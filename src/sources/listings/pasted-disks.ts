/**
 * Reads mounts, swap and pools beside a listing: `lsblk`, `df`, `mount`, `findmnt`, `swapon`, /proc/mdstat,
 * `zpool status`. Also reads lines that show the function of a disk (paths of sysfs, links of
 * /dev/disk/by-path, lists below a controller).
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { DeviceDraft, HostDraft } from './draft.ts'
import type { LineForm, Listing, PastedDisks } from './listing-state.ts'
import { standsOn, statePasted } from './pasted-ends.ts'
import { parseDevicePath } from './places.ts'

const readers: readonly ((disks: PastedDisks, line: string) => boolean)[] = [
  readBlock,
  readMount,
  readPool,
  readTie,
]

export const readDiskLine: LineForm = ({ disks }, line) => {
  if (line.length > 600) return undefined
  const text = line.replace(/^[>\s]{0,20}>\s/, '')
  for (const read of readers) if (read(disks, text)) return 'beside'
  return undefined
}

function addMount(disks: PastedDisks, device: string, mountPoint: string): void {
  const name = plain(device)
  if (disks.needs.size >= 1024 || /^(?:loop|zram|ram|sr)\d/.test(name)) return
  const isSwap = mountPoint === '[SWAP]'
  const what = isSwap ? 'swap' : mountPoint
  disks.needs.set(`${what} ${name}`, {
    kind: 'disk',
    what,
    ...(isSwap ? {} : { mountPoint }),
    weight: 'vital',
    name,
  })
}

/** The name that lsblk prints: `pve-root` for `/dev/mapper/pve-root`. */
function plain(device: string): string {
  return device
    .replace(/^\/dev\//, '')
    .replace(/^mapper\//, '')
    .slice(0, 128)
}

const block =
  /^([\s│|├└`─-]{0,60})([\w!.:+@-]{1,128})\s{1,60}\d{1,4}:\d{1,8}\s{1,20}[01]\s{1,20}[\d.,]{1,12}[KMGTP]?\s{1,20}[01]\s{1,20}(disk|part|lvm|crypt|raid\w{1,6}|rom|loop|mpath|dm|md)(?:\s{1,80}(\/\S{0,200}|\[SWAP\]))?\s*$/

/** Reads a line of lsblk. Further mount points of a device are alone on the lines below it. */
function readBlock(disks: PastedDisks, line: string): boolean {
  const { branch, stack } = disks
  const [, indent = '', name = '', , mountPoint] = block.exec(line) ?? []
  if (name === '') {
    const last = branch.at(-1)
    const more = last === undefined ? undefined : /^[\s│|]{20,200}(\/\S{0,200}|\[SWAP\])\s*$/.exec(line)?.[1]
    if (last === undefined || more === undefined) return false
    addMount(disks, last.name, more)
    return true
  }
  while ((branch.at(-1)?.depth ?? -1) >= indent.length) branch.pop()
  const above = branch.at(-1)
  if (above !== undefined) standsOn(stack, name, above.name)
  branch.push({ depth: indent.length, name })
  if (mountPoint !== undefined) addMount(disks, name, mountPoint)
  return true
}

function readMount(disks: PastedDisks, line: string): boolean {
  const [, device, mountPoint] =
    /^\/dev\/(\S{1,128}) on (\/\S{0,200}) type \w/.exec(line) ??
    /^\/dev\/(\S{1,128})\s{1,40}(?:[a-z]\w{1,12}\s{1,20})?[\d.,]{1,16}\w?\s{1,20}[\d.,]{1,16}\w?\s{1,20}[\d.,]{1,16}\w?\s{1,20}\d{1,3}%\s{1,20}(\/\S{0,200})\s*$/.exec(
      line,
    ) ??
    []
  if (device !== undefined && mountPoint !== undefined) addMount(disks, device, mountPoint)
  const found =
    /^[\s│|├└`─-]{0,60}(\/\S{0,200})\s{1,60}\/dev\/([\w/.+-]{1,128})(?:\[\S{1,200}\])?\s{1,40}[a-z]\w{1,12}\s{1,40}r[ow]\b/.exec(
      line,
    )
  if (found) addMount(disks, found[2] ?? '', found[1] ?? '')
  const swap = /^\/dev\/(\S{1,128})\s{1,40}partition\s{1,40}[\d.]/.exec(line)?.[1]
  if (swap !== undefined) addMount(disks, swap, '[SWAP]')
  return device !== undefined || found !== null || swap !== undefined
}

/** Names of member sets, which are not devices. */
const vdev =
  /^(?:mirror|raidz\d?|draid\S{0,20}|spares?|logs?|cache|special|dedup|replacing|indirect)(?:-\d{1,4})?$/

function readPool(disks: PastedDisks, line: string): boolean {
  const array = /^(md\w{1,16}) : active \S.{0,400}$/.exec(line)
  if (array) {
    const name = array[1] ?? ''
    for (const [, member = ''] of line.matchAll(/ ([\w!-]{2,64})\[\d{1,4}\]/g))
      standsOn(disks.stack, name, member)
    disks.needs.set(`array ${name}`, {
      kind: 'disk',
      what: `array ${name}`,
      subject: name,
      weight: 'vital',
      name,
    })
    return true
  }
  const pool = /^\s{0,20}pool: ([\w.:-]{1,128})\s*$/.exec(line)?.[1]
  if (pool !== undefined) {
    disks.pool = pool
    return true
  }
  const member =
    disks.pool === undefined
      ? undefined
      : /^\s{1,40}(\S{0,199}[^\s:])\s{1,80}(?:ONLINE|DEGRADED|AVAIL|INUSE)\b/.exec(line)?.[1]
  if (member === undefined || disks.pool === undefined) return false
  if (member === disks.pool || vdev.test(member)) return true
  const what = `pool ${disks.pool}`
  if (disks.needs.size < 1024)
    disks.needs.set(`${what} ${member}`, { kind: 'disk', what, weight: 'vital', name: plain(member) })
  return true
}

/**
 * `pci-0000:00:17.0-ata-1 -> ../../sda`, `/sys/block/sda ->
 * ../devices/pci0000:00/0000:00:17.0/ata1/…/block/sda`.
 */
function readTie(disks: PastedDisks, line: string): boolean {
  const link =
    /\bpci-([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])-\S{1,100} -> \S{0,40}\/(\w{2,32})\s*$/i.exec(line)
  if (link) tie(disks, link[2] ?? '', parseAddress(link[1] ?? ''))
  const id = /\s([\w.:+-]{4,200}) -> (?:\.\.\/){2}(\w{2,32})\s*$/.exec(line)
  if (id && !link) standsOn(disks.stack, id[1] ?? '', id[2] ?? '')
  const name = /\/(?:block|nvme\/nvme\d{1,4})\/((?:sd[a-z]{1,3}|nvme\d{1,4}n\d{1,4}|vd[a-z]{1,2}))\b/.exec(
    line,
  )?.[1]
  const owner = name === undefined ? undefined : parseDevicePath(line)?.steps.at(-1)
  if (name !== undefined) tie(disks, name, owner)
  return link !== null
}

function tie({ ties }: PastedDisks, disk: string, address: PciAddress | undefined): void {
  if (address !== undefined && (ties.has(disk) || ties.size < 4096)) ties.set(disk, address)
}

export function concludeDisks({ draft, disks }: Listing): void {
  for (const [name, address] of disks.ties) nameDisk(draft, diskOf(name), address)
  const byName = new Map<string, PciAddress>()
  const bySerial: (readonly [string, PciAddress])[] = []
  for (const { address, disks: attached } of draft.devices.values())
    for (const { name, serial } of attached ?? []) {
      byName.set(name, address)
      if (serial !== undefined && serial.length > 4) bySerial.push([serial, address])
    }
  const functionOf = (end: string) =>
    byName.get(diskOf(end)) ?? placedBy(draft, end) ?? bySerial.find(([serial]) => end.includes(serial))?.[1]
  for (const need of disks.needs.values())
    statePasted(draft, need, { stack: disks.stack, functionOf, couldBe })
}

/** The disk of a partition such as `sda2`, `nvme0n1p3`, `…-part1`. */
function diskOf(name: string): string {
  return name
    .replace(/-part\d{1,3}$/, '')
    .replace(/^((?:nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+))p\d{1,3}$/, '$1')
    .replace(/^((?:sd|vd|xvd|hd)[a-z]{1,3})\d{1,3}$/, '$1')
}

function nameDisk(draft: HostDraft, name: string, address: PciAddress): void {
  const device = draft.devices.get(address)
  if (!device || device.disks?.some((one) => one.name === name)) return
  device.disks = [...(device.disks ?? []), { name }].slice(0, 1024)
}

/** Finds the function in the path name of a pool member. */
function placedBy(draft: HostDraft, end: string): PciAddress | undefined {
  const address = parseAddress(
    /(?:^|\/)pci-([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])-/i.exec(end)?.[1] ?? '',
  )
  return address === undefined ? undefined : draft.devices.get(address)?.address
}

/**
 * NVMe disks are attached to NVMe controllers (or VMD, which has the class of RAID), other disks to storage
 * or USB controllers.
 */
function couldBe(end: string, { classCode }: DeviceDraft): boolean {
  if (classCode === undefined) return true
  if (end.startsWith('nvme')) return /^010[48]/.test(classCode)
  if (end.startsWith('usb-')) return classCode.startsWith('0c03')
  if (/^(?:sd[a-z]|ata-)/.test(end))
    return classCode.startsWith('0c03') || (classCode.startsWith('01') && !classCode.startsWith('0108'))
  return classCode.startsWith('01') || classCode.startsWith('0c03')
}
