/**
 * `inspect` reads less than `plan` and `capture` do: what it reads is the same, on every recorded tree of the
 * corpus.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readHost } from '../../src/host/read/read-host.ts'
import { judgeHost } from '../../src/judge/judge.ts'
import type { PciDevice } from '../../src/pci/device.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { hasCorpus, corpusFolder } from './corpus.ts'

/** What no verdict rests on. */
function withoutDetails({
  config: _config,
  bars: _bars,
  driverOverride: _override,
  ...device
}: PciDevice): PciDevice {
  const { link: _link, sriov, ...rest } = device
  if (sriov === undefined) return rest
  const { driversAutoprobe: _autoprobe, functions: _functions, ...counts } = sriov
  return { ...rest, sriov: counts }
}

test.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'verdicts rest on the same facts, however much is read (needs ../shared/corpus)',
  () => {
    const snapshots = join(corpusFolder, 'snapshots')
    const archives = fs
      .readdirSync(snapshots)
      .flatMap((name) => ['sysfs.tar.gz', 'sysfs-derived.tar.gz'].map((file) => join(snapshots, name, file)))
      .filter((path) => fs.existsSync(path))
    let functions = 0
    for (const archive of archives) {
      const root = fs.mkdtempSync(join(tmpdir(), 'handover-detail-'))
      onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }))
      execFileSync('tar', ['-C', root, '-xzf', archive])
      const [less, all] = (['verdicts', 'all'] as const).map((detail) =>
        readHost(linuxSystem({ root }), undefined, detail),
      )
      if (!less || !all) throw new Error('unreachable')
      expect(less.devices.map(withoutDetails), archive).toEqual(all.devices.map(withoutDetails))
      expect(judgeHost(less), archive).toEqual(judgeHost(all))
      functions += less.devices.length
    }
    process.stdout.write(`${functions} functions of ${archives.length} trees\n`)
    expect(functions).toBeGreaterThan(200)
  },
)
