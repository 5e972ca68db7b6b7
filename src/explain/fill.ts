/** Puts what a matched line names into a text: `{device}` becomes `0000:03:00.0`. */
import { parseAddress, type PciAddress } from '../pci/address.ts'

/** With its domain, as the kernel, QEMU and libvirt write it. */
const wholeAddress = /(?<![\w:])[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?!\w)/gi

/** Nothing that a shell takes for more than a word: people paste these commands. */
const plainWord = /^\w[\w.:-]{0,63}$/

const placeholder = /\{(\w{1,20})\}/g

/** The addresses that a line names; that of the pattern's group comes first. */
export function addressesIn(line: string, match: RegExpExecArray): PciAddress[] {
  const named = match.groups?.['device']
  const texts = [...(named === undefined ? [] : [named]), ...(line.match(wholeAddress) ?? [])]
  return [...new Set(texts.flatMap((text) => parseAddress(text) ?? []))]
}

/** A name for which the line has no plain word is left as a word in capitals, such as `GROUP`. */
export function fill(text: string, match: RegExpExecArray, device: PciAddress | undefined): string {
  return text.replaceAll(placeholder, (_, name: string) => {
    const value = name === 'device' ? (device ?? 'ADDRESS') : match.groups?.[name]
    return value !== undefined && plainWord.test(value) ? value : name.toUpperCase()
  })
}
