/**
 * What has to change in how the host boots: kernel arguments (what the IOMMU needs, and what is asked for
 * beyond) and early binding, on trial where that can be had. How each boot loader is changed is in its file
 * in boot/loaders/.
 */
import type { Bound } from '../../boot/early-binding.ts'
import { findArg, hasArg, isSameArg, parseCmdline, readArg, type Cmdline } from '../../boot/cmdline.ts'
import type { Finding } from '../../base/finding.ts'
import { parseTrialConf, trialConfPath, trialMinutes, type TrialWait } from '../../boot/trial/trial.ts'
import type { Host } from '../../host/host.ts'
import { changeWords, type BootChange } from '../../boot/edits.ts'
import { withoutRepeats } from '../../boot/initramfs/images.ts'
import type { BootSituation } from '../../boot/loaders/loader.ts'
import { bootSituation, editCmdline, remakeImages } from '../../boot/situation.ts'
import { saysOff } from '../../boot/remapping-args.ts'
import { planEarlyBinding } from './plan-early-binding.ts'
import { isTrialBoot, isTrialPrepared, planConfirmed, planTrial, type TrialPlan } from './plan-trial.ts'
import type { Step } from '../../steps/step.ts'

export type BootPlan = {
  readonly steps: readonly Step[]
  readonly findings: readonly Finding[]
  /** True when the change is made or already in the files, and the running kernel does not have it yet. */
  readonly needsReboot: boolean
}

/** How the host boots stays as it is. */
export const noBootPlan: BootPlan = { steps: [], findings: [], needsReboot: false }

/** `identities` and `guards`: what leaves the host, for the early binding. */
export type BootWish = Bound & {
  /** False: change the entries at once, without a trial (`--no-confirm`). */
  readonly trial: boolean
  /** Wanted on the command line whether or not the IOMMU needs anything. */
  readonly arguments?: readonly string[]
  /** Arguments whose order counts, replaced as they are. */
  readonly replace?: BootChange
  /** Files of others that every initramfs has a copy of: changed first, and the images are made again. */
  readonly edits?: readonly Step[]
  /** False: no device is given to anyone, so the IOMMU may stay off. */
  readonly iommu?: boolean
  /** How long a trial boot waits for its confirmation; `trialMinutes` when absent. */
  readonly minutes?: number
  /** VMs by which the host itself reaches its network: a trial boot does not judge before they may be up. */
  readonly waits?: readonly TrialWait[]
}

export function planBoot(host: Host, wish: BootWish): BootPlan {
  const broken = findTrialProblem(host)
  if (broken) return { steps: [], findings: [broken], needsReboot: false }
  const change = bootChange(host, wish)
  if (host.boot === undefined) return noBootPlan
  const edits = wish.edits ?? []
  const boot = bootSituation(host)
  if (change === undefined)
    return host.iommu.state === 'on' || edits.length > 0 ? planBinding(boot, wish) : noBootPlan
  const direct = editCmdline(boot, change)
  if (!direct.ok) return { steps: [], findings: [direct.finding], needsReboot: false }
  if (!wish.trial) {
    const steps = withoutRepeats([...bindAtOnce(boot, wish), ...direct.steps])
    return { steps, findings: [], needsReboot: true }
  }
  const trial = tryChange(boot, wish, change)
  if (trial.ok) return { steps: [...edits, ...trial.steps], findings: [], needsReboot: true }
  return { steps: [], findings: [noTrial(trial, change)], needsReboot: false }
}

/** For every later boot, without a trial. */
function bindAtOnce(boot: BootSituation, wish: BootWish): Step[] {
  const { edits = [] } = wish
  const binding = planEarlyBinding(boot, wish)
  return edits.length === 0 ? binding : withoutRepeats([...edits, ...binding, ...remakeImages(boot)])
}

function tryChange(
  boot: BootSituation,
  { identities, guards = [], minutes = trialMinutes, waits = [] }: BootWish,
  change: BootChange,
): TrialPlan {
  return planTrial(boot, { change, identities, guards, minutes, waits })
}

function noTrial(
  { reason, first }: { readonly reason: string; readonly first?: string },
  change: BootChange,
): Finding {
  return {
    code: 'no-trial',
    severity: 'error',
    message:
      `the kernel command line has to change (${changeWords(change).join(' ')}), and one ` +
      `trial boot of it cannot be had: ${reason}`,
    help: `${first === undefined ? '' : `${first}; or: `}handover apply SPEC --no-confirm changes it at once; if that boot fails, press e in the boot menu and take the change back by hand`,
  }
}

