/**
 * On every recorded machine that states groups: plan every NIC, storage controller and GPU that may go.
 * Whatever the spec asks, no plan holds a refused device, splits a group between two VMs, or leaves half a
 * group behind.
 */
import { describe, expect, it } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { standOf } from '../../src/judge/chipset.ts'
import { staysBehind } from '../../src/judge/group-mates.ts'
import { judgeHost } from '../../src/judge/judge.ts'
import { deviceClass, isBridge } from '../../src/pci/device.ts'
import type { PciAddress } from '../../src/pci/address.ts'
import { layoutOf } from '../../src/plan/who/cards.ts'
import { plan } from '../../src/plan/plan.ts'
import type { Plan } from '../../src/plan/types.ts'
import type { Spec } from '../../src/spec/spec.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'
import { specOf } from '../support/spec.ts'

const wanted = new Set(['nic', 'storage', 'nvme', 'gpu'])

function specFor(vms: readonly (readonly PciAddress[])[]): Spec {
  const lines = vms.flatMap((addresses, vm) => [
    `  vm${vm}:`,
    '    memory: 1 MiB',
    '    devices:',
    ...addresses.map((address, i) => `      d${i}: { address: "${address}" }`),
  ])
  return specOf(['version: 1', 'vms:', ...lines, ''].join('\n'))
}

/** What must hold of any plan, whatever was asked for. */
function checkPlan(host: Host, result: Plan): void {
  const refused = new Set(
    judgeHost(host)
      .devices.filter(({ verdict }) => verdict === 'refused')
      .map(({ address }) => address),
  )
  const vmOf = new Map([...result.assignments, ...result.takenAlong].map(({ address, vm }) => [address, vm]))
  expect(vmOf.size).toBe(result.assignments.length + result.takenAlong.length)
  const layout = layoutOf(host)
  const isLoose = (address: PciAddress) => standOf(layout.devices.get(address) ?? { address }) === 'loose'
  for (const { address } of result.assignments)
    expect(refused.has(address), `${address} is refused`).toBe(false)
  for (const { address } of result.takenAlong)
    expect(refused.has(address) && !isLoose(address), `${address} is refused`).toBe(false)
  for (const address of result.spare)
    expect(refused.has(address) || vmOf.has(address), `${address} is no spare`).toBe(false)
  const bridges = new Set(host.devices.filter(isBridge).map(({ address }) => address))
  for (const step of result.steps) if (step.kind === 'driver') expect(bridges.has(step.address)).toBe(false)
  const vmsOfGroup = new Map<number, Set<string>>()
  for (const [address, group] of layout.groupOf) {
    if (staysBehind(layout.devices.get(address) ?? { address }, (one) => layout.groupOf.get(one))) continue
    vmsOfGroup.set(group, (vmsOfGroup.get(group) ?? new Set()).add(vmOf.get(address) ?? 'the host'))
  }
  for (const [group, owners] of vmsOfGroup) expect([...owners], `group ${group} is split`).toHaveLength(1)
}

describe.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'every recorded machine with groups (needs ../shared/corpus)',
  () => {
    const machines = (hasCorpus ? corpusItems() : []).flatMap((item) => {
      const reading = readItem(item)
      return reading.ok &&
        (reading.host.groups.length > 0 || reading.host.devices.some((d) => typeof d.iommuGroup === 'number'))
        ? [{ id: item.id, host: reading.host }]
        : []
    })

    let planned = 0

    it('is a good part of the corpus', () => expect(machines.length).toBeGreaterThan(40))

    it.each(machines.map(({ id, host }) => [id, host] as const))('%s', (_, host) => {
      const { units } = layoutOf(host)
      const verdicts = new Map(judgeHost(host).devices.map(({ address, verdict }) => [address, verdict]))
      const devices = new Map(host.devices.map((device) => [device.address, device]))
      const isOut = (address: PciAddress) =>
        verdicts.get(address) === 'refused' && standOf(devices.get(address) ?? { address }) !== 'loose'
      const mayGo = units.filter(({ members }) => !members.some(isOut))
      const asked = mayGo
        .map(({ members }) =>
          members.filter((address) => wanted.has(deviceClass(devices.get(address) ?? { address }))),
        )
        .filter((addresses) => addresses.length > 0)
      if (asked.length > 0) {
        const together = plan(host, specFor(asked))
        checkPlan(host, together)
        planned += together.assignments.length
        expect(together.assignments.map(({ address }) => address).toSorted()).toEqual(asked.flat().toSorted())
      }
      // Each to a VM of its own, refused ones too: what cannot be is told, and what is planned still holds.
      const each = host.devices
        .filter((device) => wanted.has(deviceClass(device)))
        .map(({ address }) => [address])
      if (each.length > 0) {
        const apart = plan(host, specFor(each))
        checkPlan(host, apart)
        const complete = apart.assignments.length === each.length
        expect(apart.findings.some(({ severity }) => severity === 'error') || complete).toBe(true)
      }
    })

    it('were planned with hundreds of devices in all', () => expect(planned).toBeGreaterThan(300))
  },
)
