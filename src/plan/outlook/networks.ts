/** Virtual ports are plugged into bridges of the host: one that is not there is found now and not at `up`. */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { didYouMean } from '../../base/did-you-mean.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec } from '../../spec/spec.ts'

/**
 * A warning: a bridge may well be made after the plan. Silent where the input does not say which bridges
 * there are.
 */
export function checkBridges(host: Host, spec: Spec, places?: SpecPlaces): Finding[] {
  const { bridges } = host
  if (bridges === undefined) return []
  return spec.vms.flatMap((vm) =>
    vm.networks.flatMap(({ bridge }, i): Finding[] => {
      if (bridges.includes(bridge)) return []
      const at = placeOf(places, ['vms', vm.name, 'networks', i, 'bridge'])
      const near = didYouMean(bridge, bridges)
      const has = bridges.length === 0 ? 'this host has no bridge' : `this host has ${listAll(bridges)}`
      return [
        {
          code: 'bridge-missing',
          severity: 'warning',
          message:
            `${vm.name} is to be plugged into ${bridge}, and there is no such bridge: handover up would ` +
            'stop there',
          help:
            near === undefined
              ? `${has}; make ${bridge} in the network settings of this host`
              : `did you mean ${near}?`,
          ...defined({ at }),
        },
      ]
    }),
  )
}
