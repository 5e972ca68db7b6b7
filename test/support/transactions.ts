/**
 * What tests of applies and rollbacks share: devices of a tree, plans of given steps, fake generators, the
 * paths that steps name.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Step } from '../../src/steps/step.ts'
import { emptyPlan, type Plan } from '../../src/plan/types.ts'
import { address, identityOf, put, type FakeDevice } from './fake-kernel.ts'

export const nic: FakeDevice = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  vendor: '8086',
  device: '10d3',
  driver: 'e1000e',
}
export const sata: FakeDevice = {
  address: '0000:02:00.0',
  place: 'pci0000:00/0000:00:1c.1/0000:02:00.0',
  vendor: '8086',
  device: '2922',
  driver: 'ahci',
}

export const toVfio = (device: FakeDevice): Step => ({
  kind: 'driver',
  address: address(device.address),
  identity: identityOf(device),
  before: { driver: device.driver, driverOverride: null },
  after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
  why: 'given to a VM',
})

export const planOf = (steps: readonly Step[], facts: Partial<Plan> = {}): Plan => ({
  ...emptyPlan,
  ...facts,
  steps,
})

/** Whether a step names the path, by a pattern of outputs or as a folder above what it makes. */
export function named(steps: readonly Step[]): (path: string) => boolean {
  const names = steps.flatMap((step) =>
    step.kind === 'command' ? step.outputs : 'path' in step ? [step.path] : [],
  )
  const patterns = names.map(
    (path) => new RegExp(`^${path.replaceAll(/[.+]/g, String.raw`\$&`).replaceAll('*', '[^/]*')}$`),
  )
  return (path) =>
    patterns.some((pattern) => pattern.test(path)) || names.some((one) => one.startsWith(`${path}/`))
}

/** Lines of `differences` whose path no step names: the promise is that there are none. */
export function unplanned(changed: readonly string[], steps: readonly Step[]): string[] {
  const isNamed = named(steps)
  return changed.filter((line) => !isNamed(line.slice(0, line.indexOf(': '))))
}

/**
 * Puts shell scripts on PATH in place of generators; `$R` is the tree. Gives back what puts the old PATH
 * back.
 */
export function fakePrograms(
  root: string,
  scripts: Readonly<Record<string, string>>,
): { oldPath: string; end: () => void } {
  for (const [name, script] of Object.entries(scripts))
    put(root, `/bin-fake/${name}`, `#!/bin/sh\nR='${root}'\n${script}\n`, 0o755)
  const oldPath = process.env['PATH'] ?? ''
  process.env['PATH'] = `${join(root, 'bin-fake')}:${oldPath}`
  return {
    oldPath,
    end: () => {
      process.env['PATH'] = oldPath
      fs.rmSync(root, { recursive: true, force: true })
    },
  }
}
