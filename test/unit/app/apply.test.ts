/**
 * What apply asks, decides and refuses, whoever calls it: below the command line, on a tree with a kernel
 * that answers.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applySpec, type Applied, type ApplyCaller } from '../../../src/app/apply.ts'
import { bootFolder, listBoots } from '../../../src/app/boot-records.ts'
import { SpecError } from '../../../src/app/spec-error.ts'
import { takeBack } from '../../../src/app/rollback.ts'
import { readJournals } from '../../../src/apply/journal.ts'
import type { System } from '../../../src/machine/system.ts'
import { fakeKernel, fakeSysfs, put, tempTree, type FakeDevice } from '../../support/fake-kernel.ts'

const disks: FakeDevice = {
  ...{ address: '0000:01:00.0', place: 'pci0000:00/0000:00:1c.0/0000:01:00.0', group: 1 },
  ...{ vendor: '8086', device: '2922', driver: 'ahci', classCode: '010601' },
}
const drivers = { ahci: ['8086:2922'], 'vfio-pci': [] }
const spec = `version: 1
vms:
  box:
    memory: 64 MiB
    devices: { disks: { class: storage } }
`

let root = ''
let system: System
beforeEach(() => {
  root = tempTree()
  fakeSysfs(root, [disks], drivers)
  put(root, '/sys/class/iommu/dmar0/version', '1\n')
  fs.mkdirSync(join(root, 'sys/kernel/iommu_groups/1/devices'), { recursive: true })
  fs.symlinkSync(
    '../../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0',
    join(root, 'sys/kernel/iommu_groups/1/devices/0000:01:00.0'),
  )
  put(root, '/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/reset_method', 'flr\n')
  put(root, '/proc/self/mountinfo', '22 1 0:20 / / rw - tmpfs none rw\n')
  put(root, '/proc/net/route', 'Iface\n')
  put(root, '/proc/swaps', 'Filename\n')
  put(root, '/proc/bus/input/devices', '')
  put(root, '/proc/cmdline', 'quiet\n')
  put(root, '/proc/meminfo', 'MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n')
  put(root, '/proc/sys/kernel/random/boot_id', 'boot\n')
  put(root, '/home.yaml', spec)
  system = fakeKernel(root, drivers)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const driver = () => {
  const path = join(root, 'sys/bus/pci/devices/0000:01:00.0/driver')
  return fs.readlinkSync(path).split('/').at(-1)
}
const applied = (caller: ApplyCaller = {}, hash?: string) =>
  applySpec(
    system,
    { spec: join(root, 'home.yaml'), choices: { boot: false }, ...(hash === undefined ? {} : { hash }) },
    caller,
  )
const never = () => Promise.reject(new Error('nobody is asked'))
const asking = (goOn: () => Promise<boolean>): ApplyCaller => ({ questions: { forWord: never, goOn } })
const errorsOf = ({ outcome, planned }: Applied) =>
  outcome === 'has-errors' &&
  planned.plan.findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)
const isUntouched = () => driver() === 'ahci' && readJournals(system).length === 0

describe('apply', () => {
  it('shows the plan first, then does it, and finds nothing left to do', async () => {
    const seen: string[] = []
    const result = await applied({
      show: ({ plan }, hash) => seen.push(`shown ${plan.steps.length} ${hash.length > 8}`),
      report: (event) => seen.push(event.kind),
      attend: async (run) => {
        seen.push('begins')
        return await run().finally(() => seen.push('ends'))
      },
    })
    expect(result).toMatchObject({ outcome: 'ended', result: { outcome: 'applied' }, open: { steps: [] } })
    expect(seen).toEqual(['shown 1 true', 'begins', 'begun', 'step', 'step', 'ends'])
    expect(driver()).toBe('vfio-pci')
    expect((await takeBack(system, undefined)).outcome).toBe('ended')
    expect(driver()).toBe('ahci')
  })

  it('makes this boot the good one, also where there is nothing to do, and not where it fails', async () => {
    const good = () => {
      const listed = listBoots(system)
      return listed.ok && listed.boots.map(({ bootId, goodBy }) => [bootId, ...goodBy].join(' '))
    }
    await applied(asking(() => Promise.resolve(false)))
    expect(good()).toEqual([])
    await applied()
    expect(good()).toEqual(['boot accepted'])
    put(root, '/proc/sys/kernel/random/boot_id', 'boot2\n')
    put(root, '/home.yaml', spec.replace('storage', 'gpu'))
    expect((await applied()).outcome).toBe('has-errors')
    expect(good()).toEqual(['boot accepted'])
    put(root, '/home.yaml', spec)
    expect(await applied()).toMatchObject({ result: { outcome: 'nothing-to-do' } })
    expect(good()).toEqual(['boot accepted', 'boot2 accepted'])
  })

  it('is done where the boot cannot be recorded, and says so', async () => {
    put(root, bootFolder, 'a file')
    const result = await applied()
    expect(result).toMatchObject({ result: { outcome: 'applied' } })
    expect(result).toMatchObject({ unrecorded: expect.stringContaining('cannot be written') as string })
  })

  it('changes nothing where the answer is no', async () => {
    expect((await applied(asking(() => Promise.resolve(false)))).outcome).toBe('declined')
    expect(isUntouched()).toBe(true)
  })

  it('changes nothing where the host became another one during the question', async () => {
    const meanwhile = () => {
      fs.writeFileSync(join(root, 'sys/bus/pci/devices/0000:01:00.0/device'), '0x2923\n')
      return Promise.resolve(true)
    }
    await expect(applied(asking(meanwhile))).rejects.toMatchObject({
      ...{
        message: expect.stringMatching(/^the plan is \S+, not \S+; nothing was changed$/) as string,
        exitCode: 3,
      },
    })
    expect(isUntouched()).toBe(true)
  })

  it('does no other plan than the one named, by the whole hash or its beginning', async () => {
    await expect(applied({}, '0123456789abcdef')).rejects.toThrow(
      ', not 0123456789abcdef; nothing was changed',
    )
    expect(isUntouched()).toBe(true)
    let known = ''
    await expect(applied({ show: (_, hash) => void (known = hash) }, 'ff')).rejects.toThrow(
      ', not ff; nothing was changed',
    )
    expect((await applied({}, known.slice(0, 8))).outcome).toBe('ended')
  })

  it('does nothing for a plan or a spec with errors', async () => {
    put(root, '/home.yaml', spec.replace('storage', 'gpu'))
    expect(errorsOf(await applied())).toEqual(['device-missing'])
    put(root, '/home.yaml', spec.replace('64 MiB', '64'))
    await expect(applied()).rejects.toBeInstanceOf(SpecError)
    expect(isUntouched()).toBe(true)
  })

  it('gives no device away while the IOMMU is off', async () => {
    fs.rmSync(join(root, 'sys/class/iommu'), { recursive: true })
    fs.rmSync(join(root, 'sys/kernel/iommu_groups'), { recursive: true })
    fs.rmSync(join(root, 'sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/iommu_group'))
    put(root, '/sys/firmware/acpi/tables/DMAR', 'DMAR')
    expect(errorsOf(await applied())).toEqual(['iommu-off'])
    expect(isUntouched()).toBe(true)
  })
})
