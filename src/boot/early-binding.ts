/**
 * Early binding: files of our own that give each assigned device to vfio-pci before its own driver sees it,
 * in the initramfs and at every later `add` event (hot-plug, SR-IOV), after checking that the device at that
 * place *is* the recorded one. Never `ids=`, never `new_id`. Text only; who writes it is apply/.
 *
 * The script reads one line per device: who it is (shell-identity.ts), and the reset methods it may use,
 * commas between, where they are chosen for it. A line `only-with TOKEN` limits everything below it to boots
 * whose command line has TOKEN (a trial boot).
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

/** Who the device is, and the only reset methods it may use where the kernel's choice is known bad. */
export type Binding = Identity & { readonly resetMethods?: readonly string[] }

/**
 * What is new goes to boots with `token` only; lines of `inForce` (the file as it is) stay for every boot.
 */
export type Gate = { readonly token: string; readonly inForce: string | undefined }

export function formatBindings(identities: readonly Binding[], gate?: Gate): string {
  const all = identities.map((identity) => {
    const resets = identity.resetMethods === undefined ? '' : ` ${identity.resetMethods.join(',')}`
    return formatIdentity(identity) + resets
  })
  // One order whatever the spec's: lifting the gate must give the very file that is wanted without one.
  const lines = all.toSorted()
  const inForce = new Set(linesInForce(gate?.inForce ?? ''))
  const isFree = (line: string) => gate === undefined || inForce.has(line)
  const gated = lines.filter((line) => !isFree(line))
  const held = gate === undefined || gated.length === 0 ? [] : [`only-with ${gate.token}`, ...gated]
  return `${[ownHeader, ...lines.filter(isFree), ...held].join('\n')}\n`
}

/** The same bindings for every boot. */
export function liftGate(bindings: string): string {
  const lines = bindings.split('\n').filter((line) => line !== '' && !/^(?:#|only-with )/.test(line))
  return `${[ownHeader, ...lines.toSorted()].join('\n')}\n`
}

/** Everything above the gate holds for every boot. */
function linesInForce(bindings: string): string[] {
  const lines = bindings.split('\n')
  const gate = lines.findIndex((line) => line.startsWith('only-with '))
  return (gate < 0 ? lines : lines.slice(0, gate)).filter((line) => line !== '' && !line.startsWith('#'))
}

/**
 * POSIX sh that also runs in busybox and klibc. `bind` alone goes through all lines and may take devices from
 * drivers (an initramfs has nothing mounted yet); `bind ADDRESS` looks at that one device and never takes it
 * from a driver; `bind check` only looks.
 */
export const bindScript = scriptText(bindAsset)

/** Everything that is written for early binding, in the order of writing. */
export function earlyBindingFiles(
  tool: InitramfsTool,
  identities: readonly Binding[],
  gate?: Gate,
): OwnFile[] {
  return [
    { path: bindingsPath, mode: 0o644, text: formatBindings(identities, gate) },
    { path: bindScriptPath, mode: 0o755, text: bindScript },
    { path: udevRulePath, mode: 0o644, text: scriptText(ruleAsset) },
    { path: modulesLoadPath, mode: 0o644, text: `${ownHeader}\nvfio-pci\nvfio_iommu_type1\n` },
    ...tool.files,
  ]
}
