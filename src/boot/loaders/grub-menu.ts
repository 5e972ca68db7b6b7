/**
 * Finds the entry of grub.cfg that started this machine, and makes the trial's entry from it. The trial is
 * not put into /boot/loader/entries of Fedora, where it might become the first entry.
 */
import { readEntry } from './bls.ts'
import { expandVariables } from './grub-environment.ts'
import { trialArgs, type TrialEntry, type TrialWish } from '../trial/trial-args.ts'
import { trialId } from '../trial/trial.ts'
import { ownHeader } from '../own-file.ts'

/** The lines of the entry that starts `bootImage`: the value of BOOT_IMAGE= on /proc/cmdline. */
export function findBootEntry(grubCfg: string, bootImage: string | undefined): string | undefined {
  const image = withoutDevice(bootImage)
  if (image === undefined) return undefined
  return findEntries(grubCfg)
    .find((lines) => lines.some((line) => linuxLine.exec(line)?.[3] === image))
    ?.join('\n')
}

/**
 * The path of the kernel that GRUB started, without the device: `BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.1` →
 * `/vmlinuz-6.1`.
 */
export function startedImage(cmdline: string): string | undefined {
  return withoutDevice(/(?:^|\s)BOOT_IMAGE=(\S+)/.exec(cmdline)?.[1])
}

function withoutDevice(bootImage: string | undefined): string | undefined {
  return bootImage?.replace(/^\([^)]*\)/, '')
}

export function makeTrialEntry(bootEntry: string, wish: TrialWish): TrialEntry {
  const lines: string[] = []
  let hasInitrd = false
  for (const line of bootEntry.split('\n')) {
    const linux = linuxLine.exec(line)
    const initrd = initrdLine.exec(line)
    if (linux) lines.push(`${linux[1]}${linux[2]} ${linux[3]}${trialArgs(linux[4] ?? '', wish)}`)
    else if (initrd) {
      hasInitrd = true
      lines.push(`${initrd[1]}${replaceImage(initrd[2] ?? '', wish.initramfs)}`)
    } else lines.push(line)
  }
  if (!hasInitrd) return { ok: false, reason: 'the entry has no initramfs' }
  return { ok: true, text: asMenuEntry(lines) }
}

/**
 * Makes the same commands from a file of /boot/loader/entries as blscfg (grub-core/commands/blscfg.c,
 * create_entry).
 */
export function makeTrialEntryFromBls(
  entryText: string,
  wish: TrialWish,
  variables: Readonly<Record<string, string>>,
): TrialEntry {
  const entry = readEntry(entryText)
  if (entry.linux === undefined) return { ok: false, reason: 'the entry names no kernel' }
  if (entry.initrds.length === 0) return { ok: false, reason: 'the entry has no initramfs' }
  const options = expandVariables(entry.options, variables)
  if (/[;&|<>{}]/.test(options))
    return { ok: false, reason: 'the options of the entry have characters that GRUB may read as commands' }
  return {
    ok: true,
    text: asMenuEntry([
      '\tload_video',
      '\tset gfxpayload=keep',
      '\tinsmod gzio',
      `\tlinux ${entry.linux} ${trialArgs(options, wish)}`,
      `\tinitrd ${replaceImage(entry.initrds.join(' '), wish.initramfs)}`,
    ]),
  }
}

function asMenuEntry(lines: readonly string[]): string {
  return [ownHeader, `menuentry 'Handover: trial boot' --id ${trialId} {`, ...lines, '}', ''].join('\n')
}

const linuxLine = /^(\s*)(linux(?:16|efi)?)\s+(\S+)(.*)$/
const initrdLine = /^(\s*initrd(?:16|efi)?\s+)(.*)$/

/**
 * Replaces the last image, which is the initramfs, and keeps its folder. The images before it are microcode.
 */
function replaceImage(images: string, name: string): string {
  const words = images.trimEnd().split(/\s+/)
  const last = words.pop() ?? ''
  return [...words, `${last.slice(0, last.lastIndexOf('/') + 1)}${name}`].join(' ')
}

/**
 * The lines inside each `menuentry … {`, also in submenus. A line that ends with `{` opens a block, a line
 * `}` closes it.
 */
function findEntries(grubCfg: string): string[][] {
  const entries: string[][] = []
  const lines = grubCfg.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^\s*menuentry\s.*\{\s*$/.test(lines[at] ?? '')) continue
    const body: string[] = []
    let depth = 1
    for (at += 1; at < lines.length; at += 1) {
      const line = lines[at] ?? ''
      if (/\{\s*$/.test(line)) depth += 1
      if (/^\s*\}\s*$/.test(line)) depth -= 1
      if (depth === 0) break
      body.push(line)
    }
    if (depth === 0) entries.push(body)
  }
  return entries
}
