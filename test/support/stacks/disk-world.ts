/**
 * A machine with disks, written entry by entry as sysfs, /proc and the udev database show it. Every entry by
 * which a trail could be followed is noted as a link, so that a test can take one away.
 */
import type { PciAddress } from '../../../src/pci/address.ts'
import { parseAddress } from '../../../src/pci/address.ts'
import { pci, type TreeEntries } from '../sysfs-tree.ts'
import type { Dice } from './dice.ts'

export type ControllerKind = 'sata' | 'sas' | 'nvme' | 'usb' | 'vmd' | 'virtio'

export type Controller = {
  readonly kind: ControllerKind
  readonly address: PciAddress
  /** Functions that carry its disks: behind VMD two. */
  readonly functions: readonly PciAddress[]
  readonly at: string
}

/** A block device and the functions it stands on. */
export type Node = {
  readonly name: string
  readonly number: string
  readonly place: string
  readonly carriers: ReadonlySet<PciAddress>
  readonly depth: number
}

/** One entry, or the few entries of one fact, and what kind of fact it is. */
export type Link = {
  readonly kind: string
  readonly paths: readonly string[]
  /** What the entry says when the fact is of a kind that nobody knows. */
  readonly unknown?: string
}

const drivers: Readonly<Record<ControllerKind, readonly [classCode: string, driver: string]>> = {
  sata: ['010601', 'ahci'],
  sas: ['010700', 'mpt3sas'],
  nvme: ['010802', 'nvme'],
  usb: ['0c0330', 'xhci_hcd'],
  vmd: ['010400', 'vmd'],
  virtio: ['010000', 'virtio-pci'],
}

export class DiskWorld {
  readonly entries = new Map<string, string | Uint8Array>()
  readonly links: Link[] = []
  readonly dice: Dice
  private count = 0
  private letters = 0
  private readonly lines = new Map<string, string[]>()

