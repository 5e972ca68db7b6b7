/** How QEMU runs the processors of a machine, by QEMU's own names. */
export type AcceleratorKind = 'kvm' | 'tcg'

export function acceleratorWords(kind: AcceleratorKind): string {
  return kind === 'kvm' ? 'KVM' : 'software emulation'
}
