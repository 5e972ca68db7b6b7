/**
 * Makes the arguments of QEMU for a VM (pure). Their order is stable, so that two starts can be compared.
 * Sources in QEMU: docs/pcie.txt, docs/system/introduction, hw/vfio/pci.c.
 */
import { escapeOption } from '../../base/escape.ts'
import type { AcceleratorKind } from '../../base/accelerator.ts'
import { addressParts, compareAddresses, slotOf } from '../../pci/address.ts'
import { deviceClass } from '../../pci/device.ts'
import type { DiskSpec, VmSpec } from '../../spec/spec.ts'
import type { AssignedFunction } from '../engine.ts'
import type { QemuUser } from './user.ts'
import type { VmFiles } from './vm-files.ts'

export type Firmware =
  { readonly kind: 'bios' } | { readonly kind: 'uefi'; readonly code: string; readonly vars: string }

export type VmArgs = {
  readonly vm: VmSpec
  /** In the order in which the guest sees them. */
  readonly functions: readonly AssignedFunction[]
  readonly files: VmFiles
  readonly firmware: Firmware
  readonly accelerator: AcceleratorKind
  /** Size of the huge pages, for a VM that uses them. Absent: the kernel's default size. */
  readonly hugepageKiB?: number
  /** The user to which QEMU changes after it has opened its files. Absent: QEMU runs as the caller. */
  readonly user?: QemuUser
}

export function qemuArgs(args: VmArgs): string[] {
  const { vm, functions, files, firmware, accelerator, hugepageKiB, user } = args
  return [
    ...['-name', `${vm.name},process=handover-${vm.name}`, '-nodefaults', '-no-user-config', '-S'],
    ...(user === undefined ? [] : ['-runas', `${user.uid}:${user.gid}`]),
    // A QEMU that its guest has taken over cannot start programs or change priorities.
    ...['-sandbox', 'on,obsolete=deny,spawn=deny,resourcecontrol=deny'],
    // Under KVM, `max` is the processor of the host.
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
 * All pages are allocated at the start, so that a guest which cannot have them all does not start.
 * memfd_create(2) takes the page size; the mount at /dev/hugepages has only the default size.
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

/** Unix sockets for QMP, the serial console (which is also logged), the report line and, if wanted, VNC. */
function consoleArgs(vm: VmSpec, files: VmFiles): string[] {
  const socket = (id: string, path: string, log?: string) => {
    const logged = log === undefined ? '' : `,logfile=${escapeOption(log)},logappend=off`
    return `socket,id=${id},path=${escapeOption(path)},server=on,wait=off${logged}`
  }
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

/** The ISO comes after the disks in the boot order, so it is booted only while the disks are empty. */
function isoArgs(iso: string): string[] {
  return [
    ...['-drive', `if=none,id=iso,media=cdrom,format=raw,readonly=on,file=${escapeOption(iso)}`],
    ...['-device', 'ide-cd,drive=iso,bus=ide.0,bootindex=90'],
  ]
}

/**
 * QEMU creates the tap and removes it when it ends. The start adds it to the bridge while the guest is
 * paused.
 */
function networkArgs(vm: VmSpec, index: number, mac: string): string[] {
  return [
    ...['-netdev', `tap,id=net${index},ifname=${tapName(vm.name, index)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,id=nic${index},netdev=net${index},mac=${mac},romfile=`],
  ]
}

/** A stable name for the tap. Interface names have at most 15 characters (IFNAMSIZ). */
export function tapName(vm: string, index: number): string {
  let sum = 0
  for (const character of vm) sum = (sum * 31 + character.charCodeAt(0)) % 0xfff
  return `hv-${vm.replaceAll(/[^a-z0-9]/gi, '').slice(0, 6)}${sum.toString(16).padStart(3, '0')}${index}`
}

/**
 * Each slot of the host gets a root port, and all functions of a card are on the same port, as on the host.
 * The guest sees a PCIe capability only below a port (hw/vfio/pci.c, vfio_setup_pcie_cap), and drivers expect
 * the functions of a card in one slot.
 */
function assignedArgs(functions: readonly AssignedFunction[]): string[] {
  const args: string[] = []
  const slots = new Map<string, AssignedFunction[]>()
  for (const fn of functions) slots.set(slotOf(fn.address), [...(slots.get(slotOf(fn.address)) ?? []), fn])
  let port = 0
  for (const members of slots.values()) {
    port += 1
    args.push('-device', `pcie-root-port,id=port${port},chassis=${port},slot=${port}`)
    const present = members.filter(({ absent }) => absent !== true)
    const sorted = present.toSorted((a, b) => compareAddresses(a.address, b.address))
    for (const [index, fn] of sorted.entries()) args.push('-device', assigned(fn, port, index, sorted.length))
  }
  return args
}

function assigned(fn: AssignedFunction, port: number, index: number, count: number): string {
  const place = `bus=port${port},addr=0x0.${index}${count > 1 && index === 0 ? ',multifunction=on' : ''}`
  // A boot ROM can block the guest's firmware for minutes. Only a GPU needs it, to show a picture.
  const rom = deviceClass({ address: fn.address, classCode: fn.classCode ?? '' }) === 'gpu' ? '' : ',rombar=0'
  return `vfio-pci,id=${qdevId(fn)},host=${fn.address},${place}${rom}`
}

/**
 * The id of the device in QMP: `role-wan`, or `with-0000_01_00_1-1` for a function that is only taken along.
 */
export function qdevId(fn: AssignedFunction): string {
  const { function: number } = addressParts(fn.address)
  return fn.role === ''
    ? `with-${fn.address.replaceAll(/[:.]/g, '_')}-${number}`
    : `role-${fn.role.replaceAll(/[^\w-]/g, '_')}`
}
