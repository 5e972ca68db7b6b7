import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readHostFrom } from '../../src/sources/listings/read-from.ts'
import { judgeHost } from '../../src/judge/judge.ts'
import { inspectDocument } from '../../src/api/inspect-report.ts'
import { gunzip } from '../../src/machine/gunzip.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { runLab } from '../support/lab-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'handover-hosts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Boots a topology that is only looked at; its result and its capture. */
async function boot(name: string) {
  const capture = join(folder, `${name}.yaml`)
  const { status, result } = await runLab(`lab/${name}.yaml`, { options: ['--capture', capture] })
  const reading = readHostFrom(
    { name: capture, bytes: readFileSync(capture) },
    { openFolder: (root) => linuxSystem({ root }), gunzip },
  )
  if (!reading.ok) throw reading.error
  return { status, result, host: reading.host }
}

describe.each(['switches', 'amd'])('the lab host %s', (name) => {
  it('is captured as it is, by root and without privileges, and its groups are predicted', async () => {
    const { status, result, host } = await boot(name)
    expect(result.checks.filter((check) => check.result === 'fail')).toEqual([])
    expect(status).toBe(0)
    const report = inspectDocument(host, judgeHost(host))
    const kernel = report.groups
      .map((group) => group.devices.join(' '))
      .toSorted((a, b) => a.localeCompare(b))
    const predicted = (report.predictedGroups ?? [])
      .filter((group) =>
        group.some(
          (address) => host.devices.find((device) => device.address === address)?.iommuGroup !== undefined,
        ),
      )
      .map((group) => group.join(' '))
      .toSorted((a, b) => a.localeCompare(b))
    expect(kernel.length).toBeGreaterThan(10)
    expect(predicted).toEqual(expect.arrayContaining(kernel))
    const unproven = report.devices.filter((device) => device.findings.includes('isolation-unproven'))
    expect(unproven.map((device) => device.classCode)).toEqual(expect.arrayContaining(['010802', '010601']))
  })
})
