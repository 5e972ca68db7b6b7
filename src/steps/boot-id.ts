/** Tells one boot of the machine from the next: driver bindings do not outlive it. */
import type { Reader } from '../machine/system.ts'

/** Empty where the kernel does not say (no /proc, or a file tree). */
export function readBootId(reader: Reader): string {
  const text = reader.readText('/proc/sys/kernel/random/boot_id', 128)
  return text.ok ? text.value.trim() : ''
}
