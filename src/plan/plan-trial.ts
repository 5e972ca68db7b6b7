/**
 * New kernel arguments as a trial boot, and what makes a confirmed trial permanent. A trial that cannot be trusted to end
 * by itself is not offered: the reason is said instead.
 */
import { canGrubForget, type Bootloader } from '../boot/bootloader.ts'
import {
  bindingsPath,
  earlyBindingFiles,
  findInitramfsTool,
  formatBindings,
  regenerateInitramfs,
  type Binding,
  type InitramfsTool,
} from '../boot/early-binding.ts'
import { makeTrialEntry, trialConfPath, trialFiles, trialId, trialToken, type TrialChecks } from '../boot/trial.ts'
import type { Host } from '../host/host.ts'
import type { BootChange } from './plan-boot.ts'
import { ownFileSteps } from './plan-early-binding.ts'
import type { Step } from './step.ts'

type Grub = Extract<Bootloader, { kind: 'grub' }>
export type TrialPlan =
  { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly reason: string }

const imageName = 'handover-trial.img'
const imagePath = `/boot/${imageName}`

export function planTrial(
  host: Host,
  loader: Bootloader,
  given: { readonly change: BootChange; readonly identities: readonly Binding[]; readonly minutes: number },
): TrialPlan {
  const { boot, kernel } = host
  const tool = boot ? findInitramfsTool(boot.present) : undefined
  const reason = obstacle(host, loader, tool)
  if (reason !== undefined || loader.kind !== 'grub' || boot?.grubEntry === undefined || tool === undefined)
    return { ok: false, reason: reason ?? 'the running boot entry is not known' }
  const entry = makeTrialEntry(boot.grubEntry, { ...given.change, initramfs: imageName })
  if (!entry.ok) return entry
  const files = host.files ?? []
  // Bindings that are in force already stay so on the good entry, too: the trial is of the arguments alone.
  const isInForce = files.some(({ path, text }) => path === bindingsPath && text === formatBindings(given.identities))
  const gate = isInForce ? undefined : trialToken
  const own = [...earlyBindingFiles(tool, given.identities, gate), ...trialFiles(checksOf(host, given))]
  const steps = ownFileSteps(own, files, 'prepare one trial boot')
  const custom = customStep(loader, boot.grubCustom, entry.text)
  if (steps.length + custom.length === 0) return { ok: true, steps: [] }
  return {
    ok: true,
    steps: [
      ...steps,
      {
        kind: 'command',
        argv: makeImage(tool, kernel.release ?? ''),
        outputs: [imagePath],
        why: 'an initramfs for the trial alone',
      },
      ...custom,
      {
        kind: 'command',
        argv: [loader.folder === '/boot/grub2' ? 'grub2-reboot' : 'grub-reboot', trialId],
        outputs: [`${loader.folder}/grubenv`],
        once: true,
        why: 'choose the trial for the next boot only',
      },
    ],
  }
}

/** Why a trial cannot be trusted here; undefined when it can. */
function obstacle(host: Host, loader: Bootloader, tool: InitramfsTool | undefined): string | undefined {
  const { boot, kernel } = host
  if (loader.kind !== 'grub') return 'a trial entry is known only for GRUB'
  if (loader.usesEntries) return "GRUB's entries are files in /boot/loader/entries here"
  if (!canGrubForget(boot?.grubFilesystem)) {
    const { device, type } = boot?.grubFilesystem ?? { device: 'a device', type: 'unknown' }
    return `GRUB cannot write its environment block on ${device} (${type}), so a bad trial would be started again and again`
  }
  if (boot?.grubReadsCustom !== true) return 'grub.cfg does not read custom.cfg'
  if (boot.grubCustom === null) return `${loader.folder}/custom.cfg belongs to someone else`
  if (boot.grubEntry === undefined) return 'no entry of grub.cfg started the running kernel'
  if (!boot.present.includes('/run/systemd/system')) return 'there is no systemd to check the trial boot'
  if (tool === undefined) return 'the tool that makes the initramfs is not known'
  if (kernel.release === undefined) return 'the release of the running kernel is not known'
  return undefined
}

