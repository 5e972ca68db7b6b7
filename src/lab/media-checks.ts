/** Checks of the disks behind the lab's cards, after a run. */
import type { System } from '../machine/system.ts'
import type { MediaDisks } from './media-disks.ts'
import type { LabLog } from './result.ts'

export function hashDisks(system: System, media: MediaDisks): Map<string, string> {
  return new Map([...media.images].map(([serial, image]) => [serial, system.work.sha256File(image)]))
}

export function checkDisks(
  log: LabLog,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): void {
  const changed = [...before].filter(([serial, hash]) => after.get(serial) !== hash).map(([serial]) => serial)
  log.check(
    "the media disks' bytes are unchanged",
    before.size > 0 && changed.length === 0,
    changed.length > 0
      ? `changed: ${changed.join(', ')}`
      : [...before].map(([serial, hash]) => `${serial} ${hash.slice(0, 16)}…`).join('; '),
  )
}

/** A file system that a guest wrote to and unmounted needs no repair. */
export async function checkFileSystems(system: System, log: LabLog, { images }: MediaDisks): Promise<void> {
  for (const [serial, image] of images) {
    const checked = await system.exec(['e2fsck', '-fn', image], { timeoutSeconds: 120 })
    const words = checked.stdout.trim().split('\n').at(-1) ?? ''
    log.check(`the file system of ${serial} is clean`, checked.status === 0, words)
  }
}
