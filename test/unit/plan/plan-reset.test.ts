import { describe, expect, it } from 'vitest'
import { bindingsPath, formatBindings } from '../../../src/boot/early-binding.ts'
import { planResets } from '../../../src/plan/changes/plan-reset.ts'
import { identityOf, indexDevices } from '../../../src/pci/identity.ts'
import { device, host, rootPort } from '../../support/host-builder.ts'

const usb = (resetMethods: string[]) =>
  device('01:00.0', { kind: 'usb', vendorId: '1022', deviceId: '149c', resetMethods })
const hostOf = (resetMethods: string[], files: { path: string; text: string }[] = []) =>
  host([rootPort('00:1c.0', 1), usb(resetMethods)], { files })

function planOf(one: ReturnType<typeof hostOf>) {
  const devices = indexDevices(one.devices)
  const [, found] = one.devices
  if (found === undefined) throw new Error('no device')
  return planResets(one, [{ address: found.address, identity: identityOf(found, devices) }])
}

describe('reset_method', () => {
  it('loses what is known bad, checked by identity', () => {
    const { steps, methods } = planOf(hostOf(['flr', 'bus']))
    expect(steps).toMatchObject([{ before: 'flr bus', after: 'bus', of: { address: '0000:01:00.0' } }])
    expect([...methods.values()]).toEqual([['bus']])
  })

  it('stays in the bindings once it is set, so that the next plan is empty', () => {
    const first = hostOf(['flr', 'bus'])
    const devices = indexDevices(first.devices)
    const identity = identityOf(first.devices[1] ?? usb([]), devices)
    const text = formatBindings({ identities: [{ ...identity, resetMethods: ['bus'] }] })
    const { steps, methods } = planOf(hostOf(['bus'], [{ path: bindingsPath, text }]))
    expect([steps, [...methods.values()]]).toEqual([[], [['bus']]])
  })

  it('is not written where the kernel has the quirk itself', () => {
    const { steps, methods } = planOf(hostOf(['bus']))
    expect([steps, methods.size]).toEqual([[], 0])
  })
})
