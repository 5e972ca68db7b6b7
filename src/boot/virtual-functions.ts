/**
 * Virtual functions at every boot: files of our own that make them on the recorded card, set them up, and
 * hand them to the early binding. Run by udev when the card appears (or its driver does), before its network
 * interface is announced to anyone: udev holds the events of what hangs below a device until that device's
 * own is done. Text only.
 *
 * The list has a line for each physical function (shell-identity.ts) with the number wanted behind it, and
 * below it `vf N …` in the words of ip-link(8).
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

export function virtualFunctionFiles(wanted: readonly WantedFunctions[]): OwnFile[] {
  return [
    { path: virtualFunctionsPath, mode: 0o644, text: formatVirtualFunctions(wanted) },
    { path: makeScriptPath, mode: 0o755, text: scriptText(makeAsset) },
    { path: makeRulePath, mode: 0o644, text: scriptText(ruleAsset) },
  ]
}
