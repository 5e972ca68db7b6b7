/** What the system inside a guest reports. */
import type { Signature } from './signature.ts'

export const guestSignatures: readonly Signature[] = [
  {
    id: 'no-room-for-memory',
    severity: 'error',
    pattern: /BAR \d{1,2}\b.{0,80}: (?:can.t assign; no space|no space for|failed to assign)/,
    cause:
      "The window that the firmware leaves for large devices is too small for this device's memory. In a " +
      "guest it is the guest's firmware; on a host the board's.",
    proof: "lspci -vv | grep -E '^[0-9a-f:.]+ |Region'; journalctl -k -b | grep 'no space'",
    remedy: [
      'in a guest: start it by UEFI (firmware: uefi); new OVMF sizes the window by the processor',
      'on a host: switch on "above 4G decoding" in the firmware setup',
      'switch off resizable BAR in the firmware setup, or use smaller windows',
    ],
    source: 'Linux drivers/pci/setup-res.c pci_assign_resource; OVMF: its users',
    certainty: 'source',
  },
  {
    id: 'code-43',
    severity: 'error',
    pattern: /because it has reported problems\. {0,2}\(Code 43\)/,
    cause:
      'The driver in a Windows guest gave the graphics card up. GeForce drivers before 465 do so when they ' +
      'see a virtual machine; else the ROM of the card, resizable BAR or a reset is at fault.',
    proof: 'handover inspect; handover verify VM',
    remedy: [
      'install a newer driver in the guest',
      'restart the host, and try once more before the card was used by anything else',
      'make another card the boot display, or switch resizable BAR off in the firmware setup',
    ],
    source: 'owners of GeForce cards; libvirt documentation of its kvm and hyperv features',
    certainty: 'reported',
  },
  {
    id: 'nvme-not-ready',
    severity: 'error',
    pattern: /nvme\S{0,12}(?: \S{1,17})?: Device not ready; aborting (?:reset|initialisation)/,
    cause: 'The NVMe drive does not come up: its last owner or the reset between left it in a bad state.',
    proof: 'cat /sys/bus/pci/devices/ADDRESS/reset_method; handover inspect',
    remedy: [
      'shut the guest down in order, then start it again',
      'handover inspect names known reset faults; where another reset works, apply keeps to that one',
      'take the power off for a minute, and update the firmware of the drive',
    ],
    source: 'Linux drivers/nvme/host/core.c nvme_wait_ready',
    certainty: 'source',
  },
  {
    id: 'sas-doorbell',
    severity: 'error',
    pattern: /mpt[23]sas\S{0,8}: .{0,20}doorbell .{0,60}(?:failed|timeout)/,
    cause: 'The SAS controller (LSI) does not answer its driver in the guest.',
    proof: "journalctl -k -b | grep -E 'DMAR|AMD-Vi|not ready'; handover inspect",
    remedy: [
      'shut the guest down and start it again; restart the host when that is not enough',
      'iommu=pt under host: kernel-arguments helped one owner; a trial boot tries it first',
      'put the newest IT firmware on the controller, without its option ROM',
    ],
    source: 'one owner of an LSI SAS2008',
    certainty: 'reported',
  },
]