/**
 * A new initramfs gets a trial, too. Where none can be had it is made at once: the binding can be switched
 * off by one word.
 */
function planBinding(boot: BootSituation, wish: BootWish): BootPlan {
  const steps = bindAtOnce(boot, wish)
  if (steps.length === 0) return noBootPlan
  const { edits = [] } = wish
  const needsReboot = edits.length > 0
  // Giving a device back at boot needs nobody's word.
  if (!wish.trial || wish.identities.length === 0) return { steps, findings: [], needsReboot }
  const trial = tryChange(boot, wish, nothingElse)
  if (trial.ok) return { steps: [...edits, ...trial.steps], findings: [], needsReboot: true }
  return { steps, findings: [untried(trial.reason)], needsReboot }
}

function untried(reason: string): Finding {
  return {
    code: 'no-trial',
    severity: 'warning',
    message:
      'the devices are bound early by every later boot, and one trial boot of that cannot be ' +
      `had: ${reason}`,
    help:
      'should the next boot go wrong: press e in the boot menu and add handover=off, which ' +
      'switches it off for that boot; apply --no-boot leaves booting alone',
  }
}

const neverCameUp =
  'the trial boot was started and did not come up: a panic, a reset or a power cut ended ' +
  'it, and the machine went back to the old entry by itself'

/**
 * A trial that was given up, or one that nobody confirmed yet: both want an answer before anything else is
 * planned.
 */
export function findTrialProblem(host: Host): Finding | undefined {
  if (!isTrialPrepared(host)) return undefined
  if (isTrialBoot(host))
    return {
      code: 'trial-unconfirmed',
      severity: 'error',
      message: 'this is a trial boot, and nobody has confirmed it yet',
      help: 'when everything works: handover confirm (else wait: the host goes back by itself)',
    }
  const message = host.boot?.trialResult ?? (host.boot?.trialIsNext === false ? neverCameUp : undefined)
  if (message === undefined) return undefined
  return {
    code: 'trial-failed',
    severity: 'error',
    message,
    help: 'take it back, mend the reason, apply again: handover rollback',
  }
}

/** Everything that makes a confirmed trial permanent. */
export function planConfirm(host: Host): BootPlan {
  const conf = host.files?.find(({ path }) => path === trialConfPath)
  if (conf === undefined) return noBootPlan
  const change = parseTrialConf(conf.text)
  const boot = bootSituation(host)
  const permanent = editCmdline(boot, change)
  if (!permanent.ok) return { steps: [], findings: [permanent.finding], needsReboot: false }
  return { steps: planConfirmed(boot, permanent.steps), findings: [], needsReboot: false }
}

/**
 * The remedy that inspect names and what else is wanted, as arguments; undefined when the running kernel has
 * it all.
 */
export function bootChange(host: Host, wish: Partial<BootWish> = {}): BootChange | undefined {
  const running = parseCmdline(host.kernel.cmdline ?? '')
  const { replace = nothingElse } = wish
  const remedy = wish.iommu !== false && host.iommu.state === 'off' ? iommuRemedy(host, running) : nothingElse
  const missing = (wish.arguments ?? []).filter((raw) => !remedy.add.some((other) => isSameArg(raw, other)))
  const add = [...remedy.add, ...replace.add, ...missing.filter((raw) => !hasArg(running, raw))]
  const remove = [...remedy.remove, ...replace.remove]
  return add.length + remove.length === 0 ? undefined : { add, remove }
}

const nothingElse: BootChange = { add: [], remove: [] }

function iommuRemedy(host: Host, running: Cmdline): BootChange {
  const remove = ['intel_iommu', 'amd_iommu', 'iommu']
    .map((key) => findArg(running, key))
    .filter((raw) => raw !== undefined)
    .filter((raw) => saysOff(readArg(raw).value ?? ''))
  // amd_iommu=on is no option of the kernel's; AMD's IOMMU is on by default wherever the firmware offers it.
  const add = host.iommu.kind === 'intel' && !hasArg(running, 'intel_iommu=on') ? ['intel_iommu=on'] : []
  return { add, remove }
}
