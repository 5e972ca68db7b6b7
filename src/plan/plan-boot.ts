/**
 * What the kernel command line needs for the IOMMU, as file and command steps. Only files of our own are created, files
 * of others are edited in place, and where the way a machine boots is not understood nothing is written: the exact change
 * is said instead.
 */
import { addEntryArg, addKernelCmdlineArg, entryOptions, removeEntryArg, removeKernelCmdlineArg } from '../boot/bls.ts'
import type { Binding } from '../boot/early-binding.ts'
import { findBootloader, type Bootloader } from '../boot/bootloader.ts'
import {
  addArg,
  findArg,
  formatCmdline,
  hasArg,
  isSameArg,
  parseCmdline,
  removeArg,
  type Cmdline,
} from '../boot/cmdline.ts'
import { addArgTo, removeArgFrom, type Edit } from '../boot/shell-assignment.ts'
import type { Finding } from '../finding.ts'
import { parseTrialConf, trialConfPath } from '../boot/trial.ts'
import type { Host, HostFile } from '../host/host.ts'
import { planEarlyBinding } from './plan-early-binding.ts'
import { isTrialBoot, isTrialPrepared, planConfirmed, planTrial } from './plan-trial.ts'
import type { Step } from './step.ts'

export type BootChange = { readonly add: readonly string[]; readonly remove: readonly string[] }

export type BootPlan = {
  readonly steps: readonly Step[]
  readonly findings: readonly Finding[]
  /** True when the change is made or already in the files, and the running kernel does not have it yet. */
  readonly needsReboot: boolean
}

export const grubDropIn = '/etc/default/grub.d/zz-handover.cfg'

const nothing: BootPlan = { steps: [], findings: [], needsReboot: false }

export type BootWish = {
  /** What leaves the host, for the early binding. */
  readonly identities: readonly Binding[]
  /** False: change the entries at once, without a trial (`--no-confirm`). */
  readonly trial: boolean
  /** Wanted on the command line whether or not the IOMMU needs anything. */
  readonly arguments?: readonly string[]
  /** Arguments whose order counts, replaced as they are. */
  readonly replace?: BootChange
  /** False: no device is given to anyone, so the IOMMU may stay off. */
  readonly iommu?: boolean
  /** How long a trial boot waits for its confirmation; 10 when absent. */
  readonly minutes?: number
}

export function planBoot(host: Host, wish: BootWish): BootPlan {
  const broken = findTrialProblem(host)
  if (broken) return { steps: [], findings: [broken], needsReboot: false }
  const change = bootChange(host, wish)
  if (host.boot === undefined) return nothing
  if (change === undefined)
    return { ...nothing, steps: host.iommu.state === 'on' ? planEarlyBinding(host, wish.identities) : [] }
  const loader = loaderOf(host)
  const direct = editsFor(loader, host.files ?? [], change)
  if (!direct.ok) return { steps: [], findings: [direct.finding], needsReboot: false }
  if (!wish.trial)
    return { steps: [...planEarlyBinding(host, wish.identities), ...direct.steps], findings: [], needsReboot: true }
  const trial = planTrial(host, loader, { change, identities: wish.identities, minutes: wish.minutes ?? 10 })
  if (trial.ok) return { steps: trial.steps, findings: [], needsReboot: true }
  return { steps: [], findings: [noTrial(trial.reason, change)], needsReboot: false }
}

function loaderOf(host: Host): Bootloader {
  const { efi = false, present = [], loaderInfo } = host.boot ?? {}
  return findBootloader({
    efi,
    present,
    cmdline: host.kernel.cmdline ?? '',
    ...(loaderInfo === undefined ? {} : { loaderInfo }),
  })
}

function noTrial(reason: string, change: BootChange): Finding {
  const words = [...change.remove.map((raw) => `without ${raw}`), ...change.add].join(' ')
  return {
    code: 'no-trial',
    severity: 'error',
    message: `the kernel command line has to change (${words}), and one trial boot of it cannot be had: ${reason}`,
    help: 'handover apply SPEC --no-confirm changes it at once; if that boot fails, press e in the boot menu and take the change back by hand',
  }
}

