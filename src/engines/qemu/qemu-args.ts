/**
 * VM → the arguments of its QEMU (pure). One option and its value belong together; the order is stable, so
 * that two starts can be compared. Facts: QEMU's docs/pcie.txt, docs/system/introduction, hw/vfio/pci.c.
 */
import { escapeOption } from '../../base/escape.ts'
import type { AcceleratorKind } from '../../base/accelerator.ts'
import { addressParts, compareAddresses, slotOf } from '../../pci/address.ts'
import { deviceClass } from '../../pci/device.ts'
import type { DiskSpec, VmSpec } from '../../spec/spec.ts'
import type { AssignedFunction } from '../engine.ts'
import type { VmFiles } from './vm-files.ts'

export type Firmware =
  { readonly kind: 'bios' } | { readonly kind: 'uefi'; readonly code: string; readonly vars: string }

export type VmArgs = {
  readonly vm: VmSpec
  /** In the order the guest shall see them. */
  readonly functions: readonly AssignedFunction[]
  readonly files: VmFiles
  readonly firmware: Firmware
  readonly accelerator: AcceleratorKind
  /** Size of the pages for a VM that takes huge ones; absent: the kernel's default size. */
  readonly hugepageKiB?: number
}

export function qemuArgs({ vm, functions, files, firmware, accelerator, hugepageKiB }: VmArgs): string[] {
  return [
    ...['-name', `${vm.name},process=handover-${vm.name}`, '-nodefaults', '-no-user-config', '-S'],
    // `max` is the host's own processor under KVM.
    ...['-machine', vm.hugepages ? 'q35,memory-backend=ram' : 'q35', '-accel', accelerator, '-cpu', 'max'],
    ...['-smp', String(vm.cpus), '-m', `${vm.memoryMiB}M`, '-display', 'none'],
    ...(vm.hugepages ? hugepageArgs(vm, hugepageKiB) : []),
    ...firmwareArgs(firmware),
    ...consoleArgs(vm, files),
    ...bootArgs(vm),
    ...vm.disks.flatMap(diskArgs),
    ...(vm.iso === undefined ? [] : isoArgs(vm.iso)),
    ...vm.networks.flatMap((network, index) => networkArgs(vm, index, network.mac)),
    ...assignedArgs(functions),
  ]
}

/**
 * Pages taken at the start: a guest that cannot have them all must not start. By memfd_create(2), which names
 * their size; the mount at /dev/hugepages has the default size only.
 */
function hugepageArgs(vm: VmSpec, hugepageKiB: number | undefined): string[] {
  const size = hugepageKiB === undefined ? '' : `,hugetlbsize=${hugepageKiB}K`
  return ['-object', `memory-backend-memfd,id=ram,size=${vm.memoryMiB}M,hugetlb=on${size},prealloc=on`]
}

