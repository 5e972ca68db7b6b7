/**
 * Reduces large and private files to the lines that the readers use. Each rule must leave the result of the
 * reader unchanged (a test compares).
 */
import { pciIdsPaths } from '../../host/read/name-devices.ts'
import { linesWith } from './lines.ts'
import type { Recording } from './recording.ts'
import { diskRules, reduceMounts, reduceNamespaces } from './reduce-disks.ts'
import { reduceConnections, reduceFibTrie, reduceRecord } from './reduce-network.ts'
import { reduceProcesses } from './reduce-processes.ts'

type Rule = readonly [path: RegExp, reduce: (text: string, path: string) => string | undefined]

const rules: readonly Rule[] = [
  [/^\/proc\/cpuinfo$/, reduceCpus],
  [/^\/proc\/interrupts$/, reduceInterrupts],
  [/^\/proc\/iomem$/, keepNested],
  [
    /\/grub2?\/(?:grub|custom|user)\.cfg$/,
    (text) => text.replaceAll(/^[ \t]*(?:password\w*|set[ \t]+superusers)\b.*$/gm, ''),
  ],
  [/^\/proc\/meminfo$/, (text) => linesWith(text, /^Mem(?:Total|Available):/)],
  [/^\/proc\/modules$/, (text) => text.replaceAll(/^(\S+) .*$/gm, '$1 0 0 - Live 0x0')],
  [
    /^\/boot\/config-|\/modules\/[^/]+\/config$/,
    (text) => linesWith(text, /^CONFIG_\w*(?:IOMMU|VFIO|IRQ_REMAP|KVM)\w*=/),
  ],
  [/^\/proc\/net\/rtnetlink\/.*\.json$/, reduceRecord],
  [/^\/proc\/net\/route$/, (text) => text.replaceAll(/\s+$/gm, '')],
  [/^\/proc\/net\/fib_trie$/, reduceFibTrie],
  [/^\/sys\/devices\/.*\/resource$/, reduceResource],
  ...diskRules,
]

/** Reduces the files of a recording. A file of which nothing is kept is dropped, with its name in /proc. */
export function reduceRecording(recording: Recording): Recording {
  const files = new Map<string, Uint8Array>()
  for (const [path, bytes] of recording.files) {
    if (pciIdsPaths.includes(path)) continue
    const rule = rules.find(([pattern]) => pattern.test(path))
    const text = rule ? rule[1](new TextDecoder().decode(bytes), path) : undefined
    if (!rule) files.set(path, bytes)
    else if (text !== undefined) files.set(path, new TextEncoder().encode(text))
  }
  return reduceProcesses(reduceConnections(reduceNamespaces(reduceMounts({ ...recording, files }))))
}

/** Keeps the facts of the first processor and the number of processors. */
function reduceCpus(text: string): string {
  const end = text.indexOf('\n\n')
  if (end < 0) return text
  const rest = linesWith(text.slice(end), /^processor\s*:/)
  return `${linesWith(text.slice(0, end), /^(?:processor|vendor_id|cpu family|model|model name|flags)\s*:/)}\n\n${rest}`
}

/** One line for each kind of interrupt chip shows whether remapping is active. */
function reduceInterrupts(text: string): string {
  const kept = new Map<string, string>()
  for (const match of text.matchAll(/\s((?:IR-)?(?:PCI-MSI|IO-APIC|HPET))/g)) {
    const chip = match[1] ?? ''
    kept.set(chip, ` 0: 0 ${chip} kept`)
  }
  return [...kept.values()].join('\n')
}

/** Keeps framebuffers of the firmware and memory in CXL windows, each with the ranges around it. */
function keepNested(text: string): string {
  const kept = new Set<number>()
  const lines = text.split('\n')
  let above: { readonly at: number; readonly depth: number; readonly inWindow: boolean }[] = []
  for (const [at, line] of lines.entries()) {
    const depth = /^ */.exec(line)?.[0].length ?? 0
    above = above.filter((one) => one.depth < depth)
    const inWindow = above.at(-1)?.inWindow === true || line.includes(' : CXL Window ')
    above.push({ at, depth, inWindow })
    const isMeant = inWindow
      ? / : System RAM/
      : / : (?:BOOTFB|efifb|vesafb|simplefb|simpledrm|simple-framebuffer)/i
    if (isMeant.test(line)) for (const one of above) kept.add(one.at)
  }
  return lines.filter((_, at) => kept.has(at)).join('\n')
}

/** Keeps the lines of BARs and ROM, without the unused lines at the end. */
function reduceResource(text: string): string {
  return text
    .split('\n')
    .slice(0, 7)
    .join('\n')
    .replace(/(?:\n?0x0{16} 0x0{16} 0x0{16})+\n*$/, '')
}
