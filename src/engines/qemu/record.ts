/** Reads the record of a started VM, and checks whether its process is running. */
import { z } from 'zod'
import type { System } from '../../machine/system.ts'
import { vmRecordSchema, type VmRecord } from '../engine.ts'
import { vmRunFolder } from './vm-files.ts'

/**
 * The file also has the start time of the process, in clock ticks since the kernel's start (proc(5), stat
 * field 22).
 */
const storedSchema = vmRecordSchema.extend({ startTicks: z.exactOptional(z.string().max(32)) })

export type Stored = z.infer<typeof storedSchema>

/** The records of all VMs whose process is running. */
export function running(system: System): VmRecord[] {
  const names = system.list(vmRunFolder)
  return (names.ok ? names.value : []).flatMap((name) => {
    const stored = readRecord(system, name)
    if (stored === undefined || !isAlive(system, stored)) return []
    const { startTicks: _, ...record } = stored
    return [record]
  })
}

export function readRecord(system: System, name: string): Stored | undefined {
  const text = system.readText(`${vmRunFolder}/${name}/vm.json`)
  const record = text.ok ? storedSchema.safeParse(parseJson(text.value)) : undefined
  return record?.success && record.data.name === name ? record.data : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: there is no record.
    return undefined
  }
}

/**
 * The kernel may have given the pid to another process, so the command line is compared. A zombie has an
 * empty one.
 */
export function isAlive(system: System, record: Pick<Stored, 'name' | 'pid' | 'startTicks'>): boolean {
  if (!isQemuOf(system, String(record.pid), record.name)) return false
  return record.startTicks === undefined || record.startTicks === readStartTicks(system, record.pid)
}

export function isQemuOf(system: System, pid: string, name: string): boolean {
  return cmdlineOf(system, pid).includes(`\0${name},process=handover-${name}\0`)
}

export function cmdlineOf(system: System, pid: string): string {
  const cmdline = system.readText(`/proc/${pid}/cmdline`)
  return cmdline.ok ? cmdline.value : ''
}

/** Field 22 of /proc/PID/stat. The name in field 2 may contain spaces and parentheses. */
export function readStartTicks(system: System, pid: number): string | undefined {
  const stat = system.readText(`/proc/${pid}/stat`, 4096)
  return stat.ok ? stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ')[19] : undefined
}
