/** What a VM is given when it starts: its functions, huge pages, firmware and disks; and what stops it. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskSpec } from '../../../../src/spec/spec.ts'
import { linuxSystem } from '../../../../src/machine/linux.ts'
import { workFolder } from '../../../../src/machine/work-folder.ts'
import { prepareDisks } from '../../../../src/engines/qemu/disks.ts'
import { chooseFirmware } from '../../../../src/engines/qemu/firmware.ts'
import { chooseHugepageKiB } from '../../../../src/engines/qemu/hugepages.ts'
import {
  checkAssigned,
  functionsFor,
  functionsNow,
  leftOutOf,
  withoutLeftOut,
} from '../../../../src/run/given.ts'
import { address, identityOf, put, tempTree } from '../../../support/fake-kernel.ts'
import { hostInForce, record, spec, type InForce } from '../../../support/in-force.ts'
import { specOf } from '../../../support/spec.ts'
import { nic } from '../../../support/transactions.ts'

const vmOf = (text: string, name: string) => {
  const vm = specOf(text).vms.find((one) => one.name === name)
  if (!vm) throw new Error(name)
  return vm
}

let root = ''
beforeEach(() => (root = tempTree()))
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe('the functions of a VM', () => {
  it('come in the order of the spec, then what is taken along', () => {
    const along = { vm: 'firewall', address: address('0000:01:00.3'), because: '', identity: identityOf(nic) }
    const other = { ...along, vm: 'media', address: address('0000:03:00.0') }
    const turned = spec.replace(
      'wan: { class: nic }, lan: { class: nic }',
      'lan: { class: nic }, wan: { class: nic }',
    )
    const given = functionsFor({ ...record, takenAlong: [along, other] }, vmOf(turned, 'firewall'))
    expect(given.map((fn) => `${fn.role} ${fn.address}`)).toEqual([
      'lan 0000:01:00.1',
      'wan 0000:01:00.0',
      ' 0000:01:00.3',
    ])
  })

  it('are none where the plan in force gave none', () =>
    expect(functionsFor({ ...record, assignments: [] }, vmOf(spec, 'media'))).toEqual([]))

  it('say of which class they are, where that is recorded', () => {
    const [wan] = record.assignments
    if (!wan) throw new Error('no wan')
    const known = { ...record, assignments: [{ ...wan, identity: { ...wan.identity, classCode: '020000' } }] }
    expect(functionsFor(known, vmOf(spec, 'firewall'))[0]).toMatchObject({ role: 'wan', classCode: '020000' })
  })
})

describe('an optional device', () => {
  let host: InForce
  beforeEach(() => (host = hostInForce()))
  afterEach(() => host.end())
  const optional = spec.replace('disks: { class: storage }', 'disks: { class: storage, optional: true }')
  const media = vmOf(optional, 'media')
  const along = { vm: 'media', address: address('0000:02:00.1'), because: '', identity: identityOf(nic) }
  const folder = (place: string) => join(host.root, 'sys/bus/pci/devices', place)

  it('is given while it is as the plan left it', () =>
    expect(leftOutOf(host.system, record, media)).toEqual([]))

  it('is left out when it is gone, with what came along, and keeps its place in the guest', () => {
    fs.rmSync(folder('0000:02:00.0'))
    const withAlong = { ...record, takenAlong: [along] }
    const leftOut = leftOutOf(host.system, withAlong, media)
    expect(leftOut).toMatchObject([{ role: 'disks', address: '0000:02:00.0' }])
    expect(functionsNow(withAlong, media, leftOut)).toMatchObject([
      { role: 'disks', absent: true },
      { role: '', address: '0000:02:00.1', absent: true },
    ])
    expect(checkAssigned(host.system, withoutLeftOut(withAlong, media, leftOut), ['media'])).toEqual([])
  })

  it('is left out when another device is in its place, or a driver of the host has it', () => {
    fs.writeFileSync(join(folder('0000:02:00.0'), 'device'), '0x1521\n')
    expect(leftOutOf(host.system, record, media)).toMatchObject([
      { role: 'disks', why: '0000:02:00.0: deviceId is 1521, recorded is 2922' },
    ])
  })

  it('says nothing of a device that is not optional', () => {
    fs.rmSync(folder('0000:02:00.0'))
    expect(leftOutOf(host.system, record, vmOf(spec, 'media'))).toEqual([])
  })
})

describe('devices of the plan in force', () => {
  let host: InForce
  beforeEach(() => (host = hostInForce()))
  afterEach(() => host.end())
  const check = (vms: readonly string[] = record.startOrder) => checkAssigned(host.system, record, vms)
  const folder = (place: string) => join(host.root, 'sys/bus/pci/devices', place)

  it('are right when all of them wait on vfio-pci', () => expect(check()).toEqual([]))

  it('are wrong where another driver has one, or none', () => {
    fs.rmSync(join(folder('0000:01:00.0'), 'driver'))
    fs.symlinkSync('../../../../bus/pci/drivers/e1000e', join(folder('0000:01:00.0'), 'driver'))
    fs.rmSync(join(folder('0000:02:00.0'), 'driver'))
    expect(check()).toEqual([
      '0000:01:00.0: its driver is e1000e, not vfio-pci',
      '0000:02:00.0: its driver is none, not vfio-pci',
    ])
    expect(check(['firewall'])).toHaveLength(1)
  })

  it('are wrong where another device answers', () => {
    fs.writeFileSync(join(folder('0000:01:00.1'), 'device'), '0x1521\n')
    expect(check()).toEqual(['0000:01:00.1: deviceId is 1521, recorded is 10d3'])
  })

  it('are wrong where nothing answers', () => {
    fs.rmSync(folder('0000:02:00.0'))
    expect(check()).toEqual([
      '0000:02:00.0: no device answers at 0000:02:00.0',
      '0000:02:00.0: its driver is none, not vfio-pci',
    ])
  })

  it('are checked among what was taken along, too', () => {
    const along = { vm: 'media', address: address('0000:03:00.0'), because: '', identity: identityOf(nic) }
    expect(checkAssigned(host.system, { ...record, takenAlong: [along] }, ['media'])).toContain(
      '0000:03:00.0: no device answers at 0000:03:00.0',
    )
  })
})

describe('huge pages', () => {
  const wanting = (more = '') =>
    specOf(`version: 1\n${more}vms: { box: { memory: 64 MiB, hugepages: true } }\n`)
  const pool = (kiB: number, total: number | string) =>
    put(root, `/sys/kernel/mm/hugepages/hugepages-${kiB}kB/nr_hugepages`, `${total}\n`)
  const choose = (text = wanting()) => chooseHugepageKiB(linuxSystem({ root }), text)

  it('are of the smallest size of which there is enough', () => {
    pool(1_048_576, 4)
    pool(2048, 32)
    expect(choose()).toBe(2048)
    pool(2048, 31)
    expect(choose()).toBe(1_048_576)
  })

  it('are of the size the spec names, whatever is there', () =>
    expect(choose(wanting('host: { hugepages: 1 GiB }\n'))).toBe(1_048_576))

  it('are of no known size where none are set aside, or nobody can say', () => {
    expect(choose()).toBeUndefined()
    pool(2048, 0)
    put(root, '/sys/kernel/mm/hugepages/notes/nr_hugepages', '99999\n')
    pool(16, 'many')
    expect(choose()).toBeUndefined()
  })
})

describe('firmware', () => {
  it('is the one QEMU has, for a BIOS', () =>
    expect(chooseFirmware(linuxSystem(), vmOf(spec, 'media'))).toEqual({ kind: 'bios' }))

  describe('for UEFI', () => {
    const vm = { ...vmOf(spec, 'media'), firmware: 'uefi' as const }
    const pair = (name: string) => [join(root, `${name}_CODE.fd`), join(root, `${name}_VARS.fd`)] as const
    const choose = (...names: readonly string[]) =>
      chooseFirmware(linuxSystem(), vm, { images: names.map(pair), state: join(root, 'state') })

    it('is the first pair of which both files are there, with variables of its own', () => {
      put(root, '/a_CODE.fd', 'code without variables')
      put(root, '/b_CODE.fd', 'code')
      put(root, '/b_VARS.fd', 'as shipped')
      const vars = join(root, 'state/media/uefi-vars.fd')
      expect(choose('a', 'b')).toEqual({ kind: 'uefi', code: join(root, 'b_CODE.fd'), vars })
      expect(fs.readFileSync(vars, 'utf8')).toBe('as shipped')
      fs.writeFileSync(vars, 'boot entries of the guest')
      choose('a', 'b')
      expect(fs.readFileSync(vars, 'utf8')).toBe('boot entries of the guest')
    })

    it('is an error that names the package where there is none', () =>
      expect(() => choose('a', 'b')).toThrow(
        expect.objectContaining({
          message: 'media wants UEFI firmware, and OVMF is not installed',
          help: expect.stringContaining('apt-get install ovmf') as string,
        }) as Error,
      ))
  })
})

describe('disk images', () => {
  const disk = (name: string, more: Partial<DiskSpec> = {}): DiskSpec => ({
    ...{ path: join(root, 'images', name), format: 'raw', readOnly: false },
    ...more,
  })
  const prepare = (...disks: readonly DiskSpec[]) => prepareDisks(linuxSystem(), disks)

  it('are made with their size, and take no room yet', async () => {
    await prepare(disk('new.raw', { sizeMiB: 8 }))
    const { size, blocks } = fs.statSync(join(root, 'images/new.raw'))
    expect([size, blocks]).toEqual([8 * 1024 * 1024, 0])
  })

  it('are never touched when they are there', async () => {
    put(root, '/images/old.raw', 'a whole system')
    await prepare(disk('old.raw', { sizeMiB: 8 }), disk('old.raw'))
    expect(fs.readFileSync(join(root, 'images/old.raw'), 'utf8')).toBe('a whole system')
  })

  it('are an error where they are missing and have no size', async () => {
    await expect(prepare(disk('lost.raw'))).rejects.toThrow(/lost\.raw does not exist/)
    expect(fs.existsSync(join(root, 'images'))).toBe(false)
  })

  it('of the format qcow2 need qemu-img, which is named where it is missing', async () => {
    const image = disk('new.qcow2', { sizeMiB: 8, format: 'qcow2' })
    if (workFolder.findProgram('qemu-img') === undefined) {
      await expect(prepare(image)).rejects.toMatchObject({
        help: expect.stringContaining('qemu-utils') as string,
      })
      return
    }
    await prepare(image)
    expect(fs.readFileSync(image.path).subarray(0, 3).toString()).toBe('QFI')
  })
})
