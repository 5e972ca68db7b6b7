/** What the kernel reports of the IOMMU and of interrupt remapping. */
import type { Signature } from './signature.ts'

const remappingLog = "journalctl -k -b | grep -E 'DMAR-IR|AMD-Vi|x2apic|emapping'"

/** A read or write of a device that no mapping allows. */
const fault = {
  severity: 'warning',
  cause:
    'The device used memory that it may not use, and the IOMMU stopped it. Where no function answers at ' +
    'this address, the device sends under a number that is not its own, and the kernel does not know that ' +
    'of it; else its driver or firmware is at fault, or the device was not reset between two owners.',
  proof: 'lspci -nn -s {device}; handover inspect {device}',
  remedy: [
    'leave it when it comes a few times while a graphics card changes hands: that is ordinary',
    'shut the VM down and start it again, so that the device is reset',
    'where no function answers at this address: use another device, or a kernel whose quirks name it',
    'update the firmware of the device and of the board',
  ],
  certainty: 'source',
} as const satisfies Partial<Signature>

export const iommuSignatures: readonly Signature[] = [
  {
    id: 'reserved-memory',
    severity: 'error',
    pattern: /Device is ineligible for IOMMU domain attach|requested this device have a 1:1 IOMMU mapping/,
    cause:
      'The firmware keeps using memory through this device (RMRR, IVMD), so the kernel lets no guest have ' +
      'it.',
    proof: 'cat /sys/bus/pci/devices/{device}/iommu_group/reserved_regions',
    remedy: [
      'choose another device, or put the card into another slot: handover inspect shows which are free of it',
      'look in the firmware setup for shared memory, USB legacy support or remote management of this slot',
    ],
    source: 'Linux drivers/iommu/intel/iommu.c (up to 6.1), drivers/iommu/iommu.c (since)',
    certainty: 'source',
  },
  {
    id: 'no-interrupt-remapping',
    severity: 'error',
    pattern: /No interrupt remapping support/,
    cause:
      'The IOMMU is on, and interrupts are not remapped, so a guest could send interrupts into the host. ' +
      'VFIO refuses every device for that.',
    proof: `cat /proc/cmdline; ${remappingLog}`,
    remedy: [
      'take intremap=off, nointremap or noapic out of the kernel arguments; handover inspect names the one',
      'switch on interrupt remapping and x2APIC in the firmware setup, or update the firmware',
      'where this host is a VM itself: give it intel-iommu,intremap=on and kernel-irqchip=split',
      'allow_unsafe_interrupts=1 of vfio_iommu_type1 repairs nothing. It gives up the protection: every ' +
        'guest with a device can then send interrupts into the host. Use it only for guests that you ' +
        'trust like it',
    ],
    source: 'Linux drivers/vfio/vfio_iommu_type1.c vfio_iommu_type1_attach_group',
    certainty: 'seen',
  },
  {
    id: 'interrupt-remapping-failed',
    severity: 'warning',
    pattern: /Failed to enable irq remapping/,
    cause: 'The kernel could not switch interrupt remapping on. VFIO will refuse every device of this host.',
    proof: `cat /proc/cmdline; ${remappingLog}`,
    remedy: [
      'switch on VT-d and x2APIC in the firmware setup',
      'take intremap=off, nointremap or noapic out of the kernel arguments, where one is there',
      'update the firmware',
    ],
    source: 'Linux drivers/iommu/intel/irq_remapping.c',
    certainty: 'source',
  },
  {
    id: 'interrupt-remapping-erratum',
    severity: 'error',
    pattern: /on a chipset that contains an erratum making that/,
    cause:
      'This chipset (Intel 5500, 5520, X58) has a fault in its interrupt remapping, and the kernel ' +
      'switched the remapping off. VFIO then refuses every device.',
    proof: "lspci -nn -s 00:00.0; journalctl -k -b | grep -iE 'erratum|remapping'",
    remedy: ['use another board for guests with real devices'],
    source: 'Linux drivers/iommu/intel/irq_remapping.c, arch/x86/kernel/early-quirks.c',
    certainty: 'source',
  },
  {
    id: 'ivrs-incomplete',
    severity: 'error',
    pattern:
      /IOAPIC\[\d{1,3}\] not in IVRS table|No southbridge IOAPIC found|AMD-Vi: Disabling interrupt remapping/,
    cause:
      "The firmware's IVRS table leaves out an interrupt controller (IOAPIC), so the kernel switches " +
      'interrupt remapping off. VFIO then refuses every device.',
    proof: "journalctl -k -b | grep -E 'IVRS|IOAPIC|AMD-Vi'",
    remedy: [
      'update the firmware',
      'look in the firmware setup for the IOMMU and the IOAPIC, and switch both on',
      'name the missing controller by ivrs_ioapic= under host: kernel-arguments; a trial boot tries it first',
    ],
    source: 'Linux drivers/iommu/amd/init.c check_ioapic_information',
    certainty: 'source',
  },
  {
    id: 'x2apic-opt-out',
    severity: 'note',
    pattern: /x2apic is disabled because BIOS sets x2apic opt out bit/,
    cause:
      'The firmware asks the kernel to leave x2APIC off. Interrupt remapping works without it, so devices ' +
      'can be given away.',
    proof: remappingLog,
    remedy: ['nothing needs to be done', 'x2APIC can be switched on in the firmware setup of most servers'],
    source: 'Linux drivers/iommu/intel/irq_remapping.c',
    certainty: 'source',
  },
  {
    id: 'iommu-off-by-argument',
    severity: 'error',
    pattern: /DMAR: IOMMU disabled/,
    cause: 'intel_iommu=off stands among the kernel arguments, so there are no IOMMU groups.',
    proof: 'cat /proc/cmdline',
    remedy: [
      'take the argument out where your boot loader has it; handover plan SPEC then adds what the IOMMU ' +
        'needs, and tries it on one boot first',
    ],
    source: 'Linux drivers/iommu/intel/iommu.c intel_iommu_setup',
    certainty: 'source',
  },
  {
    id: 'firmware-table-broken',
    severity: 'error',
    pattern: /Your BIOS is broken; (?:DMAR reported at address|bad RMRR|ANDD|RHSA)/,
    cause:
      "The firmware's DMAR table states what cannot be true. The kernel ignores that part, and the devices " +
      'behind it may have no IOMMU.',
    proof: "journalctl -k -b | grep -E 'DMAR|Firmware Bug'; handover inspect",
    remedy: [
      'update the firmware',
      'leave devices with the host that handover inspect shows without a group',
    ],
    source: 'Linux drivers/iommu/intel/dmar.c, drivers/iommu/intel/iommu.c',
    certainty: 'source',
  },
  {
    id: 'reserved-memory-unmarked',
    severity: 'warning',
    pattern: /No firmware reserved region can cover this RMRR/,
    cause:
      'The firmware wants memory kept for a device (RMRR) and does not mark that memory as reserved. Hosts ' +
      'of this kind are reported to hang at boot once the IOMMU is on.',
    proof: "journalctl -k -b | grep -E 'RMRR|e820'",
    remedy: [
      'update the firmware before the IOMMU is switched on for good',
      'let handover apply switch it on: the old entry comes back by itself when the trial boot hangs',
      'leave the IOMMU off on this host',
    ],
    source: 'Linux arch/x86/include/asm/iommu.h arch_rmrr_sanity_check; the hang: owners of HPE servers',
    certainty: 'source',
  },
  {
    id: 'dma-fault-intel',
    ...fault,
    pattern: /\[DMA (?:Read|Write)[^\]]{0,40}\] Request device \[(?<device>[0-9a-f:.]{7,17})\] fault addr/,
    source: 'Linux drivers/iommu/intel/dmar.c dmar_fault_do_one',
  },
  {
    id: 'dma-fault-amd',
    ...fault,
    pattern: /AMD-Vi: Event logged \[IO_PAGE_FAULT(?: device=(?<device>[0-9a-f:.]{7,17}))?/,
    source: 'Linux drivers/iommu/amd/iommu.c amd_iommu_report_page_fault',
  },
  {
    id: 'iommu-stuck',
    severity: 'error',
    pattern: /AMD-Vi: .{0,60}Completion-Wait loop timed out/,
    cause:
      'The IOMMU waits for a device that does not answer any more, mostly a graphics card after a reset ' +
      'that did not work.',
    proof: "journalctl -k -b | grep -E 'AMD-Vi|not ready|inaccessible'",
    remedy: [
      'shut the guests down and restart the host; a device that is lost comes back only by that',
      'handover inspect names known reset faults of the device',
      'pci=noats under host: kernel-arguments keeps devices from caching addresses; they get slower by it',
    ],
    source: 'Linux drivers/iommu/amd/iommu.c wait_on_sem',
    certainty: 'source',
  },
]
