/**
 * The real lspci over the corpus's sysfs trees, in every verbosity, read back from its text and held against
 * the same tree read directly: whatever the text states must be what the tree states. Prints how many facts
 * were compared.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PciDevice } from '../../src/pci/device.ts'
import type { Host } from '../../src/host/host.ts'
import { readHostFrom } from '../../src/sources/listings/read-from.ts'
import { predictGroups } from '../support/groups.ts'
import { comparePairs, renderPairs } from '../unit/pci/pairs.ts'
import { corpusFolder, hasCorpus, importSystem } from './corpus.ts'

const hasLspci = spawnSync('lspci', ['--version']).status === 0

const modes: readonly (readonly string[])[] = [
  [],
  ['-n'],
  ['-nn'],
  ['-D', '-nn'],
  ['-PP', '-nn'],
  ['-P', '-nnv'],
  ['-nnk'],
  ['-v'],
  ['-nnv'],
  ['-vvv'],
  ['-nnvvv'],
  ['-mm'],
  ['-nn', '-mm'],
  ['-nn', '-vmm', '-k'],
  ['-xxxx'],
  ['-nnvvvxxxx'],
]

/** What a listing may state, with what it says in other words taken to one form. */
function statedFacts(device: PciDevice): Record<string, unknown> {
  const { facts } = device
  const known = (value: unknown) => (value === null ? undefined : value)
  return {
    vendorId: device.vendorId,
    deviceId: device.deviceId,
    subsystemVendorId: device.subsystemVendorId,
    subsystemId: device.subsystemId,
    class: device.classCode?.slice(0, 4),
    revision: device.revision,
    driver: known(device.driver),
    iommuGroup: known(device.iommuGroup),
    numaNode: device.numaNode,
    parent: device.parent,
    secondaryBus: device.secondaryBus,
    subordinateBus: device.subordinateBus,
    config: device.config,
    deviceSerialNumber: device.deviceSerialNumber,
    link: device.link?.maxWidth,
    headerType: facts?.headerType ?? device.headerType,
    portType: facts?.portType,
    flr: facts?.flr,
    afFlr: facts?.afFlr,
    acs: facts?.acs?.capability,
    acsControl: facts?.acs?.control,
    sriov: facts?.sriov?.totalVfs,
    firstVf: facts?.sriov?.firstVfOffset,
    noSoftReset: facts?.power?.noSoftReset,
    msi: facts?.msiVectors,
    msix: facts?.msixVectors,
    ari: facts?.ari,
    vpd: facts?.vpd,
    slot: facts?.slotNumber,
  }
}

function compare(
  mode: string,
  tree: Host,
  text: Host,
): { readonly compared: number; readonly wrong: readonly string[] } {
  const wrong: string[] = []
  let compared = 1
  const addresses = (host: Host) => host.devices.map((d) => d.address).join(' ')
  // `-P` prints places: without bus numbers on the way, a function cannot be named.
  if (addresses(tree) !== addresses(text) && !mode.includes(' -P ')) wrong.push(`${mode}: other functions`)
  const direct = new Map(tree.devices.map((d) => [d.address, d]))
  for (const device of text.devices) {
    const same = direct.get(device.address)
    if (!same) continue
    const [a, b] = [statedFacts(device), statedFacts(same)]
    for (const [key, value] of Object.entries(a)) {
      // `(rev ff)` is what lspci prints of a function it cannot read.
      if (value === undefined || (key === 'revision' && value === 'ff')) continue
      const other = b[key]
      if (
        key === 'config' &&
        typeof value === 'string' &&
        typeof other === 'string' &&
        other.startsWith(value)
      ) {
        compared += 1
        continue
      }
      compared += 1
      if (JSON.stringify(value) !== JSON.stringify(other))
        wrong.push(
          `${mode}: ${device.address} ${key}: lspci ${JSON.stringify(value)}, tree ${JSON.stringify(other)}`,
        )
    }
  }
  return { compared, wrong }
}

test.skipIf((!hasCorpus || !hasLspci) && process.env['CI'] !== 'true')(
  'what lspci prints of a tree is read as what the tree states (needs lspci and ../shared/corpus)',
  () => {
    const wrong: string[] = []
    const counts = new Map<string, number>()
    const pairs: ReturnType<typeof comparePairs>[] = []
    for (const id of fs.readdirSync(join(corpusFolder, 'snapshots'))) {
      const archive = ['sysfs.tar.gz', 'sysfs-derived.tar.gz']
        .map((name) => join(corpusFolder, 'snapshots', id, name))
        .find((path) => fs.existsSync(path))
      if (archive === undefined) continue
      const folder = fs.mkdtempSync(join(tmpdir(), 'handover-lspci-'))
      execFileSync('tar', ['xzf', archive, '-C', folder])
      const tree = readHostFrom({ name: id, folder }, importSystem)
      for (const mode of modes) {
        const run = spawnSync('lspci', ['-O', `sysfs.path=${folder}/sys/bus/pci`, ...mode], {
          encoding: 'utf8',
          maxBuffer: 2 ** 27,
        })
        // Some trees lack the files lspci insists on, and it stops in the middle.
        if (run.status !== 0 || !tree.ok) continue
        const text = readHostFrom({ name: id, bytes: new TextEncoder().encode(run.stdout) }, importSystem)
        if (!text.ok) {
          wrong.push(`${id} ${mode.join(' ')}: ${text.error.message}`)
          continue
        }
        const result = compare(`${id} lspci ${mode.join(' ')}`, tree.host, text.host)
        counts.set(mode.join(' '), (counts.get(mode.join(' ')) ?? 0) + result.compared)
        wrong.push(...result.wrong)
        const isDeep = text.host.devices.some((d) => d.facts?.depth === 'extended')
        const actual = new Map(
          tree.host.groups.flatMap((g) => g.devices.map((a) => [a, String(g.id)] as const)),
        )
        if (isDeep && actual.size > 0)
          pairs.push(comparePairs(`lspci ${mode.join(' ')}`, predictGroups(text.host.devices), actual))
      }
      fs.rmSync(folder, { recursive: true })
    }
    const lines = [...counts].map(
      ([mode, count]) => `${`lspci ${mode}`.padEnd(24)}${String(count).padStart(8)}`,
    )
    console.log(
      [
        ...lines,
        `${wrong.length} differ`,
        ...wrong.slice(0, Number(process.env['HANDOVER_SHOW'] ?? 30)),
      ].join('\n'),
    )
    expect(wrong).toEqual([])
    // However little a verbosity prints, what is predicted from it with high confidence is right.
    process.stdout.write(`${renderPairs(pairs)}\n`)
    expect(
      pairs.flatMap((p) => [...p.wrongHigh, ...p.wrongHighGroups].map((what) => `${p.machine}: ${what}`)),
    ).toEqual([])
    expect([...counts.values()].every((count) => count > 1000)).toBe(true)
  },
)
