/** What vfio and vfio-pci report in the kernel's log. */
import type { Signature } from './signature.ts'

export const vfioSignatures: readonly Signature[] = [
  {
    id: 'locked-memory-limit',
    severity: 'error',
    pattern: /RLIMIT_MEMLOCK \(\d{1,20}\) exceeded/,
    cause:
      "QEMU may lock less memory than the guest has. With a real device all of the guest's memory is locked.",
    proof: "grep -i 'locked memory' /proc/$(pgrep -o qemu-system)/limits",
    remedy: [
      'start the VM with handover up as root: it has no such limit',
      'in a systemd unit of your own: LimitMEMLOCK=infinity',
      'with libvirt: raise hard_limit in memtune to the memory of the guest and 1 GiB more',
    ],
    source: 'Linux drivers/vfio/vfio_iommu_type1.c vfio_pin_pages_remote',
    certainty: 'source',
  },
  {
    id: 'driver-denied',
    severity: 'error',
    pattern: /exists in vfio-pci device (?:deny|black)list, driver probing disallowed/,
    cause: 'vfio-pci itself refuses devices of this kind, because a guest could break out through them.',
    proof: 'handover inspect {device}',
    remedy: ['choose another device'],
    source: 'Linux drivers/vfio/pci/vfio_pci.c vfio_pci_is_denylisted',
    certainty: 'source',
  },
  {
    id: 'virtual-functions-active',
    severity: 'error',
    pattern: /Cannot bind to PF with SR-IOV enabled/,
    cause: 'The card has virtual functions, and vfio-pci does not take a card while they exist.',
    proof: 'cat /sys/bus/pci/devices/{device}/sriov_numvfs; handover inspect {device}',
    remedy: [
      'give its virtual functions to the VM in place of the card (host: virtual-functions)',
      'find out who uses the virtual functions; once nobody does, write 0 into sriov_numvfs of the card',
    ],
    source: 'Linux drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device',
    certainty: 'source',
  },
  {
    id: 'vf-token',
    severity: 'error',
    pattern: /VF token required to access device/,
    cause:
      'The card of this virtual function is on vfio-pci itself. Then each user of its virtual functions ' +
      'must know a word (the VF token) that the user of the card set.',
    proof: 'readlink /sys/bus/pci/devices/{device}/physfn/driver',
    remedy: [
      'leave the card with its own driver, and let handover apply make its virtual functions ' +
        '(host: virtual-functions)',
      'start QEMU with vf-token= set to the word of the user of the card',
    ],
    source: 'Linux drivers/vfio/pci/vfio_pci_core.c vfio_pci_validate_vf_token',
    certainty: 'source',
  },
  {
    id: 'not-an-endpoint',
    severity: 'error',
    pattern:
      /probe with driver vfio-pci failed with error -22|vfio-pci: probe of \S{1,20} failed with error -22/,
    cause: 'vfio-pci takes endpoints only, and this is a bridge or a device that it refuses by its ids.',
    proof: 'lspci -nn -s {device}; journalctl -k -b | grep -E {device}',
    remedy: ['leave bridges and ports with their driver: they keep no group from being given away'],
    source: 'Linux drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device',
    certainty: 'source',
  },
  {
    id: 'unbind-waits',
    severity: 'warning',
    pattern: /No device request channel registered, blocked until released by user/,
    cause:
      'Somebody takes the device from vfio-pci while a program still has it open. The kernel lets that ' +
      'command hang until the program closes it.',
    proof: 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep /dev/vfio; handover status',
    remedy: [
      'stop the VM that has the device: handover down VM',
      'end the program that holds /dev/vfio, when it is none of ours',
    ],
    source: 'Linux drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_request',
    certainty: 'seen',
  },
  {
    id: 'device-wanted-back',
    severity: 'warning',
    pattern: /Relaying device request to user \(#\d{1,10}\)/,
    cause:
      'Somebody takes the device from vfio-pci while a VM has it. QEMU asks its guest to give the device ' +
      'up, and the command hangs until the guest does.',
    proof: 'handover status',
    remedy: ['wait, or stop the VM: handover down VM'],
    source: 'Linux drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_request',
    certainty: 'source',
  },
  {
    id: 'interrupt-line-shared',
    severity: 'error',
    pattern: /Flags mismatch irq (?<irq>\d{1,5})\. [0-9a-f]{8} \(vfio-intx/,
    cause:
      'The device uses an old interrupt line (INTx) that it cannot mask, and another device of the host is ' +
      'on the same line. VFIO needs such a line for itself.',
    proof: "grep -E '^ *{irq}:' /proc/interrupts",
    remedy: [
      'let the driver in the guest use MSI or MSI-X, where the device has it',
      'put one of the two cards into another slot, which mostly has another line',
      'give the other device away as well, or unbind its driver when the host does not need it',
    ],
    source: 'Linux kernel/irq/manage.c __setup_irq, drivers/vfio/pci/vfio_pci_intrs.c',
    certainty: 'source',
  },
  {
    id: 'memory-held',
    severity: 'error',
    pattern: /BAR \d{1,2}: can.t reserve \[(?:mem|io)/,
    cause:
      "Something else holds a part of the device's memory. For a graphics card it mostly is the picture " +
      'that the firmware set up for the boot messages.',
    proof: "grep -iE -B2 'BOOTFB|efifb|simple|vesafb|{device}' /proc/iomem",
    remedy: [
      'choose another card as boot display in the firmware setup',
      'handover inspect {device} says whether the boot messages show on it (boot-display)',
      'video=efifb:off under host: kernel-arguments, where efifb is the holder: the screen stays black then',
    ],
    source: 'Linux drivers/pci/pci.c __pci_request_region, drivers/vfio/pci/vfio_pci_core.c',
    certainty: 'source',
  },
  {
    id: 'no-iommu-mode',
    severity: 'warning',
    pattern: /Adding kernel taint for vfio-noiommu group on device/,
    cause:
      'VFIO was told to work without an IOMMU. The device then reaches all memory of the host, and QEMU ' +
      'takes no device in that way.',
    proof: 'cat /sys/module/vfio/parameters/enable_unsafe_noiommu_mode',
    remedy: [
      'switch the IOMMU on: handover inspect shows what it lacks',
      'take enable_unsafe_noiommu_mode out of /etc/modprobe.d and the kernel arguments',
    ],
    source: 'Linux drivers/vfio/group.c vfio_group_find_or_alloc',
    certainty: 'source',
  },
  {
    id: 'bogus-interrupt-pin',
    severity: 'note',
    pattern: /VF reports bogus INTx pin \d/,
    cause:
      'A virtual function claims an interrupt line that it cannot have. vfio-pci corrects that by itself.',
    proof: 'lspci -vv -s {device}',
    remedy: ['nothing needs to be done'],
    source: 'Linux drivers/vfio/pci/vfio_pci_config.c vfio_config_init',
    certainty: 'source',
  },
  {
    id: 'capability-hidden',
    severity: 'note',
    pattern: /vfio_ecap_init: hiding ecap 0x[0-9a-f]{1,4}/,
    cause: 'vfio-pci hides a capability of the device that a guest must not use. That is ordinary.',
    proof: 'lspci -vv -s {device}',
    remedy: ['nothing needs to be done'],
    source: 'Linux drivers/vfio/pci/vfio_pci_config.c vfio_ecap_init',
    certainty: 'reported',
  },
]
