/** Roles whose virtual functions are not there yet: they are planned when the functions are made. */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import { listAll } from '../../base/text.ts'
import type { Host } from '../../host/host.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec } from '../../spec/spec.ts'

type WaitingRole = { readonly vm: string; readonly role: string; readonly word: string }

export function waitingRoles(spec: Spec, there: ReadonlySet<string>): WaitingRole[] {
  return spec.vms.flatMap((vm) =>
    vm.devices.flatMap(({ role, select }) => {
      const word = select.virtualFunction
      return word === undefined || there.has(word) ? [] : [{ vm: vm.name, role, word }]
    }),
  )
}

export function withoutRoles(spec: Spec, waiting: readonly WaitingRole[]): Spec {
  if (waiting.length === 0) return spec
  const waits = new Set(waiting.map(({ vm, role }) => `${vm}/${role}`))
  const vms = spec.vms.map((vm) => ({
    ...vm,
    devices: vm.devices.filter(({ role }) => !waits.has(`${vm.name}/${role}`)),
  }))
  return { ...spec, vms }
}

type Saying = {
  readonly findings: readonly Finding[]
  readonly iommu: Host['iommu']['state']
  readonly places: SpecPlaces | undefined
}

/** Nothing where an error says already why there are none. */
export function sayWaiting(waiting: readonly WaitingRole[], { findings, iommu, places }: Saying): Finding[] {
  if (findings.some(({ severity }) => severity === 'error')) return []
  const [first] = waiting
  if (first === undefined) return []
  const roles = listAll(waiting.slice(0, 6).map(({ vm, role }) => `${role} of ${vm}`))
  const at = placeOf(places, ['vms', first.vm, 'devices', first.role], 'key')
  return [
    {
      code: 'virtual-functions-first',
      severity: 'note',
      message:
        `${roles} ${waiting.length === 1 ? 'waits' : 'wait'} for virtual functions that are ` +
        'not there yet',
      help:
        iommu === 'off'
          ? 'they are made once the IOMMU is on: reboot, then apply again'
          : 'apply makes them; the same command run again gives them away',
      ...defined({ at }),
    },
  ]
}
