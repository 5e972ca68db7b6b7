/**
 * Every tree of the cases, where they are there, read directly and through a capture of it: the same
 * verdicts, for the same reasons.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { captureHost } from '../../src/sources/capture/capture.ts'
import { parseCapture } from '../../src/sources/capture/parse-capture.ts'
import type { Host } from '../../src/host/host.ts'
import { readHost } from '../../src/host/read/read-host.ts'
import { judgeHost } from '../../src/judge/judge.ts'
import { inspectDocument } from '../../src/api/inspect-report.ts'
import { linuxSystem } from '../../src/machine/linux.ts'

const folder = join(import.meta.dirname, '../../../shared/cases')
const cases = existsSync(folder)
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'root.tar.gz')))
  : []

/** What of a report holds no name that a capture has a stand-in for. */
function verdictsOf(host: Host) {
  const { devices, groups, iommu, findings, predictedGroups } = inspectDocument(host, judgeHost(host))
  return {
    devices: devices.map((device) => ({
      address: device.address,
      verdict: device.verdict,
      findings: device.findings,
      neededBy: device.neededBy.length,
      driver: device.driver,
      resetMethods: device.resetMethods,
    })),
    groups,
    iommu,
    predictedGroups,
    findings: findings.map(({ code, severity, about }) => ({ code, severity, about })),
    needs: host.needs.map(({ kind, device, weight, chain }) => ({
      kind,
      device,
      weight,
      length: chain.length,
    })),
    lost: (host.lostNeeds ?? []).map(({ kind, couldBe }) => ({ kind, couldBe })),
    unread: host.unreadNeeds,
  }
}

describe('a capture of a tree of the cases', () => {
  it.skipIf(cases.length === 0 && process.env['CI'] !== 'true')(
    'is there to be tried (needs ../shared/cases)',
    () => {
      expect(cases.length).toBeGreaterThan(50)
    },
  )
  it.each(cases)('%s', (name) => {
    const root = mkdtempSync(join(tmpdir(), 'handover-case-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    execFileSync('tar', ['-xzf', join(folder, name, 'root.tar.gz'), '-C', root])
    const system = linuxSystem({
      root: existsSync(join(root, 'sys')) ? root : join(root, readdirSync(root)[0] ?? ''),
    })
    const direct = readHost(system)
    const replayed = parseCapture(captureHost(system, 'test').text, name)
    expect(replayed.ok && verdictsOf(replayed.host)).toEqual(verdictsOf(direct))
  })
})
