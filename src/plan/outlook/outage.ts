/** What goes down when this host reboots, in which order it comes back, and whether it comes back at all. */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec, VmSpec } from '../../spec/spec.ts'
import { startOrder } from './start-order.ts'

/** Words in `serves` by which the host itself depends on a VM. */
const hostWords: Readonly<Record<string, string>> = {
  'host-address': 'the address of this host',
  'host-internet': 'the internet of this host',
}

export type OutageStep = {
  readonly vm: string
  readonly serves: readonly string[]
  readonly needs: readonly string[]
  /** VMs that wait for it, directly or through others. */
  readonly neededBy: readonly string[]
  /** The longest it may take until it counts as up; `null` where the spec sets no readiness. */
  readonly withinSeconds: number | null
  readonly autostart: boolean
}

export function forecastOutage(spec: Spec): OutageStep[] {
  const byName = new Map(spec.vms.map((vm) => [vm.name, vm]))
  return startOrder(spec.vms).flatMap((name): OutageStep[] => {
    const vm = byName.get(name)
    if (vm === undefined) return []
    return [
      {
        vm: name,
        serves: vm.serves ?? [],
        needs: [...(vm.needsHostNetwork ? ['host-network'] : []), ...vm.needs],
        neededBy: spec.vms
          .filter((other) => other.name !== name && waitsFor(other, name, byName))
          .map((other) => other.name),
        withinSeconds: vm.ready?.withinSeconds ?? null,
        autostart: vm.autostart,
      },
    ]
  })
}

/** From the kernel's start until the first VM may start. */
const bootSeconds = 120
/** A start without a time of its own. */
const startSeconds = 60

/**
 * VMs that start with the host and on which its own network depends, with the seconds after the kernel's
 * start by which each is up or has failed.
 */
export function hostWaits({ vms }: Spec): { readonly vm: string; readonly seconds: number }[] {
  const byName = new Map(vms.map((vm) => [vm.name, vm]))
  return vms
    .filter((vm) => vm.autostart && (vm.serves ?? []).some((word) => Object.hasOwn(hostWords, word)))
    .map((vm) => {
      const before = vms.filter((other) => other !== vm && waitsFor(vm, other.name, byName))
      const seconds = [vm, ...before].map(({ ready }) => ready?.withinSeconds ?? startSeconds)
      return { vm: vm.name, seconds: seconds.reduce((sum, one) => sum + one, bootSeconds) }
    })
}

function waitsFor(
  vm: VmSpec,
  name: string,
  byName: ReadonlyMap<string, VmSpec>,
  seen = new Set<string>(),
): boolean {
  if (seen.has(vm.name)) return false
  seen.add(vm.name)
  return vm.needs.some((needed) => {
    const other = byName.get(needed)
    return needed === name || (other !== undefined && waitsFor(other, name, byName, seen))
  })
}

export function checkOutage(spec: Spec, places?: SpecPlaces): Finding[] {
  return [
    ...checkStartCycle(spec, places),
    ...checkHostBehindVm(spec, places),
    ...checkAutostart(spec, places),
  ]
}

/**
 * The host waits for its network, its network for a VM, and that VM (or one it needs) for the host's network.
 */
function checkStartCycle(spec: Spec, places?: SpecPlaces): Finding[] {
  const byName = new Map(spec.vms.map((vm) => [vm.name, vm]))
  return spec.vms.flatMap((server): Finding[] => {
    if (!(server.serves ?? []).includes('host-address')) return []
    const waiting = [
      server,
      ...spec.vms.filter((vm) => vm !== server && waitsFor(server, vm.name, byName)),
    ].find((vm) => vm.needsHostNetwork)
    if (waiting === undefined) return []
    const through = waiting === server ? '' : `, which needs ${waiting.name}`
    const at = placeOf(places, ['vms', waiting.name, 'needs'])
    return [
      {
        code: 'start-cycle',
        severity: 'error',
        message:
          `after a reboot nothing comes up: the host gets its address from ${server.name}${through}, and ` +
          `${waiting.name} starts only when the host has its network`,
        help: `take host-network out of what ${waiting.name} needs, or give the host an address of its own`,
        ...defined({ at }),
      },
    ]
  })
}

function checkHostBehindVm(spec: Spec, places?: SpecPlaces): Finding[] {
  return spec.vms.flatMap((vm): Finding[] => {
    const words = (vm.serves ?? []).filter((word) => Object.hasOwn(hostWords, word))
    if (words.length === 0) return []
    const at = placeOf(places, ['vms', vm.name, 'serves'])
    const hasAddress = words.includes('host-address')
    return [
      {
        code: 'host-behind-vm',
        severity: 'note',
        message: hasAddress
          ? `this host gets its address from ${vm.name}: while that VM is down, the host is reached only ` +
            'by its console'
          : `this host reaches the internet through ${vm.name}: while that VM is down, it has none`,
        help: hasAddress
          ? 'give the host a fixed second address on the same bridge, so that you reach it then'
          : 'have at hand, on the host itself, what you need to repair that VM',
        ...defined({ at }),
      },
    ]
  })
}

function checkAutostart(spec: Spec, places?: SpecPlaces): Finding[] {
  return spec.vms.flatMap((vm) =>
    vm.needs.flatMap((name): Finding[] => {
      const needed = spec.vms.find((other) => other.name === name)
      if (!vm.autostart || needed === undefined || needed.autostart) return []
      const at = placeOf(places, ['vms', name, 'autostart'])
      return [
        {
          code: 'start-cycle',
          severity: 'warning',
          message:
            `${vm.name} starts with the host and needs ${name}, which does not: after a reboot ${vm.name} ` +
            'stays down',
          help: `set autostart: true for ${name}, or false for ${vm.name}`,
          ...defined({ at }),
        },
      ]
    }),
  )
}

/** `internet`, `dns`, `films`: everything people lose while the host is down. */
export function servedBy(steps: readonly OutageStep[]): readonly string[] {
  const words = [...new Set(steps.flatMap((step) => step.serves))]
  return words.map((word) => (Object.hasOwn(hostWords, word) ? (hostWords[word] ?? word) : word))
}
