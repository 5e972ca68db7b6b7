/**
 * Two boots of a host with two VMs: the group of one gained the disk of the host. QEMU is a stand-in; the
 * rest is the real program on a file tree.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkSchema } from '../../../src/api/check.ts'
import { statusSchema } from '../../../src/api/status.ts'
import { upSchema } from '../../../src/api/up.ts'
import { bootFolder } from '../../../src/app/boot-records.ts'
import { runUnit } from '../../../src/app/unit.ts'
import { startVms } from '../../../src/app/up.ts'
import { acceptBoot } from '../../../src/app/watch.ts'
import { runCheck } from '../../../src/cli/commands/check.ts'
import { runStatus } from '../../../src/cli/commands/status.ts'
import { runUp } from '../../../src/cli/commands/up.ts'
import { engine, runningVms } from '../../../src/engines/engines.ts'
import { diskEntries } from '../../support/disk-entries.ts'
import type { System } from '../../../src/machine/system.ts'
import { documentOf } from '../../support/documents.ts'
import { addDevice, put } from '../../support/fake-kernel.ts'
import { hostInForce, record, spec, type InForce } from '../../support/in-force.ts'
import { standInQemu } from '../../support/stand-in-qemu.ts'
import { addEntries } from '../../support/sysfs-tree.ts'

let host: InForce
const path = process.env['PATH'] ?? ''
// media needs nothing here: it may start while firewall stays down.
const alone = spec.replace('    needs: [firewall]\n', '')
const inGroup = { '0000:01:00.0': 1, '0000:01:00.1': 2, '0000:02:00.0': 3 }

beforeEach(() => build(alone))
afterEach(async () => {
  await stopAll()
  process.env['PATH'] = path
  host.end()
})

function build(specText: string): void {
  host = hostInForce({ ...record, specText })
  put(host.root, '/root/home.yaml', specText)
  const programs = join(host.root, 'programs')
  fs.mkdirSync(programs)
  process.env['PATH'] = `${programs}:${path}`
  standInQemu(programs, {})
  put(host.root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
  put(host.root, '/proc/sys/kernel/osrelease', '6.1.0-9-amd64\n')
  for (const [address, group] of Object.entries(inGroup)) setGroup(address, group)
}

async function stopAll(): Promise<void> {
  for (const vm of runningVms(host.system)) await engine.stop(host.system, vm, 0)
}

function setGroup(address: string, group: number): void {
  const device = fs.realpathSync(join(host.root, 'sys/bus/pci/devices', address))
  const groups = join(host.root, 'sys/kernel/iommu_groups')
  fs.rmSync(join(device, 'iommu_group'), { force: true })
  for (const id of fs.existsSync(groups) ? fs.readdirSync(groups) : [])
    fs.rmSync(join(groups, id, 'devices', address), { force: true })
  fs.mkdirSync(join(groups, String(group), 'devices'), { recursive: true })
  fs.symlinkSync(`../../../../bus/pci/devices/${address}`, join(groups, String(group), 'devices', address))
  fs.symlinkSync(join('../../../../kernel/iommu_groups', String(group)), join(device, 'iommu_group'))
}

/** The next boot: nothing runs, and the host has another boot id. */
async function boot(id: string, release = '6.1.0-9-amd64'): Promise<void> {
  await stopAll()
  put(host.root, '/proc/sys/kernel/random/boot_id', `${id}\n`)
  put(host.root, '/proc/sys/kernel/osrelease', `${release}\n`)
}

/** The controller of the host's disk comes into a group. */
function addDisk(group: number): void {
  const at = 'pci0000:00/0000:00:17.0'
  addDevice(host.root, {
    ...{ address: '0000:00:17.0', place: at, vendor: '8086', device: '2922', classCode: '010601' },
    driver: 'ahci',
  })
  setGroup('0000:00:17.0', group)
  addEntries(host.root, diskEntries(at, 'sda', 0, [1]))
}

/** What the kernel offers for the media VM's controller. */
const resets = (text: string) =>
  put(host.root, '/sys/devices/pci0000:00/0000:00:1c.1/0000:02:00.0/reset_method', text)

const gained = /gained 0000:00:17\.0, which the host uses \(\/ and driver ahci\)/

const up = () => host.run(runUp, [], {})
const names = () => runningVms(host.system).map(({ name }) => name)
const files = () => fs.readdirSync(join(host.root, bootFolder))
const file = (name: string) => join(host.root, bootFolder, name)

