import { describe, expect, it } from 'vitest'
import { plan } from '../../../src/plan/plan.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { onlyDevice, inspectDocument } from '../../../src/api/inspect-report.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { at, device, host } from '../../support/host-builder.ts'
import { specOf } from '../../support/spec.ts'

const subsystem = { subsystemVendorId: '8086', subsystemId: 'a01f' }

const ports = (count: number, facts: (bus: number) => Partial<PciDevice> = () => ({})) =>
  Array.from({ length: count }, (_, bus) =>
    device(`${String(bus + 10)}:00.0`, { group: bus, ...subsystem, ...facts(bus) }),
  )

const messages = (devices: PciDevice[], rest: Parameters<typeof host>[1] = {}) => {
  const given = host(devices, rest)
  return inspectDocument(given, judgeHost(given)).findings.map(({ message, about }) => [
    message,
    about?.length,
  ])
}

describe('what many devices share is said once', () => {
  it('of up to seven equal devices each has its own', () => {
    expect(messages(ports(7))).toHaveLength(7)
    expect(messages(ports(2))[0]).toEqual([
      '0000:10:00.0 has the same ids as 0000:11:00.0; no serial of it is known, so only its place tells it apart',
      2,
    ])
  })

  it('of more, those with a serial and those without', () => {
    const some = ports(9, (bus) => (bus < 3 ? { deviceSerialNumber: `00000000000000a${bus}` } : {}))
    const named =
      '0000:10:00.0, 0000:11:00.0, 0000:12:00.0, 0000:13:00.0, 0000:14:00.0, 0000:15:00.0 and 3 more'
    expect(messages(some)).toEqual([
      [`9 devices have the same ids: ${named}; their places and serials tell them apart`, 9],
      [
        `9 devices have the same ids: ${named}; where no serial is known, only their places tell them apart`,
        9,
      ],
    ])
  })

  it('and only what was read is called the same', () => {
    const codes = (devices: PciDevice[]) => {
      const given = host(devices)
      return inspectDocument(given, judgeHost(given)).findings.flatMap(({ code, message }) =>
        code === 'identical-devices' ? [message.replace(/;.*/, '')] : [],
      )
    }
    const without = (key: keyof PciDevice) => ports(2).map((one) => ({ ...one, [key]: undefined }))
    expect(codes(without('deviceId'))).toEqual([])
    expect(codes(without('vendorId'))).toEqual([])
    expect(codes(without('subsystemId'))[0]).toBe(
      '0000:10:00.0 has the same vendor and device id (subsystems are not known) as 0000:11:00.0',
    )
    expect(codes(ports(2, (bus) => ({ subsystemId: `000${bus}` })))).toEqual([])
  })

  it('which devices the host uses, where a list does not tell', () => {
    const few = messages(
      ports(6, (bus) => ({ deviceId: `100${bus}`, driver: 'igb' })),
      { source: { kind: 'lspci' } },
    )
    expect(few[5]).toEqual(['the input does not say whether the host itself uses 0000:15:00.0 (routes)', 1])
    const many = ports(8, (bus) => ({ deviceId: `100${bus}`, driver: bus === 7 ? 'vfio-pci' : 'igb' }))
    expect(messages(many, { source: { kind: 'lspci' } })).toEqual([
      [
        'the input does not say which of 7 network ports the host itself uses (routes): 0000:10:00.0, 0000:11:00.0, 0000:12:00.0, 0000:13:00.0, 0000:14:00.0, 0000:15:00.0 and 1 more',
        7,
      ],
    ])
  })

  it('and is found at each of them', () => {
    const given = host(ports(9))
    const judgement = judgeHost(given)
    for (const { reasons } of judgement.devices)
      expect(reasons.map(({ code }) => code)).toEqual(['identical-devices'])
    expect(onlyDevice(inspectDocument(given, judgement), at('18:00.0')).findings).toHaveLength(1)
  })

  it('but a plan names the device it is about, also one beyond those named', () => {
    const listed = ports(9, () => ({ driver: 'igb' }))
    const spec = specOf(
      "version: 1\nvms:\n  a:\n    memory: 1 GiB\n    devices: { p: { address: '18:00.0' } }\n",
    )
    const { findings } = plan(host(listed, { source: { kind: 'lspci' } }), spec, {})
    const told = findings.filter(({ code }) => code === 'input-incomplete' || code === 'identical-devices')
    expect(told.map(({ code }) => code).sort()).toEqual(['identical-devices', 'input-incomplete'])
    for (const { message } of told) expect(message).toContain('0000:18:00.0')
  })
})