function firmwareArgs(firmware: Firmware): string[] {
  if (firmware.kind === 'bios') return []
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${escapeOption(firmware.code)}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${escapeOption(firmware.vars)}`],
  ]
}

/** Control, serial console (kept in a log as well), report line; VNC when asked for. All on unix sockets. */
function consoleArgs(vm: VmSpec, files: VmFiles): string[] {
  const socket = (id: string, path: string, log?: string) =>
    `socket,id=${id},path=${escapeOption(path)},server=on,wait=off${log === undefined ? '' : `,logfile=${escapeOption(log)},logappend=off`}`
  return [
    ...['-chardev', socket('qmp', files.qmp), '-mon', 'chardev=qmp,mode=control'],
    ...['-chardev', socket('serial', files.serial, files.serialLog), '-serial', 'chardev:serial'],
    ...['-chardev', socket('report', files.report)],
    ...['-device', 'virtio-serial-pci,id=report-bus'],
    ...['-device', 'virtserialport,bus=report-bus.0,chardev=report,name=org.handover.report'],
    ...(vm.vnc
      ? [
          '-vga',
          'std',
          '-vnc',
          `unix:${escapeOption(files.vnc)}`,
          '-device',
          'qemu-xhci,id=usb',
          '-device',
          'usb-tablet,bus=usb.0',
          '-device',
          'usb-kbd,bus=usb.0',
        ]
      : ['-vga', 'none']),
  ]
}

function bootArgs(vm: VmSpec): string[] {
  if (!vm.kernel) return ['-boot', 'menu=off']
  const initrd = vm.kernel.initrd === undefined ? [] : ['-initrd', vm.kernel.initrd]
  return ['-kernel', vm.kernel.image, ...initrd, '-append', vm.kernel.cmdline]
}

function diskArgs(disk: DiskSpec, index: number): string[] {
  const readOnly = disk.readOnly ? ',readonly=on' : ''
  const serial = disk.serial === undefined ? '' : `,serial=${escapeOption(disk.serial)}`
  return [
    ...[
      '-drive',
      `if=none,id=disk${index},format=${disk.format},cache=none,discard=unmap${readOnly},file=${escapeOption(disk.path)}`,
    ],
    ...['-device', `virtio-blk-pci,id=vdisk${index},drive=disk${index},bootindex=${index + 1}${serial}`],
  ]
}

/** The ISO comes after the disks: an empty disk falls through to it, an installed one does not. */
function isoArgs(iso: string): string[] {
  return [
    ...['-drive', `if=none,id=iso,media=cdrom,format=raw,readonly=on,file=${escapeOption(iso)}`],
    ...['-device', 'ide-cd,drive=iso,bus=ide.0,bootindex=90'],
  ]
}

/** The tap is QEMU's own and goes when it ends; `up` plugs it into the bridge while the guest still waits. */
function networkArgs(vm: VmSpec, index: number, mac: string): string[] {
  return [
    ...['-netdev', `tap,id=net${index},ifname=${tapName(vm.name, index)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,id=nic${index},netdev=net${index},mac=${mac},romfile=`],
  ]
}

/** Interface names hold 15 characters (IFNAMSIZ): a short, readable, stable one. */
export function tapName(vm: string, index: number): string {
  let sum = 0
  for (const character of vm) sum = (sum * 31 + character.charCodeAt(0)) % 0xfff
  return `hv-${vm.replaceAll(/[^a-z0-9]/gi, '').slice(0, 6)}${sum.toString(16).padStart(3, '0')}${index}`
}

/**
 * A root port of its own for each slot of the host, the functions of one card together on it, as on bare
 * metal: a PCIe capability is visible to the guest only below a port (hw/vfio/pci.c vfio_setup_pcie_cap), and
 * a card's functions find each other.
 */
function assignedArgs(functions: readonly AssignedFunction[]): string[] {
  const args: string[] = []
  const slots = new Map<string, AssignedFunction[]>()
  for (const fn of functions) slots.set(slotOf(fn.address), [...(slots.get(slotOf(fn.address)) ?? []), fn])
  let port = 0
  for (const members of slots.values()) {
    port += 1
    args.push('-device', `pcie-root-port,id=port${port},chassis=${port},slot=${port}`)
    const sorted = members.toSorted((a, b) => compareAddresses(a.address, b.address))
    for (const [index, fn] of sorted.entries()) args.push('-device', assigned(fn, port, index, sorted.length))
  }
  return args
}

function assigned(fn: AssignedFunction, port: number, index: number, count: number): string {
  const place = `bus=port${port},addr=0x0.${index}${count > 1 && index === 0 ? ',multifunction=on' : ''}`
  // A boot ROM can stall the guest's firmware for minutes and only a GPU's is needed for a picture.
  const rom = deviceClass({ address: fn.address, classCode: fn.classCode ?? '' }) === 'gpu' ? '' : ',rombar=0'
  return `vfio-pci,id=${qdevId(fn)},host=${fn.address},${place}${rom}`
}

/** The name of the device in QMP: `role-wan`, or `with-0000_01_00_1` for a function that only comes along. */
export function qdevId(fn: AssignedFunction): string {
  const { function: number } = addressParts(fn.address)
  return fn.role === ''
    ? `with-${fn.address.replaceAll(/[:.]/g, '_')}-${number}`
    : `role-${fn.role.replaceAll(/[^\w-]/g, '_')}`
}
