/** The empty machine every lab host is made of (pure): q35 with no devices of QEMU's own choosing. */
import type { AcceleratorKind } from '../../base/accelerator.ts'

/**
 * An emulated IOMMU that remaps interrupts wants the split interrupt controller under KVM (QEMU:
 * hw/i386/intel_iommu.c).
 */
export function bareMachine(accelerator: AcceleratorKind): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-vga', 'none'],
    ...['-machine', accelerator === 'kvm' ? 'q35,kernel-irqchip=split' : 'q35'],
    ...[
      '-accel',
      accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi',
      '-cpu',
      accelerator === 'kvm' ? 'host' : 'max',
    ],
  ]
}
