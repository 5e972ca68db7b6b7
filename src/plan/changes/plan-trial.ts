/**
 * New kernel arguments as a trial boot, and what makes a confirmed trial permanent. A trial that cannot be
 * trusted to end by itself is not offered: the reason is given. What is special to a boot loader is in its
 * file in boot/loaders/.
 */
import { bindingsPath, earlyBindingFiles, liftGate, type Bound } from '../../boot/early-binding.ts'
import {
  isTrialCmdline,
  trialConfPath,
  trialFiles,
  trialToken,
  type TrialChecks,
  type TrialWait,
} from '../../boot/trial/trial.ts'
import type { Host } from '../../host/host.ts'
import { indexDevices, pathOf } from '../../pci/identity.ts'
import { runsSystemd } from '../../boot/boot-paths.ts'
import type { BootChange } from '../../boot/edits.ts'
import type { BootSituation } from '../../boot/loaders/loader.ts'
import { remakeImages } from '../../boot/situation.ts'
import { withoutRepeats } from '../../boot/initramfs/images.ts'
import { ownFileSteps, removeFileSteps } from '../../boot/own-file-steps.ts'
import type { Step } from '../../steps/step.ts'
import { recoveryCard } from '../../boot/trial/recovery-card.ts'
import type { TrialWay } from '../../boot/trial/trial-way.ts'

type TrialWish = Bound & {
  readonly change: BootChange
  readonly minutes: number
  readonly waits: readonly TrialWait[]
}

export type TrialPlan =
  { readonly ok: true; readonly steps: readonly Step[] } | Extract<TrialWay, { ok: false }>

export function planTrial(boot: BootSituation, given: TrialWish): TrialPlan {
  const { host, tool } = boot
  const { release } = host.kernel
  const way = boot.loader.trial(boot, given.change)
  if (!way.ok) return way
  if (!runsSystemd(host)) return { ok: false, reason: 'there is no systemd to check the trial boot' }
  if (tool === undefined) return { ok: false, reason: 'the tool that makes the initramfs is not known' }
  if (release === undefined) return { ok: false, reason: 'the release of the running kernel is not known' }
  const files = host.files ?? []
  // Bindings that are in force already stay so on the good entry, too.
  const inForce = files.find(({ path }) => path === bindingsPath)?.text
  const gate = { token: trialToken, inForce }
  const own = [...earlyBindingFiles(tool, given, gate), ...trialFiles(checksOf(host, given))]
  const steps = ownFileSteps(own, files, 'prepare one trial boot')
  if (steps.length + way.prepare.length + way.entry.length === 0) return { ok: true, steps: [] }
  const card = recoveryCard(host.ownAddresses ?? [], given.minutes)
  const byHand = ownFileSteps([card], files, 'how to get this host back by hand')
  return {
    ok: true,
    steps: [...byHand, ...steps, ...way.prepare, ...way.make(tool, release), ...way.entry, way.choose],
  }
}

function checksOf(host: Host, wish: TrialWish): TrialChecks {
  const { change, identities, minutes, waits } = wish
  const vital = host.needs.filter(({ weight }) => weight === 'vital')
  const mounts = vital.flatMap(({ mountPoint }) => mountPoint ?? [])
  const leaving = new Set(identities.map(({ path }) => path))
  // Virtual functions are made late and by others; a driver is expected of what the machine itself shows. A
  // device that an earlier plan left on vfio-pci has its own driver again on the next boot, and nobody misses
  // it there.
  const index = indexDevices(host.devices)
  const staying = host.devices.filter(
    (device) =>
      device.physFn === undefined && device.driver !== 'vfio-pci' && !leaving.has(pathOf(device, index)),
  )
  return {
    minutes,
    mounts: [...new Set(mounts)].toSorted(),
    hasDefaultRoute: vital.some(({ isDefaultRoute }) => isDefaultRoute === true),
    addresses: host.ownAddresses ?? [],
    drivers: staying.flatMap(({ address, driver }) => (driver ? [[address, driver] as const] : [])),
    waits,
    ...change,
  }
}

const noChecks: TrialChecks = {
  minutes: 0,
  mounts: [],
  hasDefaultRoute: false,
  addresses: [],
  drivers: [],
  waits: [],
  add: [],
  remove: [],
}

/**
 * A confirmed trial for good: `permanent` changes the entries, the bindings lose their gate, the trial's own
 * files go.
 */
export function planConfirmed(boot: BootSituation, permanent: readonly Step[]): Step[] {
  const files = boot.host.files ?? []
  const bindings = files.find(({ path }) => path === bindingsPath)
  const ungated = bindings && {
    path: bindingsPath,
    text: liftGate(bindings.text),
    mode: bindings.mode ?? 0o644,
  }
  const { entries, image } = boot.loader.leftovers(boot)
  return withoutRepeats([
    ...(ungated ? ownFileSteps([ungated], files, 'the trial is confirmed') : []),
    ...removeFileSteps([...trialFiles(noChecks), ...entries], [...files, ...entries], 'the trial is over'),
    // First, since a boot partition seldom has room for three images.
    { kind: 'command', argv: ['rm', '-f', image], outputs: [image], once: true, why: 'the trial is over' },
    ...remakeImages(boot),
    ...permanent,
  ])
}

export function isTrialPrepared(host: Host): boolean {
  return host.files?.some(({ path }) => path === trialConfPath) === true
}

export function isTrialBoot(host: Host): boolean {
  return isTrialCmdline(host.kernel.cmdline ?? '')
}
