/**
 * A trial boot: new kernel arguments and a new initramfs get an entry of their own for one boot (each
 * loader's file has its way). What is checked on that boot is a file and a script of ours; who writes them is
 * apply/.
 */
import unitAsset from '../../../assets/boot/handover-trial.service?raw'
import trialAsset from '../../../assets/boot/trial.sh?raw'
import { runFolder, stateFolder } from '../../base/own-folders.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { scriptText } from '../script.ts'

export const trialToken = 'handover.trial=1'
/** GRUB's id of the trial's entry. */
export const trialId = 'handover-trial'
/** A file of systemd-boot's entries. */
export const trialEntryName = 'handover-trial.conf'
export const trialInitramfsName = 'handover-trial.img'
/**
 * Beside the good unified images, so that systemd-boot offers it; its id is its name (systemd-boot(7), Type
 * #2).
 */
export const trialImageName = 'handover-trial.efi'
export const trialConfPath = '/etc/handover/trial.conf'
const trialScriptPath = '/etc/handover/trial'
/** Written by the trial script: `healthy`, or what is wrong. */
export const trialHealthPath = `${runFolder}/trial-health`
export const trialConfirmedPath = `${runFolder}/confirmed`
/** Why the last trial was given up; survives the reboot. */
export const trialResultPath = `${stateFolder}/trial-result`

/** Whether the kernel with this command line was started as a trial. */
export function isTrialCmdline(cmdline: string): boolean {
  return ` ${cmdline.trim()} `.includes(` ${trialToken} `)
}

/** How long a trial boot waits for its confirmation when nobody says otherwise. */
export const trialMinutes = 10

/** What the trial boot must show, besides every binding in force. */
export type TrialChecks = {
  readonly minutes: number
  readonly mounts: readonly string[]
  readonly hasDefaultRoute: boolean
  /** IPv4 addresses the host must have again. */
  readonly addresses: readonly string[]
  /** Drivers of all functions that stay with the host: `['0000:00:1f.2', 'ahci']`. */
  readonly drivers: readonly (readonly [address: string, driver: string])[]
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

export function formatTrialConf(checks: TrialChecks): string {
  const lines = [
    ownHeader,
    `minutes ${checks.minutes}`,
    ...checks.mounts.map((path) => `mount ${inMounts(path)}`),
    ...(checks.hasDefaultRoute ? ['route default'] : []),
    ...checks.addresses.map((address) => `address ${address}`),
    ...checks.drivers.map(([address, driver]) => `driver ${address} ${driver}`),
    ...checks.add.map((raw) => `add ${raw}`),
    ...checks.remove.map((raw) => `remove ${raw}`),
  ]
  return `${lines.join('\n')}\n`
}

/** A path as /proc/mounts writes it: space, tab, newline and backslash as octal (`mangle`, fs/seq_file.c). */
function inMounts(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** The arguments under trial, for making them permanent. */
export function parseTrialConf(text: string): {
  readonly add: readonly string[]
  readonly remove: readonly string[]
} {
  const of = (key: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1).trim())
  return { add: of('add'), remove: of('remove') }
}

/**
 * Time is counted from the kernel's start (/proc/uptime): a clock may jump in either direction on such a
 * boot.
 */
export const trialScript = scriptText(trialAsset)

export function trialFiles(checks: TrialChecks): OwnFile[] {
  return [
    { path: trialConfPath, mode: 0o644, text: formatTrialConf(checks), purpose: 'trial' },
    { path: trialScriptPath, mode: 0o755, text: trialScript },
    { path: '/etc/systemd/system/handover-trial.service', mode: 0o644, text: scriptText(unitAsset) },
    {
      path: '/etc/systemd/system/sysinit.target.d/handover.conf',
      mode: 0o644,
      text: `${ownHeader}\n[Unit]\nWants=handover-trial.service\n`,
    },
  ]
}
