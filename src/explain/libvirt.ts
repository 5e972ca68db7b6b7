/** What libvirt reports. It passes QEMU's words on, too: those are in QEMU's tables. */
import type { Signature } from './signature.ts'

export const libvirtSignatures: readonly Signature[] = [
  {
    id: 'libvirt-no-iommu',
    severity: 'error',
    pattern:
      /host doesn.t support (?:passthrough of host|VFIO) PCI|VFIO device assignment is (?:currently )?not /,
    cause: 'There are no IOMMU groups, or VFIO is not loaded.',
    proof: 'ls /sys/kernel/iommu_groups /dev/vfio; handover inspect',
    remedy: [
      'handover inspect shows whether the firmware or a kernel argument keeps the IOMMU off',
      'handover plan adds the argument; a trial boot tries it first',
    ],
    source: 'libvirt src/hypervisor/virhostdev.c, src/util/virpci.c',
    certainty: 'source',
  },
  {
    id: 'libvirt-in-use',
    severity: 'error',
    pattern: /PCI device (?<device>\S{7,17}) is in use by driver \S{1,40}, domain (?<vm>\S{1,64})/,
    cause: 'Another running domain has this device, or another one of its IOMMU group.',
    proof: 'virsh list; virsh dumpxml {vm} | grep -A4 hostdev',
    remedy: ['stop the other domain', 'give the whole group to one domain'],
    source: 'libvirt src/hypervisor/virhostdev.c',
    certainty: 'source',
  },
  {
    id: 'libvirt-not-detached',
    severity: 'error',
    pattern: /Unmanaged PCI device (?<device>\S{7,17}) must be manually detached from the host/,
    cause: 'The domain says managed="no", and the device still has a driver of the host.',
    proof: 'readlink /sys/bus/pci/devices/{device}/driver; handover inspect {device}',
    remedy: [
      'look at handover inspect {device} first: it says whether the host needs the device',
      'let handover apply bind it, at every boot and by its identity',
    ],
    source: 'libvirt src/hypervisor/virhostdev.c',
    certainty: 'source',
  },
  {
    id: 'libvirt-bridge',
    severity: 'error',
    pattern: /Non-endpoint PCI devices cannot be assigned to guests/,
    cause: 'The domain names a bridge or a port; or the device does not answer, and looks like one.',
    proof: 'virsh dumpxml DOMAIN | grep -A4 hostdev; handover inspect',
    remedy: ['name the device below the port', 'handover inspect reports a device that does not answer'],
    source: 'libvirt src/hypervisor/virhostdev.c',
    certainty: 'source',
  },
  {
    id: 'libvirt-acs',
    severity: 'error',
    pattern: /Device (?<device>\S{7,17}) is behind a switch lacking ACS and cannot be assigned/,
    cause:
      'A switch above the device keeps its devices not apart from one another. libvirt asks this only of ' +
      'devices that VFIO does not handle.',
    proof: 'handover inspect {device}',
    remedy: [
      'give everything below the switch to one guest, or use another slot',
      'use VFIO, which goes by the groups of the kernel',
    ],
    source: 'libvirt src/util/virpci.c virPCIDeviceIsAssignable',
    certainty: 'source',
  },
  {
    id: 'libvirt-reset',
    severity: 'error',
    pattern: /Unable to reset PCI device (?<device>\S{7,17}): /,
    cause: 'libvirt resets a device by itself when vfio-pci does not have it, and found no way to.',
    proof: 'cat /sys/bus/pci/devices/{device}/reset_method; readlink /sys/bus/pci/devices/{device}/driver',
    remedy: [
      'bind it to vfio-pci first: handover plan shows how',
      'handover inspect {device} names its resets',
    ],
    source: 'libvirt src/util/virpci.c virPCIDeviceReset',
    certainty: 'source',
  },
  {
    id: 'libvirt-not-found',
    severity: 'error',
    pattern: /Device (?<device>\S{7,17}) not found: could not access/,
    cause: 'No device answers at the address in the domain: a card was added or taken out, or it is gone.',
    proof: 'lspci -nn -s {device}; handover inspect',
    remedy: [
      'find the device again by its serial or MAC address, then correct the domain',
      'handover lock records who a device is, and follows it when it moves',
    ],
    source: 'libvirt src/util/virpci.c virPCIDeviceNew',
    certainty: 'source',
  },
  {
    id: 'libvirt-locked-memory',
    severity: 'error',
    pattern: /cannot limit locked memory of process \d{1,10} to \d{1,20}/,
    cause:
      'libvirt may not raise the limit of locked memory for QEMU: it runs without root, or in a container.',
    proof: 'systemctl show libvirtd virtqemud -p LimitMEMLOCK',
    remedy: ['give libvirt CAP_SYS_RESOURCE, or LimitMEMLOCK=infinity in its unit'],
    source: 'libvirt src/util/virprocess.c virProcessSetMaxMemLock',
    certainty: 'source',
  },
]