function checksOf(host: Host, { change, identities, minutes }: Parameters<typeof planTrial>[2]): TrialChecks {
  const vital = host.needs.filter(({ weight }) => weight === 'vital')
  const mounts = vital.filter(({ kind, what }) => kind === 'disk' && what.startsWith('/') && !/\s/.test(what))
  const leaving = new Set(identities.map(({ path }) => path))
  // Virtual functions are made late and by others; a driver is expected of what the machine itself shows.
  const staying = host.devices.filter(({ path, physFn }) => physFn === undefined && !leaving.has(path ?? ''))
  return {
    minutes,
    mounts: [...new Set(mounts.map(({ what }) => what))].toSorted(),
    hasDefaultRoute: vital.some(({ kind, what }) => kind === 'network' && what.includes('default route')),
    addresses: host.ownAddresses ?? [],
    drivers: staying.flatMap(({ address, driver }) => (driver ? [[address, driver] as const] : [])),
    ...change,
  }
}

function customStep(loader: Grub, old: string | null | undefined, text: string): Step[] {
  if (old === text) return []
  const before = typeof old === 'string' ? { text: old, mode: 0o644 } : null
  return [
    {
      kind: 'file',
      path: `${loader.folder}/custom.cfg`,
      before,
      after: { text, mode: 0o644 },
      why: 'an entry of its own for the trial',
    },
  ]
}

function makeImage(tool: InitramfsTool, release: string): string[] {
  switch (tool) {
    case 'initramfs-tools':
      return ['mkinitramfs', '-o', imagePath, release]
    case 'dracut':
      return ['dracut', '--force', imagePath, release]
    case 'mkinitcpio':
      return ['mkinitcpio', '-k', release, '-g', imagePath]
  }
}

/** A confirmed trial for good: `permanent` changes the entries, the bindings lose their gate, the trial's own files go. */
export function planConfirmed(host: Host, loader: Grub, permanent: readonly Step[]): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  const files = host.files ?? []
  const steps: Step[] = []
  const bindings = files.find(({ path }) => path === bindingsPath)
  if (bindings) {
    const text = bindings.text.replace(`only-with ${trialToken}\n`, '')
    steps.push(
      ...ownFileSteps([{ path: bindingsPath, text, mode: bindings.mode ?? 0o644 }], files, 'the trial is confirmed'),
    )
  }
  const gone = trialFiles({
    minutes: 0,
    mounts: [],
    hasDefaultRoute: false,
    addresses: [],
    drivers: [],
    add: [],
    remove: [],
  })
  for (const { path } of gone) {
    const old = files.find((file) => file.path === path)
    if (old)
      steps.push({
        kind: 'file',
        path,
        before: { text: old.text, mode: old.mode ?? 0o644 },
        after: null,
        why: 'the trial is over',
      })
  }
  if (typeof host.boot?.grubCustom === 'string') {
    const before = { text: host.boot.grubCustom, mode: 0o644 }
    steps.push({ kind: 'file', path: `${loader.folder}/custom.cfg`, before, after: null, why: 'the trial is over' })
  }
  if (tool)
    steps.push({ kind: 'command', ...regenerateInitramfs(tool), why: 'put the early binding into every initramfs' })
  steps.push(...permanent)
  steps.push({
    kind: 'command',
    argv: ['rm', '-f', imagePath],
    outputs: [imagePath],
    once: true,
    why: 'the trial is over',
  })
  return steps
}

export function isTrialPrepared(host: Host): boolean {
  return host.files?.some(({ path }) => path === trialConfPath) === true
}

export function isTrialBoot(host: Host): boolean {
  return ` ${host.kernel.cmdline?.trim() ?? ''} `.includes(` ${trialToken} `)
}
