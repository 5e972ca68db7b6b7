/**
 * A trial boot: new kernel arguments and a new initramfs get a separate entry for one boot (see the file of
 * each loader). This file makes the script that checks the host on that boot, and its configuration.
 */
import unitAsset from '../../../assets/boot/handover-trial.service?raw'
import trialAsset from '../../../assets/boot/trial.sh?raw'
import { runFolder, stateFolder } from '../../base/own-folders.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { scriptText } from '../script.ts'

export const trialToken = 'handover.trial=1'
/** The id of the trial's entry in GRUB. */
export const trialId = 'handover-trial'
/** The file of the trial's entry for systemd-boot. */
export const trialEntryName = 'handover-trial.conf'
export const trialInitramfsName = 'handover-trial.img'
/**
 * Beside the good unified images, where systemd-boot finds it. Its id is this name (systemd-boot(7), Type
 * #2).
 */
export const trialImageName = 'handover-trial.efi'
export const trialConfPath = '/etc/handover/trial.conf'
const trialScriptPath = '/etc/handover/trial'
/** The trial script writes `healthy` to this file, or what is wrong. */
export const trialHealthPath = `${runFolder}/trial-health`
export const trialConfirmedPath = `${runFolder}/confirmed`
/** The reason why the last trial was given up. The file survives the reboot. */
export const trialResultPath = `${stateFolder}/trial-result`

/** Whether this is the command line of a trial boot. */
export function isTrialCmdline(cmdline: string): boolean {
  return ` ${cmdline.trim()} `.includes(` ${trialToken} `)
}

/** How long a trial boot waits for its confirmation by default. */
export const trialMinutes = 10

/** What the trial script checks, besides the bindings. */
export type TrialChecks = {
  readonly minutes: number
  readonly mounts: readonly string[]
  readonly hasDefaultRoute: boolean
  /** The IPv4 addresses that the host must have. */
  readonly addresses: readonly string[]
  /** The drivers of all functions that stay with the host: `['0000:00:1f.2', 'ahci']`. */
  readonly drivers: readonly (readonly [address: string, driver: string])[]
  /**
   * VMs through which the host reaches its network, and when each is up at the latest after the kernel's
   * start.
   */
  readonly waits: readonly TrialWait[]
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

export type TrialWait = { readonly vm: string; readonly seconds: number }

export function formatTrialConf(checks: TrialChecks): string {
  const lines = [
    ownHeader,
    `minutes ${checks.minutes}`,
    ...checks.mounts.map((path) => `mount ${inMounts(path)}`),
    ...(checks.hasDefaultRoute ? ['route default'] : []),
    ...checks.addresses.map((address) => `address ${address}`),
    ...checks.drivers.map(([address, driver]) => `driver ${address} ${driver}`),
    ...checks.waits.map(({ vm, seconds }) => `wait ${seconds} ${vm}`),
    ...checks.add.map((raw) => `add ${raw}`),
    ...checks.remove.map((raw) => `remove ${raw}`),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Escapes a path as /proc/mounts does: space, tab, newline and backslash in octal (`mangle`, fs/seq_file.c).
 */
function inMounts(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Reads the arguments under trial, which a confirmation makes permanent. */
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
 * The script measures time from the kernel's start (/proc/uptime), since the clock may be changed during the
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
