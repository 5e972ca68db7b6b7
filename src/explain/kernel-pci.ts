/** What the kernel reports of devices: reset, power, interrupts, errors on the link, memory. */
import type { Signature } from './signature.ts'

/** The device answers nothing any more. */
export const lost = {
  proof: 'setpci -s {device} VENDOR_ID; cat /sys/bus/pci/devices/{device}/power_state',
  remedy: [
    'shut its VM down and restart the host; where that does not bring it back, take the power off for a ' +
      'minute',
    'handover inspect {device} names known reset faults; where another reset works, apply keeps to that one',
    'keep it awake: disable_idle_d3=1 for vfio-pci (/etc/modprobe.d), at the price of more power',
    'update the firmware of the device and of the board',
  ],
} as const satisfies Partial<Signature>

/** Of no harm for most guests. */
export const romUnreadable = {
  severity: 'warning',
  cause:
    "The option ROM of the card cannot be read: the firmware used it at the host's own start, the card " +
    'sleeps, or it has none.',
  proof: 'ls -l /sys/bus/pci/devices/{device}/rom; cat /sys/bus/pci/devices/{device}/boot_vga',
  remedy: [
    'nothing needs to be done when the guest starts and uses the device',
    'choose another card as boot display in the firmware setup, when this is a graphics card',
    'without handover: rombar=0 for what is no graphics card, romfile= with the ROM of the same card else',
  ],
  certainty: 'source',
} as const satisfies Partial<Signature>

const linkLog = "journalctl -k -b | grep -E 'AER|{device}'"

