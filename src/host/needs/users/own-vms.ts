/**
 * VMs that this program itself started and that run now: by the record beside their sockets, and only where
 * the recorded process still is the one that was started. A name alone proves nothing, since any program can
 * claim it.
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
    // A half-written record is from a start that did not finish; its process was ended with it.
    return undefined
  }
}
