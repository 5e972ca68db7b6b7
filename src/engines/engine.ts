/**
 * The interface of a program that runs VMs. An engine has a folder here and a line in engines.ts; nothing
 * outside its folder knows its protocol. Engines start processes and create disk images; they never change
 * the configuration of the host.
 */
import { z } from 'zod'
import { addressSchema } from '../base/address-schema.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import type { Connection, System } from '../machine/system.ts'

/**
 * A function that the guest gets. `role` is empty for a function that is only taken along with another one.
 */
export type AssignedFunction = {
  readonly role: string
  readonly address: PciAddress
  readonly classCode?: string
  /** The VM starts without it. Its place in the guest stays empty, so that the other addresses stay. */
  readonly absent?: true
}

/** `functions` has the order in which the guest sees them. */
export type Given = { readonly spec: Spec; readonly functions: readonly AssignedFunction[] }

/** The record of a started VM. The file that holds it may be damaged, edited by hand or hostile. */
export const vmRecordSchema = z.object({
  schema: z.literal(1),
  name: z.string().max(64),
  pid: z.int().min(2),
  accelerator: z.enum(['kvm', 'tcg']),
  /** ISO 8601. */
  started: z.string().max(64),
  functions: z.array(z.object({ role: z.string(), address: addressSchema })).readonly(),
  /** The start is not finished: it is under way, or the process that began it has died. */
  starting: z.exactOptional(z.literal(true)),
})

export type VmRecord = Readonly<z.infer<typeof vmRecordSchema>>

/** `powered off`: the guest ended by itself. `switched off`: the engine ended it. */
export type StopResult = 'powered off' | 'switched off'

export type Engine = {
  readonly name: string
  readonly offers: {
    /** A connection on which the guest reports its devices (run/guest-report.ts). */
    readonly report: boolean
    readonly console: boolean
  }
  /** Its version in its own words. Undefined where it is not installed, and for a file tree. */
  version(system: System): Promise<string | undefined>
  /** Throws AppError when a start would fail. Creates nothing. */
  check(system: System, vm: VmSpec, given: Given): void
  /** Throws AppError when the VM does not start, and leaves no process of it. */
  start(system: System, vm: VmSpec, given: Given): Promise<VmRecord>
  /** Every VM of this engine whose process is running. */
  running(system: System): VmRecord[]
  /** Asks the guest to power off, and switches the VM off after the timeout. */
  stop(system: System, vm: VmRecord, timeoutSeconds: number): Promise<StopResult>
  /** The serial console. */
  openConsole(system: System, name: string): Promise<Connection>
  /** The path of the socket behind `openConsole`, for other programs. */
  consoleSocket(system: System, name: string): string
  /** Throws AppError when nothing listens. */
  openReport(system: System, name: string): Promise<Connection>
  /**
   * The last lines of the console, or of the engine's log when the console is empty. Control characters are
   * removed.
   */
  lastWords(system: System, name: string, lines: number): string
  /** Role → the address at which the guest's firmware placed the function. */
  places(
    system: System,
    name: string,
    functions: readonly AssignedFunction[],
  ): Promise<ReadonlyMap<string, string>>
}