export const pciSignatures: readonly Signature[] = [
  {
    id: 'device-inaccessible',
    severity: 'error',
    pattern: /Unable to change power state from \S{1,12} to \S{1,12}, device inaccessible/,
    cause:
      'The device does not answer: all its registers read as ones. It sleeps without power, or it is gone.',
    ...lost,
    source: 'Linux drivers/pci/pci.c pci_power_up',
    certainty: 'source',
  },
  {
    id: 'reset-failed',
    severity: 'error',
    pattern: /not ready \d{1,7}ms after [^;]{1,40}; giving up/,
    cause: 'The device was reset, and did not come back within the minute that the kernel waits.',
    ...lost,
    source: 'Linux drivers/pci/pci.c pci_dev_wait',
    certainty: 'source',
  },
  {
    id: 'reset-slow',
    severity: 'warning',
    pattern: /not ready \d{1,7}ms after [^;]{1,40}; waiting/,
    cause: 'The device was reset and takes longer than others. The kernel waits for it, up to a minute.',
    proof: "journalctl -k -b | grep -E 'not ready|ready [0-9]+ms after'",
    remedy: [
      'nothing needs to be done when a line "ready … after" follows',
      'look at handover inspect {device} for known reset faults when the kernel gives up',
    ],
    source: 'Linux drivers/pci/pci.c pci_dev_wait',
    certainty: 'source',
  },
  {
    id: 'transactions-pending',
    severity: 'warning',
    pattern:
      /timed out waiting for pending transaction; performing (?:function level|AF function level) reset/,
    cause: 'The device still had work under way when it was reset. It may be lost after that.',
    proof: linkLog,
    remedy: [
      'nothing needs to be done when the device works afterwards',
      'shut the guest down in order before its device is taken, so that its driver ends the work',
      'look at the seat of the card, the riser and the speed of the link when it repeats',
    ],
    source: 'Linux drivers/pci/pci.c pcie_flr',
    certainty: 'source',
  },
  {
    id: 'reset-method-unknown',
    severity: 'warning',
    pattern: /Unsupported reset method '.{0,40}'/,
    cause: 'Somebody wrote a reset into reset_method that this device does not have.',
    proof: 'cat /sys/bus/pci/devices/{device}/reset_method',
    remedy: [
      'leave it to handover apply: it takes a reset out only where it is known not to work',
      'write one of the words that reset_method shows, or default',
    ],
    source: 'Linux drivers/pci',
    certainty: 'seen',
  },
  {
    id: 'resets-switched-off',
    severity: 'warning',
    pattern: /All device reset methods disabled by user/,
    cause: 'Somebody wrote nothing into reset_method: the device is not reset between two owners any more.',
    proof: 'cat /sys/bus/pci/devices/{device}/reset_method',
    remedy: ['write default into reset_method of the device; the next start of the host does it, too'],
    source: 'Linux drivers/pci',
    certainty: 'seen',
  },
  {
    id: 'interrupt-nobody-wants',
    severity: 'error',
    pattern: /irq (?<irq>\d{1,5}): nobody cared/,
    cause:
      'An interrupt line fires and no driver answers for it, so the kernel switches the line off. Mostly a ' +
      'device that lost its driver keeps firing, or cannot mask its line.',
    proof: "grep -E '^ *{irq}:' /proc/interrupts",
    remedy: [
      'restart the host: every device on that line works badly until then',
      'let the driver in the guest use MSI or MSI-X',
      'nointxmask=1 for vfio-pci, where the device has the line for itself',
    ],
    source: 'Linux kernel/irq/spurious.c __report_bad_irq',
    certainty: 'source',
  },
  {
    id: 'link-error',
    severity: 'error',
    pattern: /AER: (?:Multiple )?Uncorrect(?:ed|able) \((?:Fatal|Non-Fatal)\) error/,
    cause:
      'The link to a device reported an error that it could not correct. It often follows a reset that did ' +
      'not work; else it is the seat of the card, a riser, or the power.',
    proof: linkLog,
    remedy: [
      'shut the VM down, seat the card and its riser again',
      'set a lower link speed for the slot in the firmware setup',
      'handover inspect {device} names known reset faults',
    ],
    source: 'users of vendor-reset; the words: Linux drivers/pci/pcie/aer.c',
    certainty: 'reported',
  },
  {
    id: 'vendor-reset-failed',
    severity: 'error',
    pattern: /vfio-pci .{0,40}(?:SMU error 0x[0-9a-f]{1,8}|could not get enabled SMU features)/,
    cause:
      'The module vendor-reset could not reset this AMD graphics card: a processor inside it has stopped.',
    proof: "journalctl -k -b | grep -E 'SMU|{device}'",
    remedy: [
      'restart the host before the card goes to a VM again',
      'use a newer vendor-reset, where it knows another reset for this card',
    ],
    source: 'users of vendor-reset',
    certainty: 'reported',
  },
  {
    id: 'boot-picture-gone',
    severity: 'warning',
    pattern: /efifb: cannot reserve video memory/,
    cause: "The firmware's boot picture was bound again after its card had been with a guest.",
    proof: 'cat /proc/fb; ls /sys/bus/platform/drivers/efi-framebuffer',
    remedy: ['do not bind it again: keep the console on another card, SSH or a serial line'],
    source: 'users who give their only graphics card away',
    certainty: 'reported',
  },
  {
    id: 'killed-for-memory',
    severity: 'error',
    pattern: /[Oo]ut of memory: Killed process \d{1,10} \((?:qemu-system|kvm\b)/,
    cause: 'The host ran out of memory, and the kernel ended the VM to get some back.',
    proof: 'free -m; handover status',
    remedy: [
      'give the VMs less memory, or add some: handover plan shows the sum',
      'keep more for the host (host: reserve)',
    ],
    source: 'Linux mm/oom_kill.c __oom_kill_process',
    certainty: 'source',
  },
  {
    id: 'rom-signature',
    ...romUnreadable,
    pattern: /Invalid PCI ROM header signature: expecting 0xaa55, got 0x[0-9a-f]{4}/,
    source: 'Linux drivers/pci/rom.c pci_get_rom_size',
  },
  {
    id: 'header-reads-ones',
    severity: 'error',
    pattern: /unknown header type 7f/,
    cause: 'All registers of the device read as ones: it sleeps without power, or is gone after a reset.',
    ...lost,
    source: 'Linux drivers/pci/probe.c pci_setup_device',
    certainty: 'source',
  },
]