  constructor(dice: Dice) {
    this.dice = dice
    this.line('/proc/self/mountinfo', '20 1 0:4 / /proc rw - proc proc rw')
    this.line('/proc/swaps', 'Filename\tType\tSize\tUsed\tPriority')
    this.line('/proc/partitions', 'major minor  #blocks  name\n')
    this.line('/proc/net/route', 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask')
    this.put('/proc/bus/input/devices', '')
    this.put('/proc/cmdline', 'quiet intel_iommu=on')
    this.put('/proc/cpuinfo', 'processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: vmx\n')
    this.put('/proc/interrupts', ' 24: 1 IR-PCI-MSI 1-edge\n')
    this.put('/sys/class/iommu/dmar0', '-> ../../devices/virtual/iommu/dmar0')
    this.put('/sys/devices/virtual/iommu/dmar0/intel-iommu/version', '1:0\n')
    this.put('/run/udev/data/+module:none', '')
  }

  put(path: string, value: string | Uint8Array): void {
    this.entries.set(path, value)
  }

  /** A fact that a trail may be followed by. */
  link(kind: string, paths: readonly string[], unknown?: string): void {
    this.links.push({ kind, paths, ...(unknown === undefined ? {} : { unknown }) })
  }

  line(path: string, text: string): void {
    const lines = this.lines.get(path) ?? []
    this.lines.set(path, [...lines, text])
    this.put(path, [...lines, text, ''].join('\n'))
  }

  serial(): number {
    this.count++
    return this.count
  }

  uuid(): string {
    return `7c0b5e1a-52d4-4c3e-9b6f-${this.serial().toString(16).padStart(12, '0')}`
  }

  private add(entries: TreeEntries): void {
    for (const [path, value] of Object.entries(entries)) this.put(path, value)
  }

  controller(kind: ControllerKind): Controller {
    const number = this.serial()
    const slot = number.toString(16).padStart(2, '0')
    const root = `pci0000:00/0000:00:${slot}.0`
    const [classCode, driver] = drivers[kind]
    const files = { reset_method: 'flr bus\n', msi_bus: '1\n' }
    if (kind === 'vmd') return this.volumeController(root, { number, classCode, driver, files })
    const at = `${root}/0000:${slot}:00.0`
    this.add(
      pci({ at: root, ids: '8086:a33c', classCode: '060400', driver: 'pcieport', group: 100 + number }),
    )
    this.add(
      pci({
        at,
        ids: kind === 'virtio' ? '1af4:1042' : '1b21:0612',
        classCode,
        driver,
        group: number,
        files,
      }),
    )
    const address = addressOf(`0000:${slot}:00.0`)
    return { kind, address, functions: [address], at }
  }

  /** The port of the default route. */
  port(): void {
    const at = 'pci0000:00/0000:00:1f.6'
    this.add(pci({ at, ids: '8086:15bb', driver: 'e1000e', group: 250 }))
    const place = `/devices/${at}/net/eth0`
    this.put('/sys/class/net/eth0', `-> ../..${place}`)
    this.put('/sys/class/net/lo', '-> ../../devices/virtual/net/lo')
    for (const [file, text] of Object.entries({
      address: '02:00:5e:10:00:01',
      operstate: 'up',
      carrier: '1',
      flags: '0x1003',
      ifindex: '2',
      type: '1',
    }))
      this.put(`/sys${place}/${file}`, `${text}\n`)
    this.line('/proc/net/route', 'eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000')
    this.line('/proc/net/route', 'eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF')
  }

  private volumeController(
    root: string,
    {
      number,
      classCode,
      driver,
      files,
    }: { number: number; classCode: string; driver: string; files: Record<string, string> },
  ): Controller {
    const domain = 0x10000 + number
    const below = `${domain.toString(16)}:01:00.0`
    const at = `${root}/pci${domain.toString(16)}:00/${domain.toString(16)}:00:01.0/${below}`
    this.add(pci({ at: root, ids: '8086:467f', classCode, driver, group: number, files }))
    this.add(
      pci({
        at: at.slice(0, at.lastIndexOf('/')),
        ids: '8086:467e',
        classCode: '060400',
        driver: 'pcieport',
        group: number,
      }),
    )
    this.add(pci({ at, ids: '144d:a808', classCode: '010802', driver: 'nvme', group: number, files }))
    const upper = addressOf(root.slice(root.lastIndexOf('/') + 1))
    return { kind: 'vmd', address: upper, functions: [upper, addressOf(below)], at }
  }

  disk(controller: Controller): Node {
    const number = this.serial()
    const [name, below] = this.diskPlace(controller.kind, number)
    const place = `/devices/${controller.at}/${below}/${name}`
    const major = name.startsWith('nvme') ? 259 : name.startsWith('vd') ? 254 : 8
    const node = this.block(name, `${major}:${number * 8}`, place, {
      carriers: new Set(controller.functions),
      depth: 1,
    })
    this.put(`/sys/block/${name}`, `-> ../${place.slice(1)}`)
    this.link('link of the disk', [`/sys/block/${name}`])
    return node
  }

  private diskPlace(kind: ControllerKind, number: number): readonly [name: string, below: string] {
    if (kind === 'nvme' || kind === 'vmd') return [`nvme${number}n1`, `nvme/nvme${number}`]
    if (kind === 'virtio') return [`vd${this.letter()}`, `virtio${number}/block`]
    const middle = kind === 'sata' ? `ata${number}/` : kind === 'usb' ? `usb2/2-1/2-1:1.0/` : ''
    return [`sd${this.letter()}`, `${middle}host${number}/target${number}:0:0/${number}:0:0:0/block`]
  }

  private letter(): string {
    this.letters++
    const at = this.letters - 1
    const last = String.fromCharCode(97 + (at % 26))
    return at < 26 ? last : `${String.fromCharCode(96 + Math.floor(at / 26))}${last}`
  }

  partition(disk: Node, index: number): Node {
    const name = /\d$/.test(disk.name) ? `${disk.name}p${index}` : `${disk.name}${index}`
    const [major = '8', minor = '0'] = disk.number.split(':')
    const place = `${disk.place}/${name}`
    this.put(`/sys${place}/partition`, `${index}\n`)
    return this.block(name, `${major}:${Number(minor) + index}`, place, {
      carriers: disk.carriers,
      depth: disk.depth + 1,
    })
  }

  /** What is known of every block device, real or not. */
  block(name: string, number: string, place: string, of: Pick<Node, 'carriers' | 'depth'>): Node {
    this.put(`/sys${place}/size`, '2097152\n')
    this.put(`/sys${place}/dev`, `${number}\n`)
    this.put(`/sys${place}/uevent`, `DEVNAME=${name}\n`)
    this.put(`/sys${place}/holders/`, '')
    this.put(`/sys/class/block/${name}`, `-> ../..${place}`)
    this.put(`/sys/dev/block/${number}`, `-> ../..${place}`)
    this.put(`/dev/${name}`, '')
    const [major = '', minor = ''] = number.split(':')
    this.line('/proc/partitions', `${major} ${minor} 1048576 ${name}`)
    this.put(`/run/udev/data/b${number}`, 'I:1\n')
    this.link('link by name', [`/sys/class/block/${name}`])
    this.link('link by number', [`/sys/dev/block/${number}`])
    this.link('device number', [`/sys${place}/dev`])
    this.link('udev record', [`/run/udev/data/b${number}`])
    this.link('list of partitions', ['/proc/partitions'])
    return { name, number, place, ...of }
  }

  /** A device made of others. */
  made(
    name: string,
    number: string,
    members: readonly Node[],
    files: Readonly<Record<string, string>> = {},
  ): Node {
    const place = `/devices/virtual/block/${name}`
    const carriers = new Set(members.flatMap((member) => [...member.carriers]))
    const node = this.block(name, number, place, {
      carriers,
      depth: 1 + Math.max(...members.map(({ depth }) => depth)),
    })
    this.put(`/sys/block/${name}`, `-> ../${place.slice(1)}`)
    for (const [file, text] of Object.entries(files)) this.put(`/sys${place}/${file}`, text)
    for (const member of members) {
      const [slave, holder] = [`/sys${place}/slaves/${member.name}`, `/sys${member.place}/holders/${name}`]
      this.put(slave, `-> ${up(slave)}${member.place.slice('/devices/'.length)}`)
      this.put(holder, `-> ${up(holder)}virtual/block/${name}`)
      this.link('slaves', [slave])
      this.link('holders', [holder])
      this.link('slaves and holders of an unknown driver', [
        `/sys${place}/slaves`,
        ...members.map((one) => `/sys${one.place}/holders`),
      ])
    }
    return node
  }

  record(node: Node, properties: Readonly<Record<string, string>>, links: readonly string[] = []): void {
    const lines = [
      ...links.map((link) => `S:${link}`),
      ...Object.entries(properties).map(([key, value]) => `E:${key}=${value}`),
    ]
    this.put(`/run/udev/data/b${node.number}`, `I:1\n${lines.join('\n')}\n`)
    for (const link of links) {
      this.put(`/dev/${link}`, `-> ${'../'.repeat(link.split('/').length - 1)}${node.name}`)
      this.link('link of udev', [`/dev/${link}`])
    }
  }

  mount(number: string, point: string, type: string, source: string, options = 'rw'): void {
    this.line(
      '/proc/self/mountinfo',
      `${30 + this.serial()} 1 ${number} / ${point} rw - ${type} ${source} ${options}`,
    )
  }
}

function up(path: string): string {
  return '../'.repeat(path.split('/').length - 4)
}

function addressOf(text: string): PciAddress {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  return address
}
