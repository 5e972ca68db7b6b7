/**
 * Makes the files that create the virtual functions of the recorded cards at every boot, set them up, and
 * pass them to the early binding. udev runs the script when the card appears or its driver is bound, before
 * other programs learn of the network interface: udev delays the events of the devices below a device until
 * that device's event is handled.
 *
 * The list has a line for each physical function (shell-identity.ts), which ends with the wanted number.
 * Below it are lines `vf N …` with settings as in ip-link(8).
 */
import ruleAsset from '../../assets/boot/11-handover-virtual-functions.rules?raw'
import makeAsset from '../../assets/boot/make-virtual-functions.sh?raw'
import type { Identity } from '../pci/identity.ts'
import { settingWords, type VirtualFunctionSettings } from '../pci/virtual-functions.ts'
import { ownHeader, type OwnFile } from './own-file.ts'
import { scriptText } from './script.ts'
import { formatIdentity } from './shell-identity.ts'

const virtualFunctionsPath = '/etc/handover/virtual-functions'
const makeScriptPath = '/etc/handover/make-virtual-functions'
const makeRulePath = '/etc/udev/rules.d/11-handover-virtual-functions.rules'

export type WantedFunctions = {
  readonly identity: Identity
  readonly count: number
  /** By their number, from 0. */
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

export function virtualFunctionFiles(wanted: readonly WantedFunctions[]): OwnFile[] {
  return [
    { path: virtualFunctionsPath, mode: 0o644, text: formatVirtualFunctions(wanted) },
    { path: makeScriptPath, mode: 0o755, text: scriptText(makeAsset) },
    { path: makeRulePath, mode: 0o644, text: scriptText(ruleAsset) },
  ]
}
