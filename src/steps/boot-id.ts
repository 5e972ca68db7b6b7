/** Identifies one boot of the machine. Driver bindings end with the boot. */
import type { Reader } from '../machine/system.ts'

/** Empty where the file is missing: there is no /proc, or the machine is a file tree. */
export function readBootId(reader: Reader): string {
  const text = reader.readText('/proc/sys/kernel/random/boot_id', 128)
  return text.ok ? text.value.trim() : ''
}
