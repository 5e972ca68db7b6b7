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

  it('is the one that was applied, whatever the file holds since', () => {
    without({ ...record, specText: spec })
    expect(read()).not.toHaveProperty('changed')
    fs.writeFileSync(join(host.root, 'root/home.yaml'), `# a comment\n${spec}`)
    expect(read()).not.toHaveProperty('changed')
    const disk = spec.replace('    needs: [firewall]', '    disks: [{ path: /dev/vda, format: raw }]')
    fs.writeFileSync(join(host.root, 'root/home.yaml'), disk)
    expect(read()).toMatchObject({ changed: { file: '/root/home.yaml', vms: ['media'] } })
    expect(read().spec.vms.flatMap(({ disks }) => disks)).toEqual([])
    for (const broken of ['version: 1\nvms: {}\n', ': no yaml', undefined]) {
      if (broken === undefined) fs.rmSync(join(host.root, 'root/home.yaml'))
      else fs.writeFileSync(join(host.root, 'root/home.yaml'), broken)
      expect(read().spec.vms).toHaveLength(2)
      expect(read().changed?.vms).toEqual(['firewall', 'media'])
    }
  })

  it('refuses another spec that is named, and takes one that means the same', () => {
    without({ ...record, specText: spec })
    fs.writeFileSync(join(host.root, 'root/same.yaml'), `# the same\n${spec}`)
    expect(read('/root/same.yaml').spec).toEqual(read().spec)
    fs.writeFileSync(join(host.root, 'root/other.yaml'), spec.replaceAll('media', 'films'))
    expect(() => read('/root/other.yaml')).toThrow(
      '/root/other.yaml is not the spec that was applied; nothing was done',
    )
    expect(() => read('/root/none.yaml')).toThrow('/root/none.yaml cannot be read (ENOENT)')
  })

  it('of a journal without the text is the file that the journal names, and no other', () => {
    expect(read('/root/home.yaml').spec.vms).toHaveLength(2)
    fs.writeFileSync(join(host.root, 'root/other.yaml'), spec)
    expect(() => read('/root/other.yaml')).toThrow(
      '/root/other.yaml is not the spec that was applied (/root/home.yaml); nothing was done',
    )
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
    without({ ...record, spec: '/root/none.yaml' })
    expect(read).toThrow('/root/none.yaml cannot be read (ENOENT)')
    without(record)
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
