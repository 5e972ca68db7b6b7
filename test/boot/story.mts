/**
 * What the stories with real tools share: one JSON line per check, the tree before and after, a host as on
 * hardware.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { readBoot } from '../../src/host/read/read-boot.ts'
import { readFiles } from '../../src/host/read/read-files.ts'
import { startReading } from '../../src/host/read/reading.ts'
import type { BootFacts } from '../../src/host/boot-facts.ts'
import type { Host } from '../../src/host/host.ts'
import type { Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'
import { planOf as plan } from '../support/transactions.ts'

export const system = linuxSystem()
export const check = (what: string, ok: boolean, evidence: unknown = '') =>
  console.log(JSON.stringify({ what, ok, evidence }))
export const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
export const report = (event: { kind: string; phase?: string; note?: string }) => {
  if (event.phase === 'failed' || event.kind === 'warning') console.log(JSON.stringify(event))
}

const snapshot = () => {
  const all = new Map<string, TreeEntry>()
  for (const folder of ['/etc', '/boot', '/usr/lib/dracut'])
    if (fs.existsSync(folder))
      for (const [path, entry] of snapshotTree(folder)) all.set(`${folder}${path}`, entry)
  return all
}

export function remember(): () => string[] {
  const before = snapshot()
  return () => differences(before, snapshot())
}

/** What this copy has of boot files, and the facts that a throw-away copy cannot have. */
export function hostWith(
  cmdline: string,
  isOn: boolean,
  release: string,
  facts: (found: BootFacts) => BootFacts,
): Host {
  return {
    schema: 1,
    source: { kind: 'live' },
    kernel: { release, cmdline },
    cpu: {},
    memory: {},
    iommu: { state: isOn ? 'on' : 'off', kind: 'intel' },
    devices: [],
    groups: [],
    needs: [],
    boot: facts(readBoot(system)),
    files: readFiles(startReading(system)),
    findings: [],
  }
}

export const identities = [
  { path: '0000:00/1c.0/00.0', vendorId: '8086', deviceId: '10d3', deviceSerialNumber: '525400fffe123456' },
]

export const planOf = (steps: readonly Step[]) => plan(steps, { needsReboot: true })
