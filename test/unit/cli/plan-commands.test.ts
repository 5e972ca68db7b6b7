/**
 * plan, lock and savings as a user meets them: streams, files, exit codes, JSON. On file trees, never on this
 * machine.
 */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockSchema } from '../../../src/api/lock.ts'
import { planSchema } from '../../../src/api/plan.ts'
import { savingsSchema } from '../../../src/api/savings.ts'
import { beginJournal } from '../../../src/apply/journal.ts'
import { createContext } from '../../../src/cli/context.ts'
import { runLock } from '../../../src/cli/commands/lock.ts'
import { runPlan, type PlanOptions } from '../../../src/cli/commands/plan.ts'
import { runSavings } from '../../../src/cli/commands/savings.ts'
import { runToFindings, type Run } from '../../../src/cli/spec-errors.ts'
import { UsageError } from '../../../src/base/errors.ts'
import { documentOf } from '../../support/documents.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'
import { at as addressAt } from '../../support/host-builder.ts'

async function run(command: Run<PlanOptions>, file: string, options: PlanOptions = {}) {
  let [out, err] = ['', '']
  const context = {
    ...createContext(options),
    out: (text: string | Iterable<string>) => void (out += Array.from(text).join('')),
    err: (text: string) => void (err += text),
  }
  const code = await runToFindings(() => command([file], options, context), context)
  return { code, out, err }
}

const screen = 'version: 1\nvms:\n  a:\n    memory: 1 GiB\n    devices:\n      screen: { class: gpu }\n'

function specFile(text: string): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'handover-spec-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const file = join(folder, 'home.yaml')
  fs.writeFileSync(file, text)
  return file
}

const host: TreeEntries = {
  '/sys/class/iommu/dmar0': '',
  '/proc/meminfo': 'MemTotal:       16777216 kB\nMemAvailable:   16000000 kB\n',
  '/proc/cmdline': 'quiet\n',
  '/proc/self/mountinfo': '',
  '/proc/net/route': 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n',
  '/proc/bus/input/devices': '',
}
const port = (at: string, group: number) =>
  pci({ at, classCode: '060400', driver: 'pcieport', ids: '1b36:000c', group })
const gpu = (at: string, group: number, ids = '10de:1b80') =>
  pci({
    at,
    classCode: '030000',
    ids,
    driver: 'nouveau',
    group,
    files: { reset_method: 'flr bus\n', boot_vga: '0\n' },
  })

const one = () =>
  tree(host, port('pci0000:00/0000:00:1c.1', 1), gpu('pci0000:00/0000:00:1c.1/0000:01:00.0', 2))

