/**
 * Finds running VMs that Handover started. The record beside their sockets counts only if the recorded
 * process is still the one that was started. A name proves nothing, since any program can use it.
 */
import { runFolder } from '../../../base/own-folders.ts'
import { argumentsOf } from './processes.ts'
import { namesIn, textOf, type Reading } from '../../read/reading.ts'

const limit = 1024

/** Process id → name of the VM. */
export function readOwnVms(reading: Reading): Map<string, string> {
  const own = new Map<string, string>()
  const folder = `${runFolder}/vm`
  for (const name of namesIn(reading, folder).slice(0, limit)) {
    const pid = recordedPid(textOf(reading, `${folder}/${name}/vm.json`), name)
    if (pid === undefined) continue
    if (argumentsOf(reading, pid).includes(`${name},process=handover-${name}`)) own.set(pid, name)
  }
  return own
}

function recordedPid(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined
  try {
    const record = JSON.parse(text) as { readonly name?: unknown; readonly pid?: unknown } | null
    return record?.name === name && Number.isSafeInteger(record.pid) ? String(record.pid) : undefined
  } catch {
    // A half-written record comes from a start that did not finish, and its process was ended.
    return undefined
  }
}
