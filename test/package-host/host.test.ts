/** A plain Debian with nothing but the package, by real reboots (lab/package.yaml). */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLab, type LabRun } from '../support/lab-run.ts'
import { makeOlder, olderVersion } from '../support/older-package.ts'
import { whyNoReboot } from '../support/reboot-needs.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const reason = whyNoReboot('debian-grub')

const checks: readonly (readonly [name: string, evidence: RegExp])[] = [
  ['the host has neither the tool nor Node', /neither found/],
  ['installing changes no configuration and no driver', /facts compared/],
  ['installing starts nothing', /no unit, no process/],
  [
    'the trial waits on under the new version, which reads the journal of the old one',
    new RegExp(`^${version}; `),
  ],
  ['after upgrade and restart the IOMMU is on', /intel_iommu=on/],
  [
    'after upgrade and restart every assigned device is on vfio-pci',
    /(?:0000:0\d:00\.\d vfio-pci(?:; )?){4}/,
  ],
  ['after upgrade and restart no driver of the host ever touched them', /4 functions named by no driver/],
  ['removing is refused while devices are handed over', /Handover is not removed/],
  ['after rollback, restart and purge every file is as at the beginning', /facts compared/],
  ['after rollback, restart and purge every driver is as at the beginning', /functions compared/],
  ['nothing of the tool is left', /no folder, no user/],
]

describe.skipIf(reason)(`a plain Debian${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let work = ''
  let run: LabRun
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'handover-package-host-'))
    const packages = join(work, 'packages')
    mkdirSync(packages)
    const built = spawnSync(process.execPath, ['scripts/package.mjs', '--out', packages], {
      encoding: 'utf8',
    })
    if (built.status !== 0) throw new Error(built.stderr)
    renameSync(join(packages, `handover_${version}_amd64.deb`), join(packages, 'newer.deb'))
    makeOlder(join(packages, 'newer.deb'), join(packages, 'older.deb'), join(work, 'older'))
    copyFileSync('lab/package.yaml', join(work, 'package.yaml'))
    cpSync('lab/specs', join(work, 'specs'), { recursive: true })
    run = await runLab(join(work, 'package.yaml'))
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('tells its story to the end', () => {
    expect(run.result.checks.filter((check) => check.result === 'fail')).toEqual([])
    expect(run.status).toBe(0)
  })

  it.each(checks)('holds: %s', (name, evidence) => {
    const check = run.result.checks.find((candidate) => candidate.name === name)
    expect(check?.result).toBe('pass')
    expect(check?.evidence).toMatch(evidence)
  })

  it('is upgraded from a lower version', () => {
    const installed = run.result.session.flatMap(({ lines }) =>
      lines.flatMap((line) => /^Setting up handover \((.*)\)/.exec(line)?.[1] ?? []),
    )
    expect(installed).toEqual([olderVersion, version])
  })
})