describe('handover plan', () => {
  it('prints the plan, and says its findings elsewhere', async () => {
    const { code, out } = await run(runPlan, specFile(screen), { root: one() })
    expect(out).toContain('  screen  0000:01:00.0')
    expect(out).toContain('nouveau → vfio-pci')
    expect(code).toBe(0)
  })

  it('prints one JSON document with what outsiders rely on', async () => {
    const { code, out } = await run(runPlan, specFile(screen), { root: one(), json: true })
    const document = documentOf(planSchema, out)
    expect(code).toBe(0)
    expect(document).toMatchObject({
      schema: 1,
      assignments: [
        {
          vm: 'a',
          role: 'screen',
          address: '0000:01:00.0',
          identity: { path: '0000:00/1c.1/00.0' },
          moved: null,
        },
      ],
      takenAlong: [],
      spare: [],
      steps: [
        {
          kind: 'driver',
          address: '0000:01:00.0',
          before: { driver: 'nouveau', driverOverride: null },
          after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
        },
      ],
      needsReboot: false,
      memory: { pinnedMiB: 1024, hostTotalMiB: 16_384 },
    })
  })

  it('is the same text twice', async () => {
    const [file, root] = [specFile(screen), one()]
    expect(await run(runPlan, file, { root, json: true })).toEqual(
      await run(runPlan, file, { root, json: true }),
    )
  })

  it('ends with 10 for changes with --check, with 0 without changes, and with 1 for errors', async () => {
    const check = { root: one(), check: true }
    expect((await run(runPlan, specFile(screen), check)).code).toBe(10)
    expect((await run(runPlan, specFile(screen), { ...check, json: true })).code).toBe(10)
    expect((await run(runPlan, specFile(screen.replace('gpu', 'nvme')), check)).code).toBe(1)
    const noDevice = 'version: 1\nvms:\n  a:\n    memory: 1 GiB\n    autostart: false\n'
    expect((await run(runPlan, specFile(noDevice), check)).code).toBe(0)
  })

  it('ends with 1 for what is wrong in the world, with the place in the spec', async () => {
    const { code, out, err } = await run(runPlan, specFile(screen.replace('gpu', 'nvme')), { root: one() })
    expect(code).toBe(1)
    expect(out).toContain('No changes: the errors come first.')
    expect(err).toMatch(/error\[device-missing\].*\n {4}drive\n {2}--> .*home\.yaml:6:7\n/)
  })

  it('ends with 1 for a wrong value, and reads no host for it', async () => {
    const file = specFile(screen.replace('1 GiB', '16'))
    const { code, err } = await run(runPlan, file, { root: dirname(file) })
    expect(code).toBe(1)
    expect(err).toContain('error[spec-value]')
    expect(err.match(/error\[/g)).toHaveLength(1)
  })

  it.each(['', 'a: [', '\t'])('ends with 2 for %j, which is no spec', async (text) => {
    expect((await run(runPlan, specFile(text))).code).toBe(2)
    const { code, out } = await run(runPlan, specFile(text), { json: true })
    expect(code).toBe(2)
    expect(documentOf(planSchema, out)).toMatchObject({
      schema: 1,
      assignments: [],
      steps: [],
      findings: [{ code: 'spec-syntax' }],
    })
  })

  it('stops with 2 for a spec that is not there', async () => {
    await expect(run(runPlan, '/nonexistent/home.yaml')).rejects.toBeInstanceOf(UsageError)
  })
})

describe('handover lock', () => {
  it('writes home.lock beside the spec, and plan follows it', async () => {
    const file = specFile(screen.replace('class: gpu', 'address: "01:00.0"'))
    const written = await run(runLock, file, { root: one() })
    expect(written).toMatchObject({ code: 0, err: '' })
    expect(written.out).toMatch(/home\.lock\n {2}a\/screen +added {2}0000:00\/1c\.1\/00\.0/)
    // A card in a lower slot shifts the buses: the old address is another card of the same kind now.
    const shifted = tree(
      host,
      port('pci0000:00/0000:00:1c.0', 5),
      gpu('pci0000:00/0000:00:1c.0/0000:01:00.0', 6),
      port('pci0000:00/0000:00:1c.1', 1),
      gpu('pci0000:00/0000:00:1c.1/0000:02:00.0', 2),
    )
    const { code, out } = await run(runPlan, file, { root: shifted, json: true })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      assignments: [{ address: '0000:02:00.0', moved: { from: '0000:01:00.0', to: '0000:02:00.0' } }],
    })
    expect((await run(runLock, file, { root: shifted })).code).toBe(0)
    expect(JSON.parse((await run(runPlan, file, { root: shifted, json: true })).out)).toMatchObject({
      assignments: [{ address: '0000:02:00.0', moved: null }],
    })
  })

  it('settles what plan refuses: another card in the place', async () => {
    const file = specFile(screen)
    await run(runLock, file, { root: one() })
    const other = tree(
      host,
      port('pci0000:00/0000:00:1c.1', 1),
      gpu('pci0000:00/0000:00:1c.1/0000:01:00.0', 2, '1002:73bf'),
    )
    expect((await run(runPlan, file, { root: other })).err).toContain('error[device-replaced]')
    expect(await run(runLock, file, { root: other })).toMatchObject({ code: 0 })
    expect((await run(runPlan, file, { root: other })).code).toBe(0)
  })

  it('changes nothing when a role has no device', async () => {
    const file = specFile(screen.replace('gpu', 'nvme'))
    const { code, err } = await run(runLock, file, { root: one() })
    expect(code).toBe(1)
    expect(err).toContain('the lock was not written: no device for a/screen')
    expect(fs.existsSync(file.replace('.yaml', '.lock'))).toBe(false)
  })

  it('keeps a port findable by its MAC after its driver is gone', async () => {
    const at = 'pci0000:00/0000:00:1c.1/0000:01:00.0'
    const nic = (driver: string) => pci({ at, driver, group: 2, files: { reset_method: 'flr\n' } })
    const net = {
      [`/sys/devices/${at}/net/eth1/address`]: '52:54:00:00:00:77\n',
      [`/sys/devices/${at}/net/eth1/addr_assign_type`]: '0\n',
      [`/sys/devices/${at}/net/eth1/operstate`]: 'down\n',
      [`/sys/devices/${at}/net/eth1/flags`]: '0x1002\n',
      '/sys/class/net/eth1': `-> ../../devices/${at}/net/eth1`,
    }
    const file = specFile(screen.replace('class: gpu', 'mac: "52:54:00:00:00:77"'))
    const before = tree(host, port('pci0000:00/0000:00:1c.1', 1), nic('e1000e'), net)
    expect(await run(runLock, file, { root: before })).toMatchObject({ code: 0, err: '' })
    const bound = { ...nic('vfio-pci'), [`/sys/devices/${at}/driver_override`]: 'vfio-pci\n' }
    const after = tree(host, port('pci0000:00/0000:00:1c.1', 1), bound)
    const { code, out } = await run(runPlan, file, { root: after, json: true })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ assignments: [{ address: '0000:01:00.0' }], steps: [] })
  })

  it('that is broken stops plan with 2, and is replaced by lock', async () => {
    const file = specFile(screen)
    fs.writeFileSync(file.replace('.yaml', '.lock'), 'version: 7\n')
    expect((await run(runPlan, file, { root: one() })).code).toBe(2)
    expect((await run(runLock, file, { root: one() })).code).toBe(0)
    expect((await run(runPlan, file, { root: one() })).code).toBe(0)
  })

  it('says the same again without a change, byte by byte', async () => {
    const [file, root] = [specFile(screen), one()]
    await run(runLock, file, { root })
    const first = fs.readFileSync(file.replace('.yaml', '.lock'), 'utf8')
    const { out } = await run(runLock, file, { root, json: true })
    expect(documentOf(lockSchema, out)).toMatchObject({
      schema: 1,
      changes: [{ vm: 'a', role: 'screen', kind: 'unchanged' }],
    })
    expect(fs.readFileSync(file.replace('.yaml', '.lock'), 'utf8')).toBe(first)
  })
})

