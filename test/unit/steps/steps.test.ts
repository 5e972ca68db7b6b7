import { describe, expect, expectTypeOf, it } from 'vitest'
import { parseRecord, type JournalRecord } from '../../../src/apply/record.ts'
import type { CommandStep } from '../../../src/steps/command.ts'
import type { DriverStep } from '../../../src/steps/driver.ts'
import type { FileStep } from '../../../src/steps/file.ts'
import { hasState, kindOf, kinds, purposeOf, type Step } from '../../../src/steps/step.ts'
import type { SysfsStep } from '../../../src/steps/sysfs.ts'
import type { VfStep } from '../../../src/steps/vf.ts'
import { at } from '../../support/host-builder.ts'

const identity = {
  path: '0000:00/1c.0/00.0',
  vendorId: '8086',
  deviceId: '1533',
  macs: ['02:00:00:00:00:07'],
}
const of = { address: at('04:00.0'), identity }

const one: { readonly [Kind in Step['kind']]: Extract<Step, { kind: Kind }> } = {
  file: {
    kind: 'file',
    path: '/etc/x',
    before: null,
    after: { text: 'a\n', mode: 0o644 },
    purpose: 'trial',
    why: 'w',
  },
  driver: {
    kind: 'driver',
    ...of,
    before: { driver: 'igb', driverOverride: null },
    after: { driver: 'vfio-pci', driverOverride: 'vfio-pci' },
    why: 'w',
  },
  sysfs: {
    kind: 'sysfs',
    path: '/sys/bus/pci/devices/0000:04:00.0/sriov_numvfs',
    before: '0',
    after: '4',
    of,
    partial: true,
    purpose: 'virtual-functions',
    why: 'w',
  },
  vf: { kind: 'vf', ...of, number: 2, before: { vlan: 0 }, after: { vlan: 30, trust: true }, why: 'w' },
  command: {
    kind: 'command',
    argv: ['grub-reboot', 'handover-trial'],
    outputs: ['/boot/grub/grubenv'],
    once: true,
    environment: true,
    purpose: 'trial',
    undo: ['true'],
    why: 'w',
  },
}
const steps = Object.values(one)

function recordOf(given: readonly unknown[]): Record<string, unknown> {
  return {
    schema: 1,
    id: '0003',
    createdAt: '2026-11-02T03:04:05.000Z',
    version: '0.1.0',
    bootId: 'b',
    planHash: 'h',
    needsReboot: false,
    assignments: [{ vm: 'v', role: 'r', ...of, hostDriver: 'igb', moved: null }],
    takenAlong: [{ vm: 'v', ...of, because: 'group 4' }],
    spare: [at('05:00.0')],
    startOrder: ['v'],
    steps: given,
    saved: [{ path: '/etc/x', kind: 'absent' }],
  }
}

const read = (given: readonly unknown[]) => parseRecord(JSON.stringify(recordOf(given)))

