import { afterEach, beforeEach, expect, it } from 'vitest'
import { rmSync } from 'node:fs'
import { runGreet } from '../../../src/cli/commands/greet.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { hostInForce, type InForce } from '../../support/in-force.ts'
import { tempTree } from '../../support/fake-kernel.ts'
import { runCommand } from '../../support/run-command.ts'

let host: InForce
beforeEach(() => (host = hostInForce()))
afterEach(() => host.end())

it('names the VMs of the plan in force, and how to start them', async () => {
  const { code, out } = await host.run(runGreet, [], {})
  expect(code).toBe(0)
  expect(out).toContain('State  firewall stopped, media stopped')
  expect(out).toMatch(/Next +handover up/)
})

it('begins with a look where nothing was applied', async () => {
  const root = tempTree()
  const { out } = await runCommand(linuxSystem({ root }), runGreet, [], {})
  rmSync(root, { recursive: true, force: true })
  expect(out).toContain('State  nothing was applied on this host')
  expect(out).toMatch(/Next +handover inspect/)
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})
