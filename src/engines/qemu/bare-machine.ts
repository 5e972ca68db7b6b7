/**
 * The arguments of an empty machine, on which every lab host is based: q35 without QEMU's default devices.
 * Pure.
 */
import type { AcceleratorKind } from '../../base/accelerator.ts'

/**
 * Under KVM, an emulated IOMMU that remaps interrupts needs the split interrupt controller (QEMU:
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
