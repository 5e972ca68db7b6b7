/**
 * A trial boot: new kernel arguments and a new initramfs get an entry of their own for one boot (trial-grub.ts,
 * trial-entries.ts). What is checked on that boot is a file and a script of ours; who writes them is apply/.
 */
import { ownHeader, type OwnFile } from './own-file.ts'

export const trialToken = 'handover.trial=1'
export const trialId = 'handover-trial'
export const trialConfPath = '/etc/handover/trial.conf'
const trialScriptPath = '/etc/handover/trial'
/** Written by the trial script: `healthy`, or what is wrong. */
export const trialHealthPath = '/run/handover/trial-health'
export const trialConfirmedPath = '/run/handover/confirmed'
/** Why the last trial was given up; survives the reboot. */
export const trialResultPath = '/var/lib/handover/trial-result'

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
export function parseTrialConf(text: string): { readonly add: readonly string[]; readonly remove: readonly string[] } {
  const of = (key: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1).trim())
  return { add: of('add'), remove: of('remove') }
}

/** Time is counted from the kernel's start (/proc/uptime): a clock may jump in either direction on such a boot. */
export const trialScript = `#!/bin/sh
${ownHeader}
# On a trial boot: looks whether the host is whole, waits for \`handover confirm\`, and otherwise goes back by a reboot.
root=\${HANDOVER_ROOT:-}
conf=$root${trialConfPath}
health=$root${trialHealthPath}
cmdline=
read -r cmdline < "$root/proc/cmdline"
case " $cmdline " in *" ${trialToken} "*) ;; *) exit 0 ;; esac
[ -r "$conf" ] || exit 0
mkdir -p "$root/run/handover" "$root/var/lib/handover"

uptime() { read -r up rest < "$root/proc/uptime"; echo "\${up%%.*}"; }

is_mounted() {
  while read -r device point rest; do [ "$point" = "$1" ] && return 0; done < "$root/proc/mounts"
  return 1
}

# Destination 00000000 with mask 00000000 (fields 2 and 8), or the same for IPv6.
has_route() {
  while read -r name to gate flags a b c mask rest; do
    [ "$to" = 00000000 ] && [ "$mask" = 00000000 ] && return 0
  done < "$root/proc/net/route"
  while read -r to length rest; do
    case $rest in *' lo') continue ;; esac
    [ "$to" = 00000000000000000000000000000000 ] && [ "$length" = 00 ] && return 0
  done < "$root/proc/net/ipv6_route"
  return 1
} 2>/dev/null

# The kernel's own list of addresses: a leaf \`|-- ADDRESS\`, and below it \`/32 host LOCAL\`.
has_address() {
  leaf=
  while read -r mark name kind rest; do
    [ "$mark" = '|--' ] && leaf=$name
    [ "$leaf" = "$1" ] && [ "$mark $name $kind" = '/32 host LOCAL' ] && return 0
  done < "$root/proc/net/fib_trie"
  return 1
} 2>/dev/null

# What is wrong first, or nothing.
look() {
  while read -r what one two; do
    case $what in
      mount) is_mounted "$one" || { printf '%s is not mounted\\n' "$one"; return; } ;;
      route) has_route || { echo "there is no default route"; return; } ;;
      address) has_address "$one" || { echo "the host does not have its address $one"; return; } ;;
      driver)
        is=$(readlink "$root/sys/bus/pci/devices/$one/driver" 2>/dev/null)
        [ "\${is##*/}" = "$two" ] || { echo "$one has driver \${is##*/}, expected $two"; return; } ;;
    esac
  done < "$conf"
  HANDOVER_ROOT=$root "$root/etc/handover/bind" check
}

minutes=${trialMinutes}
while read -r what one two; do [ "$what" = minutes ] && minutes=$one; done < "$conf"

go_back() {
  printf 'the trial boot was given up after %s minutes: %s\\n' "$(($(uptime) / 60))" "$1" > "$root${trialResultPath}"
  sync
  echo "handover: going back to the old boot entry: $1" > "$root/dev/kmsg" 2>/dev/null
  [ -n "$root" ] && exit 7
  systemctl reboot || reboot -f
  sleep 60
}

# Nobody can confirm a host that is not whole: after half of the time, one that was not whole for a minute goes back.
sick=0
while :; do
  wrong=$(look) now=$(uptime)
  # By rename: whoever reads it never sees half of it.
  printf '%s\\n' "\${wrong:-healthy}" > "$health.new" && mv "$health.new" "$health"
  [ -e "$root${trialConfirmedPath}" ] && exit 0
  [ -n "$wrong" ] || sick=$now
  [ "$now" -ge $((minutes * 60)) ] && go_back "\${wrong:-nobody confirmed it}"
  [ $((now - sick)) -ge 60 ] && [ "$now" -ge $((minutes * 30)) ] && go_back "$wrong"
  sleep \${HANDOVER_SLEEP:-2}
done
`

/** Starts early and survives emergency mode, which is where a bad trial may end. */
const unit = `${ownHeader}
[Unit]
Description=Handover: check the trial boot, and go back when it is not confirmed
DefaultDependencies=no
After=systemd-remount-fs.service
Conflicts=shutdown.target
Before=shutdown.target
IgnoreOnIsolate=yes
ConditionKernelCommandLine=${trialToken}

[Service]
ExecStart=${trialScriptPath}
`

export function trialFiles(checks: TrialChecks): OwnFile[] {
  return [
    { path: trialConfPath, mode: 0o644, text: formatTrialConf(checks) },
    { path: trialScriptPath, mode: 0o755, text: trialScript },
    { path: '/etc/systemd/system/handover-trial.service', mode: 0o644, text: unit },
    {
      path: '/etc/systemd/system/sysinit.target.d/handover.conf',
      mode: 0o644,
      text: `${ownHeader}\n[Unit]\nWants=handover-trial.service\n`,
    },
  ]
}
