/** capture: the host as one redacted text that can be read in place of the machine. */
import { defined } from '../base/defined.ts'
import { readPciIds } from '../host/read/name-devices.ts'
import { linuxSystem } from '../machine/linux.ts'
import type { System } from '../machine/system.ts'
import { captureHost, type Beside, type Captured } from '../sources/capture/capture.ts'

/** `by`: the program and its version, for the head of the capture. */
export function capture(system: System, by: string, beside?: Beside): Captured {
  const pciIds = readPciIds(system) ?? readPciIds(linuxSystem())
  return captureHost(system, by, { pciIds, ...defined({ beside }) })
}
