/**
 * Topology → the arguments of the outer QEMU (pure). Facts about the devices: docs/lab.md; QEMU's
 * docs/system/i386 and docs/pcie.txt.
 */
import { escapeOption } from '../base/escape.ts'
import type { AcceleratorKind } from '../base/accelerator.ts'
import { bareMachine } from '../engines/qemu/bare-machine.ts'
import type { LabFunction, LabPort, Topology } from './topology.ts'

/**
 * `kernel`: the lab's own small system, started directly. `disk`: an installed system, started by its own
 * boot loader.
 */
export type HostBoot =
  | { readonly kind: 'kernel'; readonly kernel: string; readonly initrd: string; readonly disk: string }
  | {
      readonly kind: 'disk'
      readonly disk: string
      /** A disk with the built tool, on the next port of the same controller. */
      readonly toolDisk: string
      /** What is written to `disk` stays there when this machine is killed. */
      readonly isKept?: true
      /** pflash drives of UEFI firmware; empty for SeaBIOS. */
      readonly firmware: readonly string[]
    }

export type HostFiles = {
  readonly boot: HostBoot
  /** Image by disk serial. */
  readonly disks: ReadonlyMap<string, string>
  readonly consoleLog: string
  readonly agentSocket: string
  readonly qmpSocket: string
  /** Of QEMU's gdbstub, for forget-code.ts; the KVM of the host needs none. */
  readonly gdbSocket: string
  /** The program that answers one HTTP request on its standard streams: the lab's internet. */
  readonly internetCommand: string
}

export function hostArgs(host: Topology, files: HostFiles, accelerator: AcceleratorKind): string[] {
  const args = [
    ...['-name', `handover-lab-${host.name}`, ...bareMachine(accelerator)],
    ...['-smp', String(host.cpus), '-m', String(host.memory)],
    ...['-chardev', `file,id=console,path=${escapeOption(files.consoleLog)}`, '-serial', 'chardev:console'],
    ...[
      '-chardev',
      `socket,id=agent,path=${escapeOption(files.agentSocket)},server=on,wait=off`,
      '-serial',
      'chardev:agent',
    ],
    ...[
      '-chardev',
      `socket,id=qmp,path=${escapeOption(files.qmpSocket)},server=on,wait=off`,
      '-mon',
      'chardev=qmp,mode=control',
    ],
    ...bootArgs(host, files.boot),
  ]
  if (accelerator === 'tcg')
    args.push(
      ...[
        '-chardev',
        `socket,id=gdb,path=${escapeOption(files.gdbSocket)},server=on,wait=off`,
        '-gdb',
        'chardev:gdb',
      ],
    )
  if (host.iommu === 'intel') args.push('-device', 'intel-iommu,intremap=on')
  if (host.iommu === 'amd') args.push('-device', 'amd-iommu,intremap=on')
  const netdevs = new NetdevNames(host, files)
  for (const [index, port] of host.ports.entries())
    args.push(...portArgs({ ...port, slot: port.slot ?? index + firstSlot(host) }, index + 1, files, netdevs))
  return args
}

/** A boot disk keeps its changes through reboots. It loses them when this machine ends, unless it is kept. */
function bootArgs(host: Topology, boot: HostBoot): string[] {
  const drive = (id: string, file: string, how: string) => [
    ...['-drive', `if=none,id=${id},format=raw,${how},file=${escapeOption(file)}`],
  ]
  const { serial } = host['boot-disk']
  const isKept = boot.kind === 'disk' && boot.isKept === true
  const rootDisk = (place: string) => [
    ...drive('boot', boot.disk, isKept ? 'cache=writeback' : 'snapshot=on,cache=unsafe'),
    ...['-device', `ide-hd,drive=boot,bus=ide.0,serial=${serial}${place}`],
  ]
  if (boot.kind === 'kernel')
    return [
      '-no-reboot',
      '-kernel',
      boot.kernel,
      '-initrd',
      boot.initrd,
      '-append',
      kernelArguments(host),
      ...rootDisk(''),
    ]
  return [
    ...boot.firmware,
    // The first place belongs to a kernel handed over from outside, where there is one.
    ...rootDisk(',bootindex=0'),
    ...drive('tool', boot.toolDisk, 'snapshot=on,cache=unsafe'),
    ...['-device', 'ide-hd,drive=tool,bus=ide.1,serial=HOST-TOOL'],
  ]
}

/**
 * An AMD IOMMU is a PCI function itself and sits in the first slot, since it must be there before the
 * devices.
 */
function firstSlot(host: Topology): number {
  return host.iommu === 'amd' ? 2 : 1
}

function kernelArguments(host: Topology): string {
  const iommu = host.iommu === 'intel' ? 'intel_iommu=on iommu=pt' : host.iommu === 'amd' ? 'iommu=pt' : ''
  // Self-tests and side-channel cures cost seconds under emulation and protect nobody here.
  return `console=ttyS0 quiet mitigations=off cryptomgr.notests random.trust_cpu=on tsc=reliable ${iommu}`.trim()
}

