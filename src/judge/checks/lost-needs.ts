/**
 * A need of the host whose trail was lost may end at this function: nothing proves that, and nothing
 * disproves it. The function stays until somebody finds the end or says that the function is not in use.
 */
import { listText } from '../../base/text.ts'
import type { LostNeed } from '../../host/host.ts'
import type { PciDevice } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import { identityWords } from '../identity-words.ts'
import { says } from '../reasons.ts'
import type { Reason } from '../types.ts'

export const checkLostNeeds: Check = (device, view) => {
  const lost = view.lostAt(device.address)
  return lost.length === 0 ? nothing : [reasonOf(device, lost)]
}

function reasonOf(device: PciDevice, lost: readonly LostNeed[]): Reason {
  const trails = [...new Set(lost.map(trailText))]
  return {
    code: 'need-lost',
    severity: 'error',
    undecided: true,
    ...says(
      device.address,
      `may carry ${listText([...new Set(lost.map(({ what }) => what))])}: ${listText(trails, 3)}`,
    ),
    help: helpOf(device),
    about: [device.address],
  }
}

/** `default route → br7 → ppp0, and nothing says which port ppp0 runs over` */
function trailText({ what, chain, lost, why }: LostNeed): string {
  return `${[what, ...chain, ...(chain.at(-1) === lost ? [] : [lost])].join(' → ')}, and ${why}`
}

function helpOf(device: PciDevice): string {
  const [word] = identityWords(device)
  const settle = word === undefined ? '' : `; if you know that it is not, list ${word} under host: not-in-use`
  return `find out whether it is in use for that${settle}`
}