const neverCameUp =
  'the trial boot was started and did not come up: a panic, a reset or a power cut ended it, and the machine went back to the old entry by itself'

/** A trial that was given up, or one that nobody confirmed yet: both want an answer before anything else is planned. */
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
  const loader = loaderOf(host)
  const conf = host.files?.find(({ path }) => path === trialConfPath)
  if (conf === undefined || loader.kind !== 'grub') return nothing
  const permanent = editsFor(loader, host.files ?? [], parseTrialConf(conf.text))
  if (!permanent.ok) return { steps: [], findings: [permanent.finding], needsReboot: false }
  return { steps: planConfirmed(host, loader, permanent.steps), findings: [], needsReboot: false }
}

/** The remedy that inspect names and what else is wanted, as arguments; undefined when the running kernel has it all. */
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
    .filter((raw) => /=off\b/.test(raw))
  // amd_iommu=on is no option of the kernel's; AMD's IOMMU is on by default wherever the firmware offers it.
  const add = host.iommu.kind === 'intel' && !hasArg(running, 'intel_iommu=on') ? ['intel_iommu=on'] : []
  return { add, remove }
}

type Edits = { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly finding: Finding }

function editsFor(loader: Bootloader, files: readonly HostFile[], change: BootChange): Edits {
  switch (loader.kind) {
    case 'grub':
      return loader.usesEntries ? editEntries(files, '/boot/loader/entries', change) : editGrub(loader, files, change)
    case 'systemd-boot':
      return editEntries(files, loader.entries, change)
    case 'proxmox':
      return manual(
        'proxmox-boot-tool',
        'edit the one line of /etc/kernel/cmdline (ARGS), then run: proxmox-boot-tool refresh',
        change,
      )
    case 'manual':
      return manual(loader.system, loader.how, change)
    case 'ambiguous':
      return manual(
        `either ${loader.candidates.join(' or ')}`,
        'see which one starts this machine, and there change the kernel command line: ARGS',
        change,
        'boot-ambiguous',
      )
    case 'unknown':
      return manual('a way that is not known here', 'change the kernel command line: ARGS', change)
  }
}

function manual(system: string, how: string, change: BootChange, code: Finding['code'] = 'boot-manual'): Edits {
  const nixos = how.includes('boot.kernelParams')
  const ostree = how.includes('rpm-ostree')
  const say = (raw: string, verb: 'add' | 'remove') => {
    if (nixos) return verb === 'add' ? `"${raw}"` : ''
    if (ostree) return verb === 'add' ? `--append=${raw}` : `--delete=${raw}`
    return `${verb} ${raw}`
  }
  const words = [...change.remove.map((raw) => say(raw, 'remove')), ...change.add.map((raw) => say(raw, 'add'))]
  const args = words.filter((word) => word !== '').join(nixos || ostree ? ' ' : ', ')
  return {
    ok: false,
    finding: {
      code,
      severity: 'error',
      message: `the kernel command line has to change, and this machine boots with ${system}: nothing is written there`,
      help: how.replace('ARGS', args),
    },
  }
}