describe('the update watch', () => {
  it('records each boot before its first VM starts, and marks it when one has started', async () => {
    expect((await host.run(runCheck, [], {})).out).toMatch(/^no boot is known to be good yet/)
    await up()
    expect(files()).toEqual(['0001-boot.json', '0001-boot.started'])
    await boot('boot2', '6.12.48+deb13-amd64')
    const { out } = await up()
    expect(out).toContain(
      'different since the last good boot:\n  kernel: 6.1.0-9-amd64 → 6.12.48+deb13-amd64\n',
    )
    expect(names()).toEqual(['firewall', 'media'])
    expect(files()).toEqual(['0001-boot.json', '0001-boot.started', '0002-boot2.json', '0002-boot2.started'])
    expect((await up()).out).toBe('firewall runs already\nmedia runs already\n')
  })

  it('keeps the VM down whose group gained what the host may use, and starts the other', async () => {
    await up()
    await boot('boot2')
    addDisk(3)
    await expect(up()).rejects.toMatchObject({
      message: expect.stringMatching(gained) as string,
      help: expect.stringContaining('handover apply /root/home.yaml') as string,
    })
    expect(names()).toEqual(['firewall'])
    expect(files()).not.toContain('0002-boot2.started')
    // The next boot is compared with the good one, not with this one.
    await boot('boot3')
    await expect(up()).rejects.toThrow(/^media was not started: it is not safe since the last good boot\n/)
    expect(names()).toEqual(['firewall'])
  })

  it('keeps it down as a service, too, with the reason in its log', async () => {
    await up()
    await boot('boot2')
    addDisk(3)
    const events: string[] = []
    const run = (vm: string) => runUnit(host.system, vm, (event) => events.push(`${event.kind} ${event.vm}`))
    await expect(run('media')).rejects.toThrow(gained)
    await run('firewall')
    expect(events).toEqual([
      ...['host-changed media', 'host-changed firewall'],
      ...['starting firewall', 'started firewall'],
    ])
    expect(names()).toEqual(['firewall'])
  })

  it('starts it when a person has put it right in the same boot', async () => {
    await up()
    await boot('boot2')
    addDisk(3)
    await expect(up()).rejects.toThrow(gained)
    setGroup('0000:00:17.0', 9)
    await up()
    expect(names()).toEqual(['firewall', 'media'])
    expect(files()).toContain('0002-boot2.started')
  })

  it('keeps the VM down whose reset is gone, until a person has accepted the host as it is', async () => {
    resets('flr\n')
    await up()
    await boot('boot2')
    resets('\n')
    await expect(up()).rejects.toThrow('\n  0000:02:00.0: reset: flr → none')
    expect(names()).toEqual(['firewall'])
    expect(await acceptBoot(host.system)).toBeUndefined()
    await up()
    expect(names()).toEqual(['firewall', 'media'])
    await boot('boot3')
    expect((await up()).out).not.toContain('different')
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('leaves an optional device out, and starts its VM', async () => {
    const specText = alone.replace('disks: { class: storage }', 'disks: { class: storage, optional: true }')
    host.end()
    build(specText)
    resets('flr\n')
    await up()
    await boot('boot2')
    resets('\n')
    const { out } = await up()
    expect(out).toContain('\nmedia starts without disks: 0000:02:00.0: reset: flr → none\n')
    expect(names()).toEqual(['firewall', 'media'])
    expect(files()).not.toContain('0002-boot2.started')
    await boot('boot3')
    fs.rmSync(join(host.root, 'sys/bus/pci/devices/0000:02:00.0'))
    expect(await host.run(runCheck, [], {})).toMatchObject({
      ...{
        code: 0,
        out: expect.stringContaining('0000:02:00.0: the device is not there any more') as string,
      },
    })
    await up()
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('shows both in status and check, as text and as JSON', async () => {
    await up()
    expect((await host.run(runCheck, [], {})).out).toMatch(/^no boot is known to be good yet/)
    await boot('boot2', '6.12.0')
    expect(await host.run(runCheck, [], {})).toEqual({
      ...{ code: 0, err: '' },
      out: expect.stringMatching(
        /^different since the last good boot \(\S+, kernel 6\.1\.0-9-amd64\):\n {2}• kernel: 6\.1\.0-9-amd64 → 6\.12\.0\n$/,
      ) as string,
    })
    addDisk(3)
    const { code, out } = await host.run(runCheck, [], {})
    expect(code).toBe(1)
    expect(out.replaceAll(/\n {4}/g, ' ')).toMatch(
      /\n {2}✗ the IOMMU group of 0000:02:00\.0 .*; media must not start\n {2}• kernel/,
    )
    expect((await host.run(runStatus, [], {})).out).not.toContain('different')
    await expect(up()).rejects.toThrow(gained)
    expect((await host.run(runStatus, [], {})).out).toContain('✗ the IOMMU group of 0000:02:00.0')
    const checked = documentOf(checkSchema, (await host.run(runCheck, [], { json: true })).out)
    expect(checked).toMatchObject({
      ...{ safe: false, lastGood: { kernel: '6.1.0-9-amd64' } },
      differences: [
        { kind: 'kernel', before: ['6.1.0-9-amd64'], after: ['6.12.0'], unsafeFor: [] },
        { kind: 'group', about: ['0000:02:00.0'], unsafeFor: ['media'] },
      ],
    })
    const { changes } = documentOf(statusSchema, (await host.run(runStatus, [], { json: true })).out)
    expect(changes?.differences).toEqual(checked.differences)
  })

  it('tells it in the document of up', async () => {
    await up()
    await boot('boot2', '6.12.0')
    const { events } = documentOf(upSchema, (await host.run(runUp, [], { json: true })).out)
    expect(events[0]).toEqual({
      ...{ kind: 'host-changed', vm: 'firewall', differences: ['kernel: 6.1.0-9-amd64 → 6.12.0'] },
    })
  })

  it('keeps VMs with devices down where the last good record cannot be read', async () => {
    await up()
    await boot('boot2')
    fs.writeFileSync(file('0001-boot.json'), '{"schema":1')
    await expect(up()).rejects.toThrow(
      /what the last good boot was like is not known: .*0001-boot\.json is damaged/,
    )
    expect(names()).toEqual([])
    await expect(host.run(runCheck, [], {})).rejects.toMatchObject({
      message: expect.stringContaining('0001-boot.json is damaged') as string,
      exitCode: 1,
    })
    expect((await host.run(runStatus, [], {})).out).toContain('is not known: ')
    await acceptBoot(host.system)
    await up()
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('says that a boot cannot be marked as good, and runs the VMs', async () => {
    const system: System = {
      ...host.system,
      writeFile: (path, ...rest) => {
        if (path.endsWith('.started')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        host.system.writeFile(path, ...rest)
      },
    }
    const said: string[] = []
    await startVms(
      system,
      {},
      (event) => event.kind === 'unrecorded' && said.push(`${event.vm}: ${event.said}`),
    )
    const words = '/var/lib/handover/boots cannot be written (no space left)'
    expect(said).toEqual([`firewall: ${words}`, `media: ${words}`])
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('starts the VMs where this boot cannot be recorded, and says so', async () => {
    put(host.root, bootFolder, 'a file')
    const { out } = await up()
    expect(out).toMatch(/^this boot is not recorded: .*boots cannot be written \(/)
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('predicts what another kernel changes, for its VMs or for a capture', async () => {
    const asked = (release: string, more: object = {}) => host.run(runCheck, [], { kernel: release, ...more })
    put(host.root, '/proc/sys/kernel/osrelease', '6.12.74\n')
    const at = '/sys/devices/pci0000:00/0000:00:1c.1/0000:02:00.0'
    put(host.root, `${at}/vendor`, '0x1b21\n')
    put(host.root, `${at}/device`, '0x1164\n')
    resets('bus\n')
    const { code, out } = await asked('6.12.75')
    expect(code).toBe(1)
    expect(out).toContain('  • the reset of 0000:02:00.0 changes: bus → none (sure)\n')
    expect(out).toContain(
      'so these VMs would stay down:\n  ✗ 0000:02:00.0: reset: bus → none; media must not start\n',
    )
    expect(await asked('6.12.74')).toMatchObject({
      code: 0,
      out: expect.stringContaining('no such quirk') as string,
    })
    const document = documentOf(checkSchema, (await asked('6.12.75', { json: true })).out)
    expect(document).toMatchObject({
      ...{ safe: false, prediction: { kernel: '6.12.75', running: '6.12.74' } },
      differences: [{ kind: 'reset', unsafeFor: ['media'] }],
    })
    // The plan in force is not about another tree.
    const other = await asked('6.12.75', { from: host.root })
    expect(other).toMatchObject({ code: 0, out: expect.stringContaining('changes: bus → none') as string })
    await expect(asked('../x')).rejects.toMatchObject({ exitCode: 2 })
  })

  it('compares nothing with a capture', async () => {
    await expect(host.run(runCheck, [], { from: 'x' })).rejects.toMatchObject({ exitCode: 2 })
  })
})