describe('the kinds of steps', () => {
  it('are those of the type Step, each with an example here', () => {
    expect([...kinds.keys()].toSorted()).toEqual(Object.keys(one).toSorted())
    expectTypeOf<Step>().toEqualTypeOf<FileStep | DriverStep | SysfsStep | VfStep | CommandStep>()
  })

  it.each(steps)('$kind answers what everything else asks', (step) => {
    const kind = kindOf(step)
    expect(kind.words(step)).toMatch(/\S/)
    expect(kind.wordsBefore(step)).toMatch(/\S/)
    expect(kind.planned(step, true)).toMatch(/\S/)
    expect(kind.object(step) === '').toBe(!hasState(step))
  })

  it('has the words of each', () => {
    expect(steps.map((step) => kindOf(step).words(step))).toEqual([
      'create /etc/x',
      '0000:04:00.0: igb → vfio-pci',
      '/sys/bus/pci/devices/0000:04:00.0/sriov_numvfs: 0 → 4',
      '0000:04:00.0 vf 2: vlan 0 → vlan 30 trust on',
      'run grub-reboot handover-trial',
    ])
    expect(steps.map((step) => kindOf(step).wordsBefore(step))).toEqual([
      '/etc/x removed',
      '0000:04:00.0: driver igb',
      '/sys/bus/pci/devices/0000:04:00.0/sriov_numvfs: 0',
      '0000:04:00.0 vf 2: vlan 0',
      '/boot/grub/grubenv',
    ])
  })

  it('names the devices, functions, files and programs that only some have', () => {
    const having = (
      key: 'device' | 'takes' | 'program' | 'files' | 'leaves' | 'inUse' | 'changedBeside' | 'texts',
    ) => steps.filter((step) => kindOf(step)[key] !== undefined).map((step) => step.kind)
    expect(having('device')).toEqual(['driver', 'sysfs', 'vf'])
    expect(having('takes')).toEqual(['driver'])
    expect(having('inUse')).toEqual(['driver', 'sysfs'])
    expect(having('files')).toEqual(['file', 'command'])
    expect(having('changedBeside')).toEqual(['file'])
    expect(having('texts')).toEqual(['file'])
    expect(having('program')).toEqual(['command'])
    expect(having('leaves')).toEqual(['command'])
  })

  it('an unknown one is a bug, not a step that does nothing', () => {
    expect(() => kindOf({ ...one.vf, kind: 'firmware' } as unknown as Step)).toThrow('no step kind firmware')
  })
})

describe('a journal', () => {
  it('gives every kind back as it was written', () => {
    const parsed = read(steps)
    expect(parsed).toMatchObject({ ok: true })
    expect(parsed.ok && (parsed.value.steps satisfies JournalRecord['steps'])).toEqual(steps)
  })

  it('refuses what is no step, naming the place', () => {
    const reason = (step: unknown) => {
      const parsed = read([step])
      return parsed.ok ? 'read' : parsed.reason
    }
    expect(reason({ ...one.driver, kind: 'firmware' })).toMatch(/^record\.json is damaged \(steps\.0\.kind: /)
    expect(reason({ ...one.driver, address: '0000:04:00.9' })).toMatch(/\(steps\.0\.address: /)
    expect(reason({ ...one.driver, identity: { path: 'p' } })).toMatch(
      /\(steps\.0: its device has no recorded place or ids\)$/,
    )
    expect(reason({ ...one.driver, identity: { ...identity, macs: 7 } })).toMatch(
      /\(steps\.0\.identity\.macs: /,
    )
    expect(reason({ ...one.file, path: 'etc/x' })).toMatch(/\(steps\.0\.path: /)
    expect(reason({ ...one.file, after: { text: 'a', mode: 0o10000 } })).toMatch(/\(steps\.0\.after\.mode: /)
    expect(reason({ ...one.command, argv: [] })).toMatch(/\(steps\.0\.argv: /)
    expect(reason({ ...one.vf, number: -1 })).toMatch(/\(steps\.0\.number: /)
  })

  it('of a release that recorded no purpose is read as that release understood it', () => {
    const { purpose: _file, ...file } = one.file
    const { purpose: _sysfs, ...sysfs } = one.sysfs
    const { purpose: _command, environment: _environment, ...command } = one.command
    const old = [
      { ...file, path: '/etc/handover/trial.conf' },
      { ...file, path: '/etc/handover/trial.conf', before: file.after, after: null },
      sysfs,
      { ...sysfs, path: '/sys/bus/pci/devices/0000:04:00.0/sriov_drivers_autoprobe' },
      command,
      { ...command, outputs: ['/boot/x'] },
    ]
    const parsed = read(old)
    const found = parsed.ok ? parsed.value.steps : []
    expect(found.map(purposeOf)).toEqual([
      'trial',
      undefined,
      'virtual-functions',
      undefined,
      undefined,
      undefined,
    ])
    expect(found.map((step) => 'environment' in step)).toEqual([false, false, false, false, true, false])
  })
})
