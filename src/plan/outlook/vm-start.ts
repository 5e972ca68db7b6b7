/**
 * What a VM needs of this machine to start: processors, something to boot from, and UEFI where it is asked
 * for.
 */
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { deviceClass } from '../../pci/device.ts'
import type { PciAddress } from '../../pci/address.ts'
import { placeOf } from '../../spec/places.ts'
import type { SpecPath, VmSpec } from '../../spec/spec.ts'
import { firmwareFiles } from '../../spec/firmware-files.ts'
import type { View } from '../who/view.ts'
import { pathFinder } from './vm-paths.ts'

type Leaving = { readonly vm: string; readonly address: PciAddress }

export function checkVmStart(view: View, leaving: readonly Leaving[]): Finding[] {
  const at = (path: SpecPath) => {
    const place = placeOf(view.places, path)
    return place ? { at: place } : {}
  }
  return view.spec.vms.flatMap((vm) => [
    ...checkCpus(view.host, vm).map((finding) => ({ ...finding, ...at(['vms', vm.name, 'cpus']) })),
    ...checkBoot(view, vm, leaving).map((finding) => ({ ...finding, ...at(['vms', vm.name]) })),
    ...checkFirmware(view.host, vm).map((finding) => ({ ...finding, ...at(['vms', vm.name, 'firmware']) })),
  ])
}

/** KVM starts no more processors of one VM than the host has and recommends none (KVM_CAP_NR_VCPUS). */
function checkCpus({ cpu }: Host, { name, cpus }: VmSpec): Finding[] {
  if (cpu.count === undefined || cpus <= cpu.count) return []
  return [
    {
      code: 'too-many-cpus',
      severity: 'error',
      message: `${name} wants ${cpus} processors, and this host has ${cpu.count}`,
      help: `write cpus: ${cpu.count} or less`,
    },
  ]
}

/** Whatever may hold a system: a disk behind a controller, a stick at a USB port. */
const bootable = new Set(['storage', 'nvme', 'usb'])

function checkBoot({ host, layout }: View, vm: VmSpec, leaving: readonly Leaving[]): Finding[] {
  if (host.paths === undefined || vm.kernel !== undefined || vm.iso !== undefined) return []
  const find = pathFinder(host)
  if (vm.disks.some(({ path }) => find(path)?.kind !== 'absent')) return []
  const given = leaving.flatMap(({ vm: name, address }) =>
    name === vm.name ? (layout.devices.get(address) ?? []) : [],
  )
  if (given.some((device) => bootable.has(deviceClass(device)))) return []
  const has = vm.disks.length === 0 ? 'no disk, ISO or kernel' : 'no ISO, and its disks are not there yet'
  return [
    {
      code: 'nothing-to-boot',
      severity: 'warning',
      message: `${vm.name} has nothing to boot from: ${has}`,
      help: 'give it a disk with a system on it, or `iso:` to install from',
    },
  ]
}

function checkFirmware(host: Host, { name, firmware }: VmSpec): Finding[] {
  if (host.paths === undefined || firmware !== 'uefi') return []
  const find = pathFinder(host)
  if (firmwareFiles.some((pair) => pair.every((path) => find(path)?.kind !== 'absent'))) return []
  return [
    {
      code: 'firmware-missing',
      severity: 'warning',
      message: `${name} wants UEFI firmware, and OVMF is not installed`,
      help: 'apt-get install ovmf (Fedora: edk2-ovmf)',
    },
  ]
}