/** Debian's GRUB reads drop-ins: an addition is a file of our own. Elsewhere, and for removals, the user's file is edited. */
function editGrub(
  loader: Extract<Bootloader, { kind: 'grub' }>,
  files: readonly HostFile[],
  change: BootChange,
): Edits {
  const names = ['GRUB_CMDLINE_LINUX', 'GRUB_CMDLINE_LINUX_DEFAULT']
  const main = '/etc/default/grub'
  const steps: Step[] = []
  for (const file of files) {
    if (file.path !== main && !/^\/etc\/default\/grub\.d\/[^/]+\.cfg$/.test(file.path)) continue
    if (file.path === grubDropIn) continue
    let edit: Edit = { ok: true, text: file.text }
    for (const name of names) for (const raw of change.remove) if (edit.ok) edit = removeArgFrom(edit.text, name, raw)
    if (file.path === main && !loader.hasDropIns)
      for (const raw of change.add) if (edit.ok) edit = addArgTo(edit.text, 'GRUB_CMDLINE_LINUX_DEFAULT', raw)
    if (!edit.ok)
      return manual(
        'GRUB',
        `${file.path} is not understood (${edit.reason}); there: ARGS; then run: ${loader.regenerate.join(' ')}`,
        change,
      )
    steps.push(...editStep(file, edit.text, change))
  }
  if (loader.hasDropIns) steps.push(...dropInStep(files, change))
  if (steps.length === 0) return { ok: true, steps }
  const outputs = [`${loader.folder}/grub.cfg`, `${loader.folder}/grub.cfg.new`, `${loader.folder}/grubenv`]
  return {
    ok: true,
    steps: [
      ...steps,
      { kind: 'command', argv: loader.regenerate, outputs, why: 'make the new command line known to GRUB' },
    ],
  }
}

/** What an earlier apply put there stays: the next argument must not cost the host the last one. */
function dropInStep(files: readonly HostFile[], { add, remove }: BootChange): Step[] {
  const old = files.find(({ path }) => path === grubDropIn)
  if (old === undefined && add.length === 0) return []
  const known = /^GRUB_CMDLINE_LINUX_DEFAULT="\$GRUB_CMDLINE_LINUX_DEFAULT (.*)"$/m.exec(old?.text ?? '')?.[1] ?? ''
  let args = parseCmdline(known)
  for (const raw of remove) args = removeArg(args, raw)
  for (const raw of add) args = addArg(args, raw)
  const text = [
    '# Written by handover. To undo: handover rollback (or remove this file and run update-grub).',
    `GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${formatCmdline(args)}"`,
    '',
  ].join('\n')
  if (old?.text === text) return []
  const before = old === undefined ? null : { text: old.text, mode: old.mode ?? 0o644 }
  return [
    { kind: 'file', path: grubDropIn, before, after: { text, mode: 0o644 }, why: `kernel arguments: ${add.join(' ')}` },
  ]
}

/** Every Linux entry with a root, and the file new entries are made from. */
function editEntries(files: readonly HostFile[], folder: string, change: BootChange): Edits {
  const entries = files.filter(({ path, text }) => path.startsWith(`${folder}/`) && /^linux[ \t]/m.test(text))
  if (entries.length === 0)
    return manual('boot entries that cannot be read', `in ${folder}/*.conf, on the options line: ARGS`, change)
  if (entries.some(({ text }) => entryOptions(text).includes('$')))
    return manual(
      'entries with variables',
      `run: grubby --update-kernel=ALL --args='${change.add.join(' ')}' --remove-args='${change.remove.join(' ')}' (ARGS)`,
      change,
    )
  const steps: Step[] = []
  for (const file of entries) {
    let text = file.text
    for (const raw of change.remove) text = removeEntryArg(text, raw)
    for (const raw of change.add) text = addEntryArg(text, raw)
    steps.push(...editStep(file, text, change))
  }
  const template = files.find(({ path }) => path === '/etc/kernel/cmdline')
  if (template) {
    let text = template.text
    for (const raw of change.remove) text = removeKernelCmdlineArg(text, raw)
    for (const raw of change.add) text = addKernelCmdlineArg(text, raw)
    steps.push(...editStep(template, text, change))
  }
  return { ok: true, steps }
}

function editStep(file: HostFile, text: string, change: BootChange): Step[] {
  if (text === file.text) return []
  const mode = file.mode ?? 0o644
  const words = [...change.remove.map((raw) => `without ${raw}`), ...change.add]
  return [
    {
      kind: 'file',
      path: file.path,
      before: { text: file.text, mode },
      after: { text, mode },
      why: `kernel arguments: ${words.join(', ')}`,
    },
  ]
}
