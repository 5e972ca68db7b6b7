/** Runs the allocator on the demands and puts its answer, or what conflicts, into words. */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import { identityOf } from '../../pci/identity.ts'
import { placeOf } from '../../spec/places.ts'
import { allocate, type Demand } from './allocate.ts'
import type { Demands } from './demands.ts'
import { explainConflict } from './explain-conflict.ts'
import type { Followed } from './follow-lock.ts'
import type { Assignment } from '../types.ts'
import type { View } from './view.ts'

/** So many conflicts are explained one by one; a spec with more is wrong in some larger way. */
const maxConflicts = 3

type Shared = { readonly assignments: readonly Assignment[]; readonly findings: readonly Finding[] }

export function share(view: View, wanted: Demands, followed: ReadonlyMap<string, Followed>): Shared {
  const findings: Finding[] = []
  const oneNumaNode = new Set(view.spec.vms.filter((vm) => vm.oneNumaNode).map((vm) => vm.name))
  let open = wanted.demands.map((_, i) => i)
  // What conflicts is explained and left out, so that one mistake does not hide the next, nor everything that
  // does fit.
  for (let round = 0; round <= maxConflicts; round++) {
    const demands = open.map((i) => wanted.demands[i]).filter((demand) => demand !== undefined)
    const result = allocate({ demands, supplies: wanted.supplies, oneNumaNode })
    if (result.kind === 'found')
      return {
        ...settle(view, wanted, { demands, chosen: result.chosen, followed }),
        findings: [...findings, ...reassigned(view, wanted, { demands, chosen: result.chosen })],
      }
    if (result.kind === 'gave-up') return { assignments: [], findings: [...findings, gaveUp()] }
    const inConflict = result.demands.map((i) => open[i] ?? -1)
    findings.push(explainConflict(view, wanted, { demands: inConflict, isMinimal: result.isMinimal }))
    const last = inConflict.at(-1)
    open = result.isMinimal ? open.filter((i) => i !== last) : open.filter((i) => !inConflict.includes(i))
  }
  return { assignments: [], findings }
}

type Chosen = { readonly demands: readonly Demand[]; readonly chosen: readonly number[] }

function settle(
  view: View,
  wanted: Demands,
  { demands, chosen, followed }: Chosen & { followed: ReadonlyMap<string, Followed> },
) {
  const assignments = demands.flatMap(({ vm, role }, i): Assignment[] => {
    const device = view.layout.devices.get(wanted.addresses[chosen[i] ?? -1] ?? ('' as never))
    if (device === undefined) return []
    const lock = followed.get(`${vm}/${role}`)
    const isLocked = lock?.kind === 'same' && lock.device === device
    const identity = isLocked ? lock.identity : identityOf(device, view.layout.devices)
    return [
      {
        vm,
        role,
        address: device.address,
        identity,
        hostDriver: device.driver ?? null,
        ...(device.networkInterfaces?.some(({ carrier }) => carrier === true) ? { link: true } : {}),
        moved: isLocked ? lock.moved : null,
      },
    ]
  })
  return { assignments }
}

/** A role that could not keep its locked device although that device is there and may go. */
function reassigned(view: View, wanted: Demands, { demands, chosen }: Chosen): Finding[] {
  return demands.flatMap(({ vm, role, locked }, i): Finding[] => {
    const [before, now] = [wanted.addresses[locked ?? -1], wanted.addresses[chosen[i] ?? -1]]
    if (locked === undefined || before === undefined || now === undefined || locked === chosen[i]) return []
    const at = placeOf(view.places, ['vms', vm, 'devices', role], 'key')
    const name = `${role} of ${vm}`
    return [
      {
        code: 'device-reassigned',
        severity: 'warning',
        message: `${name} had ${before} and gets ${now}: with the rest of the spec it cannot keep it`,
        help: 'when that is what you want: handover lock SPEC records it',
        about: [before, now],
        ...defined({ at }),
      },
    ]
  })
}

function gaveUp(): Finding {
  return {
    code: 'demands-conflict',
    severity: 'error',
    message: 'no way to meet all demands was found, and no proof that there is none, before the search ended',
    help:
      'say more about some devices, such as their card, serial or MAC, so that fewer ways are ' +
      'left to try',
  }
}
