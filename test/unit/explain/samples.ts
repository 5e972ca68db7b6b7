/** Invented lines in the form in which each program writes them: signature → what it must know. */
const qemu = 'qemu-system-x86_64: -device vfio-pci,host=0000:03:00.0,id=hostdev0: vfio 0000:03:00.0: '

export const samples: Readonly<Record<string, readonly string[]>> = {
  'reserved-memory': [
    '[   71.204511] vfio-pci 0000:03:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
    'Dec 01 10:00:00 box kernel: vfio-pci 0000:03:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
  ],
  'no-interrupt-remapping': [
    '[   12.1] vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform',
  ],
  'interrupt-remapping-failed': [
    '[    0.4] DMAR-IR: Failed to enable irq remapping. You are vulnerable to irq-injection attacks.',
  ],
  'interrupt-remapping-erratum': ['[    0.4] on a chipset that contains an erratum making that'],
  'ivrs-incomplete': [
    '[    0.5] AMD-Vi: [Firmware Bug]: : IOAPIC[33] not in IVRS table',
    '[    0.5] AMD-Vi: [Firmware Bug]: : No southbridge IOAPIC found',
    '[    0.5] AMD-Vi: Disabling interrupt remapping',
  ],
  'x2apic-opt-out': ['[    0.4] DMAR-IR: x2apic is disabled because BIOS sets x2apic opt out bit.'],
  'iommu-off-by-argument': ['[    0.0] DMAR: IOMMU disabled'],
  'firmware-table-broken': [
    '[    0.0] DMAR: [Firmware Bug]: Your BIOS is broken; DMAR reported at address fed91000 returns all ones!',
    '[    0.0] DMAR: [Firmware Bug]: Your BIOS is broken; bad RMRR [0x00000000d0000000-0x00000000cfffffff]',
  ],
  'reserved-memory-unmarked': [
    '[    0.0] DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR [0x00000000bd000000-0x00000000bd7fffff], contact BIOS vendor for fixes',
  ],
  'dma-fault-intel': [
    '[  840.3] DMAR: [DMA Write NO_PASID] Request device [03:00.1] fault addr 0xfff00000 [fault reason 0x05] PTE Write access is not set',
    '[  840.3] DMAR: [DMA Read] Request device [03:00.1] fault addr fff00000 [fault reason 06] PTE Read access is not set',
  ],
  'dma-fault-amd': [
    '[  840.3] AMD-Vi: Event logged [IO_PAGE_FAULT device=03:00.1 domain=0x000e address=0xfff00000 flags=0x0020]',
    '[  840.3] vfio-pci 0000:03:00.1: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xfff00000 flags=0x0000]',
  ],
  'iommu-stuck': ['[  901.0] AMD-Vi: IOMMU 0000:00:00.2: Completion-Wait loop timed out'],
  'locked-memory-limit': ['[  100.0] vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded'],
  'driver-denied': [
    '[   20.0] vfio-pci 0000:3d:00.0: 8086:37c8 exists in vfio-pci device denylist, driver probing disallowed.',
    '[   20.0] vfio-pci 0000:3d:00.0: 8086:37c8 exists in vfio-pci device blacklist, driver probing disallowed.',
  ],
  'virtual-functions-active': ['[   20.0] vfio-pci 0000:05:00.0: Cannot bind to PF with SR-IOV enabled'],
  'vf-token': ['[   20.0] vfio-pci 0000:05:10.0: VF token required to access device'],
  'not-an-endpoint': [
    '[   20.0] vfio-pci 0000:00:1c.0: probe with driver vfio-pci failed with error -22',
    '[   20.0] vfio-pci: probe of 0000:00:1c.0 failed with error -22',
  ],
  'unbind-waits': [
    '[   20.0] vfio-pci 0000:03:00.0: No device request channel registered, blocked until released by user',
  ],
  'device-wanted-back': ['[   20.0] vfio-pci 0000:03:00.0: Relaying device request to user (#12)'],
  'interrupt-line-shared': [
    '[   20.0] genirq: Flags mismatch irq 18. 00000000 (vfio-intx(0000:03:00.0)) vs. 00000080 (ehci_hcd:usb1)',
  ],
  'memory-held': [
    "[   20.0] vfio-pci 0000:03:00.0: BAR 1: can't reserve [mem 0xe0000000-0xefffffff 64bit pref]",
  ],
  'no-iommu-mode': ['[   20.0] vfio-pci 0000:03:00.0: Adding kernel taint for vfio-noiommu group on device'],
  'bogus-interrupt-pin': ['[   20.0] vfio-pci 0000:05:10.0: Hardware bug: VF reports bogus INTx pin 3'],
  'capability-hidden': ['[   20.0] vfio-pci 0000:03:00.0: vfio_ecap_init: hiding ecap 0x1f@0x2d0'],
  'device-inaccessible': [
    '[   30.0] vfio-pci 0000:03:00.0: Unable to change power state from D3cold to D0, device inaccessible',
  ],
  'reset-failed': ['[   30.0] vfio-pci 0000:03:00.0: not ready 65535ms after bus reset; giving up'],
  'reset-slow': ['[   30.0] vfio-pci 0000:03:00.0: not ready 1023ms after FLR; waiting'],
  'transactions-pending': [
    '[   30.0] vfio-pci 0000:03:00.0: timed out waiting for pending transaction; performing function level reset anyway',
    '[   30.0] vfio-pci 0000:03:00.0: timed out waiting for pending transaction; performing AF function level reset anyway',
  ],
  'reset-method-unknown': ["[   30.0] nvme 0000:03:00.0: Unsupported reset method 'pm'"],
  'resets-switched-off': ['[   30.0] nvme 0000:03:00.0: All device reset methods disabled by user'],
  'interrupt-nobody-wants': ['[   30.0] irq 18: nobody cared (try booting with the "irqpoll" option)'],
  'link-error': [
    '[   30.0] pcieport 0000:00:1c.4: AER: Uncorrected (Fatal) error received: 0000:00:1c.4',
    '[   30.0] pcieport 0000:00:1c.4: AER: Multiple Uncorrectable (Non-Fatal) error message received from 0000:03:00.0',
  ],
  'vendor-reset-failed': ['[   30.0] vfio-pci 0000:0b:00.0: SMU error 0xff'],
  'boot-picture-gone': ['[   30.0] efifb: cannot reserve video memory at 0xe0000000'],
  'killed-for-memory': [
    '[  930.0] Out of memory: Killed process 4711 (qemu-system-x86) total-vm:17301504kB, anon-rss:16777216kB',
    '[  930.0] Memory cgroup out of memory: Killed process 4711 (qemu-system-x86) total-vm:17301504kB',
  ],
  'rom-signature': [
    '[   30.0] vfio-pci 0000:03:00.0: Invalid PCI ROM header signature: expecting 0xaa55, got 0x0000',
  ],
  'header-reads-ones': ['[   30.0] pci 0000:03:00.0: unknown header type 7f, ignoring device'],
  'group-refused': [
    `${qemu}failed to setup container for group 14: Failed to set iommu for container: Operation not permitted`,
    `${qemu}failed to setup container for group 14: Failed to set group container: Operation not permitted`,
  ],
  'group-not-viable': [
    `${qemu}group 14 is not viable`,
    'error: internal error: qemu unexpectedly closed the monitor: 2026-12-01T10:00:00.123456Z qemu-system-x86_64: -device vfio-pci,host=0000:03:00.0: vfio 0000:03:00.0: group 14 is not viable',
  ],
  'vfio-type1-missing': [`${qemu}failed to setup container for group 14: No available IOMMU models`],
  'group-in-use': [
    `${qemu}Could not open '/dev/vfio/14': Device or resource busy`,
    `${qemu}failed to open /dev/vfio/14: Device or resource busy`,
  ],
  'group-not-allowed': [
    `${qemu}Could not open '/dev/vfio/14': Permission denied`,
    `${qemu}failed to open /dev/vfio/vfio: Operation not permitted`,
  ],
  'group-absent': [`${qemu}Could not open '/dev/vfio/14': No such file or directory`],
  'device-not-on-vfio': [`${qemu}error getting device from group 14: No such device`],
  'device-not-given': [`${qemu}error getting device from group 14: Invalid argument`],
  'no-such-device': [`${qemu}no such host device: No such file or directory`],
  'iommufd-refused': [`${qemu}error bind device fd=31 to iommufd=30: Operation not permitted`],
  'iommufd-absent': [`${qemu}failed to find vfio-dev/vfioX/dev`],
  'memory-not-pinned': [
    'qemu-system-x86_64: VFIO_MAP_DMA failed: Cannot allocate memory',
    'qemu-system-x86_64: vfio_container_dma_map(0x55e0a1b2c3d0, 0x100000000, 0x380000000, 0x7f1240000000) = -12 (Cannot allocate memory)',
  ],
  'memory-not-mapped': [
    'qemu-system-x86_64: VFIO_MAP_DMA failed: Invalid argument',
    'qemu-system-x86_64: vfio_dma_map(0x55e0a1b2c3d0, 0x380000000000, 0x10000000, 0x7f1240000000) = -22 (Invalid argument)',
  ],
  'no-peer-transfer': [
    'qemu-system-x86_64: warning: 0000:03:00.0: PCI peer-to-peer transactions on BARs are not supported.',
  ],
  'memory-window-held': [
    'qemu-system-x86_64: warning: Failed to mmap 0000:03:00.0 BAR 1. Performance may be slow',
  ],
  'rom-unreadable': ['qemu-system-x86_64: vfio-pci: Cannot read device rom at 0000:03:00.0'],
  'rom-dangerous': [
    'Device at 0000:03:00.0 is known to cause system instability issues during option rom execution',
  ],
  'device-asleep': ['qemu-system-x86_64: vfio: Unable to power on device, stuck in D3'],
  'no-reset': ['qemu-system-x86_64: vfio: Cannot reset device 0000:03:00.0, no available reset mechanism.'],
  'reset-needs-group': [
    'qemu-system-x86_64: vfio: Cannot reset device 0000:03:00.0, depends on group 15 which is not owned.',
  ],
  'device-failed': [
    'qemu-system-x86_64: vfio_err_notifier_handler(0000:03:00.0) Unrecoverable error detected. Please collect any data possible and then kill the guest',
  ],
  'old-vga-refused': [`${qemu}device does not support requested feature x-vga`],
  'port-given': [`${qemu}assignment of PCIe type 0x4 devices is not currently supported`],
  'interrupt-table-broken': [
    `${qemu}hardware reports invalid configuration, MSIX PBA outside of specified BAR`,
  ],
  'graphics-too-old': ['IGD device 0000:00:02.0 is unsupported in legacy mode, try SandyBridge or newer'],
  'slot-occupied': [
    'qemu-system-x86_64: PCI: slot 4 function 0 already occupied by vfio-pci, new func vfio-pci cannot be exposed to guest.',
  ],
  'container-refused': [`${qemu}failed to setup container for group 14: Failed to open container`],
  'hugepages-short': [
    'qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory',
    'qemu-system-x86_64: qemu_prealloc_mem: preallocating memory failed: Bad address',
  ],
  'memory-short': ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory"],
  'tap-refused': [
    'qemu-system-x86_64: -netdev tap,id=net0: could not open /dev/net/tun: Permission denied',
    'qemu-system-x86_64: -netdev tap,id=net0,ifname=hv-box-0: could not configure /dev/net/tun (hv-box-0): Operation not permitted',
    'qemu-system-x86_64: network script /etc/qemu-ifup failed with status 256',
  ],
  'tap-in-use': [
    'qemu-system-x86_64: -netdev tap,id=net0: could not configure /dev/net/tun (hv-box-0): Device or resource busy',
  ],
  'image-in-use': [
    'qemu-system-x86_64: -device virtio-blk-pci,drive=d0: Failed to get "write" lock',
    'qemu-system-x86_64: -drive file=/srv/box.qcow2: Failed to get shared "write" lock',
  ],
  'firmware-absent': [
    "qemu: could not load PC BIOS 'bios-256k.bin'",
    "qemu-system-x86_64: Could not open '/usr/share/OVMF/OVMF_CODE.fd': No such file or directory",
  ],
  'image-absent': [
    "qemu-system-x86_64: -drive file=/srv/box.qcow2: Could not open '/srv/box.qcow2': No such file or directory",
  ],
  'kvm-unavailable': [
    'Could not access KVM kernel module: Permission denied',
    'qemu-system-x86_64: -accel kvm: failed to initialize kvm: Permission denied',
  ],
  'libvirt-no-iommu': [
    "error: unsupported configuration: host doesn't support passthrough of host PCI devices",
    'error: VFIO device assignment is currently not supported on this system',
  ],
  'libvirt-in-use': [
    'error: Requested operation is not valid: PCI device 0000:03:00.0 is in use by driver QEMU, domain box',
  ],
  'libvirt-not-detached': [
    'error: Requested operation is not valid: Unmanaged PCI device 0000:03:00.0 must be manually detached from the host',
  ],
  'libvirt-bridge': ['error: internal error: Non-endpoint PCI devices cannot be assigned to guests'],
  'libvirt-acs': [
    'error: internal error: Device 0000:03:00.0 is behind a switch lacking ACS and cannot be assigned',
  ],
  'libvirt-reset': [
    'error: internal error: Unable to reset PCI device 0000:03:00.0: no FLR, PM reset or bus reset available',
  ],
  'libvirt-not-found': [
    'error: device not found: Device 0000:03:00.0 not found: could not access /sys/bus/pci/devices/0000:03:00.0/config: No such file or directory',
  ],
  'libvirt-locked-memory': [
    'error: cannot limit locked memory of process 4711 to 18253611008: Operation not permitted',
  ],
  'proxmox-no-iommu': ['TASK ERROR: cannot prepare PCI pass-through, IOMMU not present'],
  'proxmox-cannot-bind': ['TASK ERROR: Cannot bind 0000:03:00.0 to vfio'],
  'proxmox-mapping-differs': [
    "TASK ERROR: PCI device mapping invalid (hardware probably changed): 'iommugroup' does not match for 'nic' (15 != 14)",
  ],
  'proxmox-in-use': [
    "TASK ERROR: PCI device '0000:03:00.0' already in use by VMID '101'",
    "TASK ERROR: PCI device '0000:03:00.0' is currently reserved for use by VMID '101'",
  ],
  'no-room-for-memory': [
    "[    0.6] pci 0000:06:00.0: BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space",
    '[    0.6] pci 0000:06:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]',
    '[    0.6] pci 0000:06:00.0: BAR 1: failed to assign [mem size 0x400000000 64bit pref]',
  ],
  'code-43': ['Windows has stopped this device because it has reported problems. (Code 43)'],
  'nvme-not-ready': [
    '[    4.0] nvme nvme0: Device not ready; aborting reset, CSTS=0x1',
    '[    4.0] nvme nvme0: Device not ready; aborting initialisation, CSTS=0x0',
  ],
  'sas-doorbell': ['[    4.0] mpt3sas_cm0: doorbell handshake int failed (line=6937)'],
  'configuration-gone': ['\t!!! Unknown header type 7f'],
  'write-refused-busy': ['bash: echo: write error: Device or resource busy'],
}
