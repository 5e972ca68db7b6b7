/**
 * Every test run has a temporary folder of its own, so that no test sees what another program leaves in the
 * shared one. In memory where there is room for an installation and programs may run from it; thousands of
 * small trees are built there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const inMemory = '/dev/shm'
const neededBytes = 8 * 2 ** 30
/** With the process in its name, so that a later run removes what a killed one left in memory. */
const prefix = `handover-test-${process.pid}-`

export default function setup(): () => void {
  const folder = makeFolder(inMemory) ?? mkdtempSync(join(tmpdir(), prefix))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  return () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(folder, { recursive: true, force: true })
  }
}

function makeFolder(place: string): string | undefined {
  let folder: string | undefined
  try {
    const { bavail, bsize } = statfsSync(place)
    if (bavail * bsize < neededBytes) return undefined
    removeStale(place)
    folder = mkdtempSync(join(place, prefix))
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o755 })
    if (spawnSync(join(folder, 'program')).status === 0) return folder
  } catch {
    // There is no such place, or it is not for this user.
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  return undefined
}

function removeStale(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = /^handover-test-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(place, name), { recursive: true, force: true })
  }
}
