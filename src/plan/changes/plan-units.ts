/**
 * The VMs live with the host: units of our own start and stop them, where systemd runs and the program is
 * installed. Where that cannot be had the plan says so, because a VM that was to come back by itself would
 * stay down. The host does not sleep while devices are given away.
 */
import type { Finding } from '../../base/finding.ts'
import { listAll } from '../../base/text.ts'
import { hasPath, runsSystemd } from '../../boot/boot-paths.ts'
import { sleepFile } from '../../boot/host-setup.ts'
import { ownFileSteps, removeFileSteps } from '../../boot/own-file-steps.ts'
import {
  installedProgram,
  vmDropInPath,
  vmOfUnitFolder,
  vmTargetPath,
  vmTemplatePath,
  vmUnitFiles,
  type VmUnit,
} from '../../boot/vm-units.ts'
import type { Host } from '../../host/host.ts'
import type { Spec, VmSpec } from '../../spec/spec.ts'
import type { Step } from '../../steps/step.ts'

export type UnitPlan = { readonly files: readonly Step[]; readonly findings: readonly Finding[] }

export function planUnits(host: Host, spec: Spec): UnitPlan {
  const isStarted = spec.vms.length > 0 && isStartable(host)
  const wanted = isStarted ? vmUnitFiles(spec.vms.map((vm) => unitOf(vm, spec))) : []
  const unwanted = ownUnits(host).filter(({ path }) => !wanted.some((file) => file.path === path))
  return {
    files: [
      ...planSleep(host, spec),
      ...remove(host, unwanted, 'no VM starts by it any more'),
      ...ownFileSteps(wanted, host.files ?? [], 'the VMs start and stop with this host'),
    ],
    findings: isStarted ? [] : sayNotStarted(host, spec),
  }
}

function planSleep(host: Host, spec: Spec): Step[] {
  const isGiven = spec.vms.some(({ devices }) => devices.length > 0)
  if (!isGiven || !runsSystemd(host)) return remove(host, [sleepFile], 'no device is given away any more')
  return ownFileSteps(
    [sleepFile],
    host.files ?? [],
    'a device in a guest does not survive the sleep of the host',
  )
}

function isStartable(host: Host): boolean {
  return runsSystemd(host) && hasPath(host.boot?.present, installedProgram)
}

function remove(host: Host, unwanted: readonly { readonly path: string }[], why: string): Step[] {
  return removeFileSteps(unwanted, host.files ?? [], why)
}

/** Units that an earlier plan wrote. */
function ownUnits({ files = [] }: Host): readonly { readonly path: string }[] {
  return files.filter(({ path }) => {
    const vm = vmOfUnitFolder(path.split('/').at(-2) ?? '')
    return path === vmTemplatePath || path === vmTargetPath || (vm !== undefined && path === vmDropInPath(vm))
  })
}

/** A start makes disk images, and waits for a control socket; longer is a hang. */
const startSeconds = 180
/** The longest pause before a VM that died is started again (app/up.ts). */
const pauseSeconds = 120
/** How long a VM waits for one that it needs and that has no time of its own. */
const needSeconds = 60

function unitOf(vm: VmSpec, spec: Spec): VmUnit {
  const needed = spec.vms.filter(({ name }) => vm.needs.includes(name))
  const waits = needed.reduce((sum, { ready }) => sum + (ready?.withinSeconds ?? needSeconds), 0)
  const kernel = vm.kernel === undefined ? [] : [vm.kernel.image, vm.kernel.initrd]
  const paths = [...kernel, ...vm.disks.map(({ path }) => path), vm.iso]
  return {
    vm: vm.name,
    startsWithHost: vm.autostart,
    needs: vm.needs,
    paths: paths.filter((path) => path !== undefined).filter((path) => path.startsWith('/')),
    bridges: [...new Set(vm.networks.map(({ bridge }) => bridge))],
    needsHostNetwork: vm.needsHostNetwork === true,
    startSeconds: startSeconds + pauseSeconds + waits + (vm.ready?.withinSeconds ?? 0),
  }
}

/** A pasted listing says nothing about how its machine starts: nothing is claimed about it. */
function sayNotStarted(host: Host, spec: Spec): Finding[] {
  const names = spec.vms.filter(({ autostart }) => autostart).map(({ name }) => name)
  if (host.boot === undefined || names.length === 0 || isStartable(host)) return []
  const [why, help] = runsSystemd(host)
    ? [
        `${installedProgram} is not installed, and a service runs nothing else`,
        'install the package (docs/install.md) and apply again; until then run after each boot: handover up',
      ]
    : ['it does not run systemd', 'add to the script that this host runs at its start: handover up']
  return [
    {
      code: 'not-started',
      severity: 'note',
      message: `nothing starts ${listAll(names)} with this host: ${why}`,
      help,
    },
  ]
}