describe('handover savings', () => {
  it('shows every assumption, and what to measure', async () => {
    const { code, out } = await run(runSavings, specFile(screen))
    expect(code).toBe(0)
    expect(out).toContain('24 h a day, price of a kWh unknown, 5 years')
    expect(out).toContain('a plug-in meter')
    expect(out).not.toMatch(/NaN|Infinity|undefined|null/)
  })

  it('counts what the spec says', async () => {
    const figures =
      'savings: { price: 0.5, currency: CHF, hours-per-day: 24, host: { watts: 20, purchase: 0 }, ' +
      'replaced: [{ name: nas, watts: 60, purchase: 300 }] }\n'
    const { out } = await run(runSavings, specFile(screen + figures), { json: true })
    expect(documentOf(savingsSchema, out)).toMatchObject({
      schema: 1,
      assumptions: { currency: 'CHF', pricePerKWh: 0.5 },
      paidBackAfterYears: 0,
      toMeasure: [],
    })
    expect((JSON.parse(out) as { perYear: number }).perYear).toBeCloseTo(40 * 8.766 * 0.5, 6)
  })
})

describe('after an apply in force', () => {
  it('plan still finds the controller by the disk that no longer shows', async () => {
    const at = 'pci0000:00/0000:00:1c.1/0000:01:00.0'
    const bound = pci({
      at,
      classCode: '010601',
      ids: '8086:2922',
      driver: 'vfio-pci',
      group: 2,
      files: { reset_method: 'bus\n' },
    })
    const root = tree(host, port('pci0000:00/0000:00:1c.1', 1), bound, {
      [`/sys/devices/${at}/driver_override`]: 'vfio-pci\n',
    })
    const file = specFile(screen.replace('class: gpu', 'class: storage, disk: MEDIA-1'))
    expect((await run(runPlan, file, { root })).err).toContain('error[device-missing]')
    const identity = {
      path: '0000:00/1c.1/00.0',
      vendorId: '8086',
      deviceId: '2922',
      diskSerials: ['MEDIA-1'],
    }
    const system = createContext({ root }).system
    const record = {
      schema: 1,
      id: '0001',
      createdAt: '',
      version: '',
      bootId: '',
      planHash: '',
      needsReboot: false,
      takenAlong: [],
      spare: [],
      startOrder: ['a'],
      steps: [],
      saved: [],
    } as const
    const assignment = {
      vm: 'a',
      role: 'screen',
      address: addressAt('01:00.0'),
      identity,
      hostDriver: 'ahci',
      moved: null,
    }
    system.makeFolder('/var/lib/handover/journal/0001')
    const journal = beginJournal(system, { ...record, assignments: [assignment] })
    journal.append({ event: 'end', outcome: 'applied' })
    const { code, out } = await run(runPlan, file, { root, json: true })
    expect(JSON.parse(out)).toMatchObject({ assignments: [{ address: '0000:01:00.0' }], steps: [] })
    expect(code).toBe(0)
    journal.append({ event: 'end', outcome: 'rolled-back' })
    expect((await run(runPlan, file, { root })).code).toBe(1)
  })
})
