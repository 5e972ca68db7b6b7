/**
 * Kernel arguments that switch interrupt remapping off: `nointremap` and `intremap=`
 * (drivers/iommu/irq_remapping.c), and those that switch off the IO-APIC, which remapping needs
 * (arch/x86/kernel/apic, enable_IR_x2apic).
 */
import { rawArgs, readArg } from './cmdline.ts'

/** The kernel ignores a value of these words. */
const words = new Set(['nointremap', 'noapic', 'nolapic', 'disableapic', 'nosmp'])

export function endsRemapping(raw: string): boolean {
  const { key, value = '' } = readArg(raw)
  return words.has(key) || (key === 'intremap' && saysOff(value))
}

/** With `nosid` a device can send interrupts in the name of another one, which remapping should prevent. */
export function isUncheckedRemapping(raw: string): boolean {
  const { key, value = '' } = readArg(raw)
  return key === 'intremap' && value.split(',').some((word) => word.startsWith('nosid'))
}

/** The kernel compares only the beginning of each word between commas, so `offline` is off as well. */
export function saysOff(value: string): boolean {
  return value.split(',').some((word) => word.startsWith('off'))
}

/** The arguments of a command line that switch remapping off. */
export function remappingEnders(cmdline: string | undefined): string[] {
  return rawArgs(cmdline ?? '').filter(endsRemapping)
}
