/**
 * Kernel arguments without which interrupts would be remapped: drivers/iommu/irq_remapping.c (`nointremap`,
 * `intremap=`) and, since remapping needs the IO-APIC, arch/x86/kernel/apic (enable_IR_x2apic) with what
 * switches that off.
 */
import { rawArgs, readArg } from './cmdline.ts'

/** Bare words, whatever value they are given: their parsers do not look at it. */
const words = new Set(['nointremap', 'noapic', 'nolapic', 'disableapic', 'nosmp'])

export function endsRemapping(raw: string): boolean {
  const { key, value = '' } = readArg(raw)
  return words.has(key) || (key === 'intremap' && saysOff(value))
}

/** `nosid` lets a device send interrupts in another one's name, against which remapping is there. */
export function isUncheckedRemapping(raw: string): boolean {
  const { key, value = '' } = readArg(raw)
  return key === 'intremap' && value.split(',').some((word) => word.startsWith('nosid'))
}

/** The kernel compares beginnings of the words between commas: `offline` is off, too. */
export function saysOff(value: string): boolean {
  return value.split(',').some((word) => word.startsWith('off'))
}

/** Those of a command line, as they stand there. */
export function remappingEnders(cmdline: string | undefined): string[] {
  return rawArgs(cmdline ?? '').filter(endsRemapping)
}