/**
 * Root port N has the id rpN and sits on the root bus; its device number and physical slot are the
 * topology's.
 */
function portArgs(port: LabPort, number: number, files: HostFiles, netdevs: NetdevNames): string[] {
  const id = `rp${number}`
  const acs = port.acs ? '' : ',disable-acs=on'
  const slot = port.slot ?? number
  const args = [
    '-device',
    `pcie-root-port,id=${id},bus=pcie.0,addr=${hex(slot)},chassis=${slot},slot=${slot}${acs}`,
  ]
  if (port.functions) args.push(...cardArgs(port.functions, id, '0x0', id, files, netdevs))
  if (port.switch) {
    args.push('-device', `x3130-upstream,id=${id}up,bus=${id}`)
    for (const [index, below] of port.switch.entries()) {
      const down = `${id}d${index}`
      args.push(
        '-device',
        `xio3130-downstream,id=${down},bus=${id}up,chassis=${number * 16 + index + 32},slot=${index}`,
      )
      args.push(...cardArgs(below.functions, down, '0x0', down, files, netdevs))
    }
  }
  if (port.bridge) {
    args.push('-device', `pcie-pci-bridge,id=${id}b,bus=${id}`)
    for (const [index, below] of port.bridge.entries()) {
      args.push(...cardArgs(below.functions, `${id}b`, hex(index + 1), `${id}b${index}`, files, netdevs))
    }
  }
  return args
}

function cardArgs(
  functions: readonly LabFunction[],
  bus: string,
  slot: string,
  prefix: string,
  files: HostFiles,
  netdevs: NetdevNames,
): string[] {
  return functions.flatMap((fn, index) => {
    const multi = functions.length > 1 && index === 0 ? ',multifunction=on' : ''
    return functionArgs(fn, `${prefix}f${index}`, `bus=${bus},addr=${slot}.${index}${multi}`, files, netdevs)
  })
}

function functionArgs(
  fn: LabFunction,
  id: string,
  place: string,
  files: HostFiles,
  netdevs: NetdevNames,
): string[] {
  switch (fn.device) {
    case 'e1000e':
    case 'igb':
    case 'virtio-net': {
      const model = fn.device === 'virtio-net' ? 'virtio-net-pci' : fn.device
      const mac = fn.mac === undefined ? '' : `,mac=${fn.mac}`
      // romfile= leaves the boot ROM out: nobody boots from the network here, and its file is another
      // package.
      return [
        ...netdevs.argsFor(id, fn.network),
        '-device',
        `${model},id=${id},netdev=net-${id},${place}${mac},romfile=`,
      ]
    }
    case 'ahci':
      return ['-device', `ich9-ahci,id=${id},${place}`, ...diskArgs(fn, id, files)]
    case 'nvme': {
      const file = files.disks.get(fn.serial ?? '') ?? ''
      const drive = ['-drive', `if=none,id=drive-${id},format=raw,file=${escapeOption(file)}`]
      return [...drive, '-device', `nvme,id=${id},drive=drive-${id},serial=${fn.serial ?? id},${place}`]
    }
    case 'bochs-display':
    case 'lsi53c895a':
      return ['-device', `${fn.device},id=${id},${place}`]
    case 'xhci':
      return ['-device', `qemu-xhci,id=${id},${place}`]
  }
}

function diskArgs(fn: LabFunction, id: string, files: HostFiles): string[] {
  return (fn.disks ?? []).flatMap((disk, index) => [
    '-drive',
    `if=none,id=${id}-disk${index},format=raw,file=${escapeOption(files.disks.get(disk.serial) ?? '')}`,
    '-device',
    `ide-hd,drive=${id}-disk${index},bus=${id}.${index},serial=${disk.serial}`,
  ])
}

/**
 * Every port gets a network back end of its own: an uplink of QEMU's user network, or a plug in a virtual
 * switch (hub).
 */
class NetdevNames {
  readonly #hubs: readonly string[]
  readonly #host: Topology
  readonly #files: HostFiles
  #loose = 1000
  constructor(host: Topology, files: HostFiles) {
    this.#host = host
    this.#files = files
    this.#hubs = Object.keys(host.networks)
  }
  argsFor(id: string, network: string | undefined): string[] {
    const kind = network === undefined ? undefined : this.#host.networks[network]?.kind
    if (kind === 'uplink') {
      // restrict=on: nothing leaves the machine; the one page is a program behind a forwarded address.
      const page = `guestfwd=tcp:10.0.2.100:80-cmd:${escapeOption(this.#files.internetCommand)}`
      return ['-netdev', `user,id=net-${id},restrict=on,${page}`]
    }
    const hub = kind === 'switch' && network !== undefined ? this.#hubs.indexOf(network) + 1 : this.#loose++
    return ['-netdev', `hubport,id=net-${id},hubid=${hub}`]
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
