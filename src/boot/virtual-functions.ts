/**
 * Virtual functions at every boot: files of our own that make them on the recorded card, set them up, and hand them to the
 * early binding. Run by udev when the card appears (or its driver does), before its network interface is announced to
 * anyone: udev holds the events of what hangs below a device until that device's own is done. Text only.
 *
 * The list has a line for each physical function (shell-identity.ts) with the number wanted behind it, and below it `vf N …`
 * in the words of ip-link(8).
 */
import type { Identity } from '../pci/identity.ts'
import { settingWords, type VirtualFunctionSettings } from '../pci/virtual-functions.ts'
import { bindScriptPath } from './early-binding.ts'
import { ownHeader, type OwnFile } from './own-file.ts'
import { formatIdentity, identityInShell } from './shell-identity.ts'

const virtualFunctionsPath = '/etc/handover/virtual-functions'
const makeScriptPath = '/etc/handover/make-virtual-functions'
const makeRulePath = '/etc/udev/rules.d/11-handover-virtual-functions.rules'

export type WantedFunctions = {
  readonly identity: Identity
  readonly count: number
  /** From number 0. */
  readonly functions: readonly VirtualFunctionSettings[]
}

function formatVirtualFunctions(wanted: readonly WantedFunctions[]): string {
  const lines = wanted.flatMap(({ identity, count, functions }) => [
    `${formatIdentity(identity)} ${count}`,
    ...functions.flatMap((one, i) => {
      const words = settingWords(one)
      return words.length === 0 ? [] : [`vf ${i} ${words.join(' ')}`]
    }),
  ])
  return `${[ownHeader, ...lines].join('\n')}\n`
}

/** Functions that are there already are left alone: a virtual machine may use them, and some drivers reset one whose MAC is set. */
const makeScript = `#!/bin/sh
${ownHeader}
# Makes the virtual functions listed in ${virtualFunctionsPath}, each card's only after its identity was checked.
# With an address it looks at that one card. handover=off on the kernel command line switches this off.
root=\${HANDOVER_ROOT:-}
only=$1
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
said() { echo "handover: $1" > "$root/dev/kmsg" 2>/dev/null || echo "handover: $1" >&2; }
list=$root${virtualFunctionsPath}
[ -r "$list" ] || exit 0
cmdline=
read -r cmdline < "$root/proc/cmdline"
case " $cmdline " in *" handover=off "*) exit 0 ;; esac

${identityInShell}
# Makes $2 functions on the card in folder $1; without its driver nothing can, and its bind event comes later.
make() {
  [ -e "$1/driver" ] || return 1
  has=
  read -r has 2>/dev/null < "$1/sriov_numvfs"
  [ "$has" = "$2" ] && return 1
  if [ "$has" != 0 ]; then
    said "\${1##*/} has \${has:-no} virtual functions, and $2 are wanted; they were left alone"
    return 1
  fi
  [ -e "$1/sriov_drivers_autoprobe" ] && echo 0 > "$1/sriov_drivers_autoprobe"
  echo "$2" > "$1/sriov_numvfs" || { said "\${1##*/}: $2 virtual functions cannot be made"; return 1; }
  said "\${1##*/} has $2 virtual functions"
}

# Set up first, then bound: no guest may see a function before its VLAN and MAC are set.
bind_all() {
  [ -n "$made" ] && [ -x "$root${bindScriptPath}" ] || return 0
  for one in "$made"/virtfn*; do
    [ -e "$one" ] && one=$(cd "$one" && pwd -P) && "$root${bindScriptPath}" "\${one##*/}"
  done
}

made=
while read -r line; do
  set -- $line
  case $1 in
    ''|'#'*) continue ;;
    vf)
      [ -n "$made" ] || continue
      port=
      for one in "$made"/net/*; do [ -e "$one" ] && port=\${one##*/} && break; done
      ip link set dev "$port" "$@" || said "\${made##*/}: ip link set dev $port $* failed"
      continue ;;
  esac
  bind_all
  made= path=$1 vendor=$2 device=$3 subvendor=$4 subdevice=$5 dsn=$6 count=$7
  find_recorded 'no virtual functions were made' && make "$found" "$count" && made=$found
done < "$list"
bind_all
exit 0
`

/** `add` is repeated for every device when udev starts, with drivers that the initramfs loaded in place; `bind` comes when one binds later. */
const rule = `${ownHeader}
ACTION=="add|bind", SUBSYSTEM=="pci", ATTR{sriov_numvfs}=="0", RUN+="${makeScriptPath} %k"
`

export function virtualFunctionFiles(wanted: readonly WantedFunctions[]): OwnFile[] {
  return [
    { path: virtualFunctionsPath, mode: 0o644, text: formatVirtualFunctions(wanted) },
    { path: makeScriptPath, mode: 0o755, text: makeScript },
    { path: makeRulePath, mode: 0o644, text: rule },
  ]
}
