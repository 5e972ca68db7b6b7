/** What QEMU reports when VFIO refuses it a group, a device or its memory. */
import type { Signature } from './signature.ts'

const groupLog = "journalctl -k -b | grep -E 'vfio|iommu|RMRR|remapping' | tail -n 20"

export const qemuVfioSignatures: readonly Signature[] = [
  {
    id: 'group-refused',
    severity: 'error',
    pattern: /[Ff]ailed to set (?:iommu for|group) container: Operation not permitted/,
    cause:
      'The kernel refused the IOMMU group. The reason is in its log: no interrupt remapping, memory that ' +
      'the firmware keeps, or another member of the group that a driver of the host has.',
    proof: groupLog,
    remedy: [
      'handover inspect names the reason for each device',
      'give the lines of the kernel log to handover explain',
    ],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'seen',
  },
  {
    id: 'group-not-viable',
    severity: 'error',
    pattern: /group (?<group>\d{1,6}) is not viable/,
    cause: 'Another device of its IOMMU group still has a driver of the host.',
    proof: 'ls -l /sys/kernel/iommu_groups/{group}/devices/*/driver',
    remedy: [
      'run handover plan: it takes the whole group along, or says what of it the host needs',
      'put the card into another slot, when the host needs a member of the group',
    ],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'seen',
  },
  {
    id: 'vfio-type1-missing',
    severity: 'error',
    pattern: /No available IOMMU models/,
    cause: 'The module vfio_iommu_type1 is not loaded.',
    proof: 'ls -d /sys/module/vfio_iommu_type1; handover inspect',
    remedy: ['run handover plan and apply: they load what vfio-pci needs', 'modprobe vfio_iommu_type1'],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'group-in-use',
    severity: 'error',
    pattern: /open '?\/dev\/vfio\/(?<group>\d{1,6})'?: Device or resource busy/,
    cause: 'Another program has the IOMMU group open: mostly another VM.',
    proof: 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep /dev/vfio/{group}; handover status',
    remedy: ['run handover status, and stop the other VM: handover down VM'],
    source: 'QEMU util/osdep.c, hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'group-not-allowed',
    severity: 'error',
    pattern: /open '?\/dev\/vfio\/(?<group>\d{1,6}|vfio)'?: (?:Permission denied|Operation not permitted)/,
    cause: 'QEMU runs as a user that may not open the device, or its service is kept from it.',
    proof: 'ls -l /dev/vfio/{group}',
    remedy: [
      'start the VM with handover up as root',
      'in a systemd unit or a container of your own: allow /dev/vfio (DeviceAllow=)',
    ],
    source: 'QEMU util/osdep.c, hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'group-absent',
    severity: 'error',
    pattern: /open '?\/dev\/vfio\/(?<group>\d{1,6}|vfio)'?: No such file or directory/,
    cause: 'The IOMMU is off, or nothing in this IOMMU group is on vfio-pci.',
    proof: 'ls /sys/kernel/iommu_groups /dev/vfio; handover inspect',
    remedy: [
      'handover inspect shows whether the IOMMU is on; handover plan what has to change',
      'run handover apply again, when the host started without it',
    ],
    source: 'QEMU util/osdep.c, hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'device-not-on-vfio',
    severity: 'error',
    pattern: /error getting device from group (?<group>\d{1,6}): No such device/,
    cause: 'This function is not on vfio-pci, though another one of its group is.',
    proof: 'readlink /sys/bus/pci/devices/{device}/driver; handover inspect {device}',
    remedy: ['run handover plan: it shows which driver has it, and what apply would change'],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'seen',
  },
  {
    id: 'device-not-given',
    severity: 'error',
    pattern: /error getting device from group (?<group>\d{1,6}): /,
    cause:
      'The kernel did not hand the device out: it could not be switched on, another user has it, or it ' +
      'is a virtual function that needs the VF token of its card.',
    proof: `${groupLog}; handover inspect {device}`,
    remedy: ['give the lines of the kernel log to handover explain', 'run handover status for other users'],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'no-such-device',
    severity: 'error',
    pattern: /no such host device/,
    cause: 'No device answers at this address: it moved, it is switched off, or it fell off the bus.',
    proof: 'lspci -nn -s {device}; handover inspect',
    remedy: [
      'run handover plan: it follows locked devices to where they are now',
      'where the device is nowhere: take the power off for a minute, look at its seat',
    ],
    source: 'QEMU hw/vfio/helpers.c',
    certainty: 'seen',
  },
  {
    id: 'iommufd-refused',
    severity: 'error',
    pattern: /error bind device fd=-?\d{1,10} to iommufd=-?\d{1,10}/,
    cause: 'The kernel refused the device to iommufd: mostly a member of its group has a driver of the host.',
    proof: 'ls -l /sys/bus/pci/devices/{device}/iommu_group/devices/*/driver; handover inspect {device}',
    remedy: [
      'run handover plan: it takes the whole group along, or says what of it the host needs',
      'start QEMU without iommufd, as handover does',
    ],
    source: 'QEMU hw/vfio/iommufd.c',
    certainty: 'source',
  },
  {
    id: 'iommufd-absent',
    severity: 'error',
    pattern: /failed to find vfio-dev\/vfioX\/dev/,
    cause: 'This kernel has no device files for iommufd, or the device is not on vfio-pci.',
    proof: 'ls /sys/bus/pci/devices/{device}/vfio-dev; readlink /sys/bus/pci/devices/{device}/driver',
    remedy: ['start QEMU without iommufd, as handover does', 'run handover plan, when it is not on vfio-pci'],
    source: 'QEMU hw/vfio/iommufd.c',
    certainty: 'source',
  },
  {
    id: 'memory-not-pinned',
    severity: 'error',
    pattern:
      /VFIO_MAP_DMA failed: Cannot allocate memory|vfio_(?:container_)?dma_map\([^()]{1,120}\) = -12\b/,
    cause:
      "The guest's memory could not be pinned: the limit for locked memory is too small, or the host has " +
      'not ' +
      'so much free.',
    proof: `free -m; ${groupLog}`,
    remedy: [
      'start the VM with handover up as root; in a systemd unit of your own: LimitMEMLOCK=infinity',
      'give the VM less memory, or stop another one: handover plan shows the sum',
    ],
    source: 'QEMU hw/vfio/common.c, hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'memory-not-mapped',
    severity: 'error',
    pattern: /VFIO_MAP_DMA failed: Invalid argument|vfio_(?:container_)?dma_map\([^()]{1,120}\) = -22\b/,
    cause:
      "The IOMMU cannot map a part of the guest's memory: the address is reserved on this host, or wider " +
      'than the IOMMU can count.',
    proof: 'cat /sys/bus/pci/devices/{device}/iommu_group/reserved_regions',
    remedy: [
      'nothing needs to be done when the guest starts: it concerns only transfers from device to device',
      'give the VM less memory, when the guest does not start',
    ],
    source: 'QEMU hw/vfio/common.c, hw/vfio/container.c',
    certainty: 'source',
  },
  {
    id: 'container-refused',
    severity: 'error',
    pattern: /failed to setup container for group (?<group>\d{1,6})/,
    cause: 'VFIO refused the IOMMU group; what follows on the line is the reason that it gives.',
    proof: groupLog,
    remedy: [
      'run handover inspect, and give the kernel log to handover explain',
      'see who has devices open: handover status',
    ],
    source: 'QEMU hw/vfio/container.c',
    certainty: 'seen',
  },
]
