/** How plan names devices in sentences: the address first, then what a person calls it. */
import { classWord } from '../pci/class-code.ts'
import { clean } from '../base/printable.ts'
import type { PciAddress } from '../pci/address.ts'
import { deviceClass, type PciDevice } from '../pci/device.ts'
import { shortName } from '../judge/words.ts'
import type { DeviceSelector } from '../spec/spec.ts'
import type { Layout } from './who/cards.ts'

/** `a network port`, `an NVMe drive`. */
export function withArticle(word: string): string {
  return `${/^(?:[aeio]|NV)/.test(word) ? 'an' : 'a'} ${word}`
}

export function nameOf(device: PciDevice | undefined): string {
  if (device === undefined) return 'unknown device'
  if (device.name !== undefined) return shortName(clean(device.name))
  const ids = device.vendorId === undefined ? '' : ` ${device.vendorId}:${device.deviceId ?? '????'}`
  return `${classWord(deviceClass(device))}${ids}`
}

/** `port 2 of 4`; empty for a device that is alone of its kind on its card. */
export function portWords(address: PciAddress, layout: Layout): string {
  const total = layout.portsOnCard.get(layout.cardOf.get(address) ?? '') ?? 1
  return total > 1 ? `port ${layout.portOf.get(address) ?? '?'} of ${total}` : ''
}

/** What a selector asks for, in words: `a network port, port 2 of the card "quad"`. */
export function sayDemand(select: DeviceSelector): string {
  const parts = [withArticle(classWord(select.class ?? 'other'))]
  if (select.port !== undefined) parts.push(`(port ${select.port})`)
  if (select.card !== undefined) parts.push(`on the card "${select.card}"`)
  if (select.pair !== undefined) parts.push(`of the pair "${select.pair}"`)
  if (select.physicalSlot !== undefined) parts.push(`in slot ${select.physicalSlot}`)
  if (select.name !== undefined) parts.push(`named "${select.name}"`)
  if (select.ids !== undefined) parts.push(`with ids ${select.ids}`)
  if (select.mac !== undefined) parts.push(`with MAC ${select.mac}`)
  if (select.serial !== undefined) parts.push(`with serial ${select.serial}`)
  if (select.disk !== undefined) parts.push(`with the disk ${select.disk} behind it`)
  if (select.path !== undefined) parts.push(`at the path ${select.path}`)
  if (select.address !== undefined) parts.push(`at ${select.address}`)
  if (select.virtualFunction !== undefined) parts.push(`of the virtual functions "${select.virtualFunction}"`)
  if (select.number !== undefined) parts.push(`(number ${select.number})`)
  if (select.numaNode !== undefined) parts.push(`on NUMA node ${select.numaNode}`)
  return parts.join(' ')
}

/** Words as a list in YAML, each once; quoted where they would not be read as they are. */
export function yamlList(words: readonly string[]): string {
  const written = [...new Set(words)].map((word) =>
    /^[A-Za-z/][\w./-]*$/.test(word) ? word : JSON.stringify(word),
  )
  return `[${written.join(', ')}]`
}
