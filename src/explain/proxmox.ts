/** What Proxmox VE reports when it starts a VM with real devices. */
import type { Signature } from './signature.ts'

export const proxmoxSignatures: readonly Signature[] = [
  {
    id: 'proxmox-no-iommu',
    severity: 'error',
    pattern: /cannot prepare PCI pass-through, IOMMU not present/,
    cause: 'The kernel runs without an IOMMU.',
    proof: 'ls /sys/class/iommu; handover inspect',
    remedy: ['handover inspect shows whether the firmware or a kernel argument keeps it off'],
    source: 'Proxmox qemu-server src/PVE/QemuServer/PCI.pm prepare_pci_device',
    certainty: 'source',
  },
  {
    id: 'proxmox-cannot-bind',
    severity: 'error',
    pattern: /Cannot bind (?<device>\S{7,17}) to vfio/,
    cause:
      'Proxmox takes every function of the IOMMU group from the host, whatever it is for, and this one ' +
      'would not go.',
    proof: 'handover inspect {device}; ls /sys/bus/pci/devices/{device}/iommu_group/devices',
    remedy: [
      'do not try again before you know what else is in the group: the host may lose a disk or its network',
      'put the card into another slot, where it has a group of its own',
    ],
    source: 'Proxmox pve-common src/PVE/SysFSTools.pm pci_dev_group_bind_to_vfio',
    certainty: 'source',
  },
  {
    id: 'proxmox-mapping-differs',
    severity: 'error',
    pattern: /'(?:id|iommugroup|subsystem-id)' does not match for '(?<mapping>[^']{1,64})'/,
    cause:
      'The mapping was made for another device or another group: addresses or groups changed by a new ' +
      'card, firmware or kernel.',
    proof: 'pvesh get /cluster/mapping/pci/{mapping}; handover inspect',
    remedy: ['make sure by serial or MAC address which device is meant, then correct the mapping'],
    source: 'Proxmox pve-guest-common src/PVE/Mapping/PCI.pm assert_valid',
    certainty: 'source',
  },
  {
    id: 'proxmox-in-use',
    severity: 'error',
    pattern:
      /PCI device '(?<device>\S{7,17})' .{0,13}(?:reserved for|already in) use by VMID '(?<vm>\d{1,9})'/,
    cause: 'Another VM has this device.',
    proof: 'qm status {vm}; qm config {vm} | grep hostpci',
    remedy: ['shut the other VM down'],
    source: 'Proxmox qemu-server src/PVE/QemuServer/PCI.pm reserve_pci_usage',
    certainty: 'source',
  },
]
