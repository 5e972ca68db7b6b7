/** What commands take for the plan in force and its spec, and the host that planning looks at. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readInForce } from '../../../src/app/in-force.ts'
import { readPlanningHost } from '../../../src/app/planning-host.ts'
import { SpecError } from '../../../src/app/spec-error.ts'
import { isWhole } from '../../../src/pci/identity.ts'
import type { Lock } from '../../../src/spec/lock.ts'
import { hostInForce, record, spec, type InForce } from '../../support/in-force.ts'

let host: InForce
beforeEach(() => (host = hostInForce()))
afterEach(() => host.end())

const read = (file?: string) => readInForce(host.system, file)
const journal = (id: string, text: string) => {
  fs.mkdirSync(join(host.root, `var/lib/handover/journal/${id}`), { recursive: true })
  fs.writeFileSync(join(host.root, `var/lib/handover/journal/${id}/record.json`), text)
}
const without = (made: Parameters<typeof hostInForce>[0]) => {
  host.end()
  host = hostInForce(made)
}

const thrown = (run: () => unknown) => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('the plan in force', () => {
  it('comes with the spec it was made from', () => {
    const { record: found, spec: parsed } = read()
    expect(found).toEqual(record)
    expect(parsed.vms.map(({ name }) => name)).toEqual(['firewall', 'media'])
  })

  it('comes with another spec where one is named', () => {
    fs.writeFileSync(join(host.root, 'root/other.yaml'), spec.replaceAll('media', 'films'))
    expect(read('/root/other.yaml').spec.vms.map(({ name }) => name)).toEqual(['firewall', 'films'])
  })

  it('is none where nothing was applied', () => {
    without(null)
    expect(read).toThrow('no plan is in force on this host')
  })

  it('is not known where the only journal is damaged, which is no proof that there is none', () => {
    without(null)
    journal('0001', '{ torn')
    expect(read).toThrow(/^journal 0001: .*; what is in force is not known$/)
  })

  it('needs a spec that is named, there, and without errors', () => {
    const { spec: _spec, ...nameless } = record
    without(nameless)
    expect(read).toThrow('the journal does not name a spec')
    expect(() => read('/root/none.yaml')).toThrow('/root/none.yaml cannot be read (ENOENT)')
    fs.writeFileSync(join(host.root, 'root/home.yaml'), 'version: 1\nvms: { a: { memroy: 1 GiB } }\n')
    const wrong = thrown(() => read('/root/home.yaml'))
    expect(wrong).toBeInstanceOf(SpecError)
    expect(wrong).toMatchObject({
      ...{ message: '/root/home.yaml has errors', exitCode: 2 },
      findings: [
        { code: 'spec-value' },
        { code: 'spec-unknown-key', at: { file: '/root/home.yaml', line: 2 } },
      ],
    })
    expect((wrong as SpecError).sources.get('/root/home.yaml')).toContain('memroy')
  })
})

describe('the host that planning looks at', () => {
  const serials = async (lock?: Lock) => {
    const found = await readPlanningHost(host.system, undefined, lock === undefined ? {} : { lock })
    return found.devices.map((device) => [
      ...(device.networkInterfaces ?? []).map(({ permanentMac }) => permanentMac),
      ...(device.disks ?? []).map(({ serial }) => serial),
    ])
  }

  it('knows of devices on vfio-pci what the plan in force recorded', async () =>
    expect(await serials()).toEqual([['52:54:00:00:00:01'], ['52:54:00:00:00:02'], ['DISK-1', 'DISK-2']]))

  it('knows nothing of the kind where no plan is in force', async () => {
    without(null)
    expect(await serials()).toEqual([[], [], []])
  })

  it('knows of them what the lock says, too', async () => {
    without(null)
    const [, , disks] = record.assignments
    if (!disks) throw new Error('no disks')
    if (!isWhole(disks.identity)) throw new Error('not whole')
    const { vm, role, identity, address } = { ...disks, identity: disks.identity }
    const lock: Lock = { version: 1, devices: [{ vm, role, wanted: {}, address, identity }] }
    expect(await serials(lock)).toEqual([[], [], ['DISK-1', 'DISK-2']])
  })

  it('takes no serial for another device in the place', async () => {
    fs.writeFileSync(join(host.root, 'sys/bus/pci/devices/0000:01:00.0/device'), '0x1521\n')
    expect(await serials()).toEqual([[], ['52:54:00:00:00:02'], ['DISK-1', 'DISK-2']])
  })
})
