/**
 * Early binding: makes the files that bind each assigned device to vfio-pci before the host's driver sees it,
 * in the initramfs and at every later `add` event (hot-plug, SR-IOV). The script first checks that the device
 * at that place is the recorded one; it never uses `ids=` or `new_id`.
 *
 * The script reads one line for each device: its identity (shell-identity.ts), and, where the spec limits
 * them, the allowed reset methods, separated by commas. A line `guest …` or `host …` is a storage
 * controller of a VM or of the host (plan/changes/pool-guard.ts). The lines below `only-with TOKEN` hold only
 * for boots whose command line has TOKEN (a trial boot).
 */
import ruleAsset from '../../assets/boot/10-handover.rules?raw'
import bindAsset from '../../assets/boot/bind.sh?raw'
import type { Identity } from '../pci/identity.ts'
import type { InitramfsTool } from './initramfs/tool.ts'
import { ownHeader, type OwnFile } from './own-file.ts'
import { scriptText } from './script.ts'
import { formatIdentity } from './shell-identity.ts'

export const bindScriptPath = '/etc/handover/bind'
export const bindingsPath = '/etc/handover/bindings'
const udevRulePath = '/etc/udev/rules.d/10-handover.rules'
const modulesLoadPath = '/etc/modules-load.d/handover.conf'

/**
 * `resetMethods`: the only reset methods that the device may use, where the kernel's choice is known to fail.
 */
export type Binding = Identity & { readonly resetMethods?: readonly string[] }

/**
 * New lines hold only for boots with `token`; the lines of `inForce`, the present file, hold for every boot.
 */
export type Gate = { readonly token: string; readonly inForce: string | undefined }

/** A storage controller of a VM (`guest`), or one of the same kind that stays with the host (`host`). */
export type Guard = { readonly whose: 'guest' | 'host'; readonly identity: Identity }

export type Bound = {
  readonly identities: readonly Binding[]
  readonly guards?: readonly Guard[]
}

export function formatBindings({ identities, guards = [] }: Bound, gate?: Gate): string {
  const bound = identities.map((identity) => {
    const resets = identity.resetMethods === undefined ? '' : ` ${identity.resetMethods.join(',')}`
    return formatIdentity(identity) + resets
  })
  const all = [...bound, ...guards.map(({ whose, identity }) => `${whose} ${formatIdentity(identity)}`)]
  // Sorted, so that `liftGate` gives exactly the file that is wanted without a gate.
  const lines = all.toSorted()
  const inForce = new Set(linesInForce(gate?.inForce ?? ''))
  const isFree = (line: string) => gate === undefined || inForce.has(line)
  const gated = lines.filter((line) => !isFree(line))
  const held = gate === undefined || gated.length === 0 ? [] : [`only-with ${gate.token}`, ...gated]
  return `${[ownHeader, ...lines.filter(isFree), ...held].join('\n')}\n`
}

/** Makes all bindings hold for every boot. */
export function liftGate(bindings: string): string {
  const lines = bindings.split('\n').filter((line) => line !== '' && !/^(?:#|only-with )/.test(line))
  return `${[ownHeader, ...lines.toSorted()].join('\n')}\n`
}

/** The lines above `only-with`. */
function linesInForce(bindings: string): string[] {
  const lines = bindings.split('\n')
  const gate = lines.findIndex((line) => line.startsWith('only-with '))
  return (gate < 0 ? lines : lines.slice(0, gate)).filter((line) => line !== '' && !line.startsWith('#'))
}

/**
 * POSIX sh that also runs in busybox and klibc. `bind` handles all lines and may unbind drivers, since
 * nothing is mounted yet in an initramfs. `bind ADDRESS` handles only that device and never unbinds a driver.
 * `bind check` changes nothing.
 */
export const bindScript = scriptText(bindAsset)

/** In the order in which they are written. */
export function earlyBindingFiles(tool: InitramfsTool, bound: Bound, gate?: Gate): OwnFile[] {
  return [
    { path: bindingsPath, mode: 0o644, text: formatBindings(bound, gate) },
    { path: bindScriptPath, mode: 0o755, text: bindScript },
    { path: udevRulePath, mode: 0o644, text: scriptText(ruleAsset) },
    { path: modulesLoadPath, mode: 0o644, text: `${ownHeader}\nvfio-pci\nvfio_iommu_type1\n` },
    ...tool.files,
  ]
}
