/**
 * Finds running watchdogs. A running watchdog resets the machine if no program feeds it, and without its
 * function it guards nothing (Documentation/ABI/testing/sysfs-class-watchdog).
 */
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import type { HostNeed } from '../../host.ts'
import type { NeedsRead } from '../ends.ts'
import { programName, type Process } from './processes.ts'

export function readWatchdogs(reading: Reading, processes: readonly Process[]): NeedsRead {
  const needs: HostNeed[] = []
  for (const name of namesIn(reading, '/sys/class/watchdog')) {
    const device = ownerOf(linkOf(reading, `/sys/class/watchdog/${name}`))
    if (device === undefined) continue
    const feeder = feederOf(processes, name)
    if (feeder === undefined && textOf(reading, `/sys/class/watchdog/${name}/state`) !== 'active') continue
    const what = feeder === undefined ? 'running watchdog' : `watchdog of ${programName(reading, feeder)}`
    needs.push({ kind: 'use', what, chain: [name], device, weight: 'spoken-for' })
  }
  return { needs, lost: [] }
}

/** /dev/watchdog is the old name of the first watchdog (drivers/watchdog/watchdog_dev.c). */
function feederOf(processes: readonly Process[], name: string): string | undefined {
  const paths = new Set([`/dev/${name}`, ...(name === 'watchdog0' ? ['/dev/watchdog'] : [])])
  return processes.find(({ open }) => open.some(({ path }) => paths.has(path)))?.pid
}
