/**
 * What runs VMs. An engine has a folder here and a line in engines.ts; nothing outside the folder knows how
 * it is spoken to. Engines start processes and make disk images of VMs; they never change the configuration
 * of the host.
 */
import { z } from 'zod'
import { addressSchema } from '../base/address-schema.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import type { Connection, System } from '../machine/system.ts'

/**
 * One function the guest gets; `role` names it in what `verify` reports, and is empty for one that comes
 * along.
 */
export type AssignedFunction = {
  readonly role: string
  readonly address: PciAddress
  readonly classCode?: string
}

/** What the VM gets of this machine: its functions in the order in which the guest shall see them. */
export type Given = { readonly spec: Spec; readonly functions: readonly AssignedFunction[] }

/** What was started, as an engine records it. The file may be torn, edited by hand or hostile. */
export const vmRecordSchema = z.object({
  schema: z.literal(1),
  name: z.string().max(64),
  pid: z.int().min(2),
  accelerator: z.enum(['kvm', 'tcg']),
  /** ISO 8601. */
  started: z.string().max(64),
  functions: z.array(z.object({ role: z.string(), address: addressSchema })).readonly(),
  /** Its start is under way, or ended half-way with the process that began it. */
  starting: z.exactOptional(z.literal(true)),
})

export type VmRecord = Readonly<z.infer<typeof vmRecordSchema>>

/** `powered off`: by the guest itself. `switched off`: by the engine. */
export type StopResult = 'powered off' | 'switched off'

export type Engine = {
  readonly name: string
  /** What it offers beyond starting and stopping. */
  readonly offers: {
    /** A line on which a small guest reports what it sees. */
    readonly report: boolean
    readonly console: boolean
  }
  /** Throws AppError where a start could not end well, before anything is made. */
  check(system: System, vm: VmSpec, given: Given): void
  /** Throws AppError, and nothing of the VM is left then. */
  start(system: System, vm: VmSpec, given: Given): Promise<VmRecord>
  /** Every VM of this engine whose process lives. */
  running(system: System): VmRecord[]
  /** Asks the guest to power off, and switches the VM off when it does not within the time. */
  stop(system: System, vm: VmRecord, timeoutSeconds: number): Promise<StopResult>
  /** The serial console. */
  openConsole(system: System, name: string): Promise<Connection>
  /** The path of the socket behind `openConsole`, for other programs. */
  consoleSocket(system: System, name: string): string
  /** The line on which the guest reports (run/guest-report.ts). Throws AppError when nobody listens. */
  openReport(system: System, name: string): Promise<Connection>
  /**
   * The last lines of the console, or of the engine's own log when the console is empty; without control
   * characters.
   */
  lastWords(system: System, name: string, lines: number): string
  /** Role → the guest's own address of the function, as the guest's firmware placed it. */
  places(
    system: System,
    name: string,
    functions: readonly AssignedFunction[],
  ): Promise<ReadonlyMap<string, string>>
}
