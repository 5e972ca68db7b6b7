/**
 * Finds and removes ids that were given to vfio-pci or pci-stub, which then bind every device with these ids.
 * They are on the kernel command line, and in files with module options (modprobe.d(5), initramfs-tools(7)),
 * where everything else keeps its bytes.
 */
import { parseCmdline, readArg } from './cmdline.ts'

/** Drivers that bind every device that their `ids` name, spelled as modprobe prints them. */
const takers = ['vfio-pci', 'pci-stub'] as const

export type Taker = (typeof takers)[number]

export type GivenIds = {
  readonly taker: Taker
  /** Comma-separated, without quotes, in lower case; never empty. */
  readonly ids: string
}

/** In module names the kernel treats `-` and `_` as equal. */
export function plainModule(name: string): string {
  return name.replaceAll('-', '_')
}

function takerOf(module: string): Taker | undefined {
  return takers.find((taker) => plainModule(taker) === plainModule(module))
}

/** The driver to which an argument such as `vfio-pci.ids=8086:10d3` gives ids. */
export function takerOfArg(raw: string): Taker | undefined {
  const [module = '', option] = readArg(raw).key.split('.')
  return option === 'ids' ? takerOf(module) : undefined
}

/** `argument` is spelled as on the command line. */
export function idsOnCmdline(cmdline: string): (GivenIds & { readonly argument: string })[] {
  return parseCmdline(cmdline).args.flatMap(({ raw }) => {
    const taker = takerOfArg(raw)
    const ids = plainIds(readArg(raw).value)
    return taker === undefined || ids === '' ? [] : [{ taker, ids, argument: raw }]
  })
}

/** Finds the ids in one of these files, one item for each `ids=`. */
export function idsInFile(path: string, text: string): GivenIds[] {
  return logicalLines(text).flatMap(({ start, end }) =>
    optionWords(path, text.slice(start, end)).flatMap(({ taker, word }) => {
      const ids = plainIds(word.slice(word.indexOf('=') + 1))
      return ids === '' ? [] : [{ taker, ids }]
    }),
  )
}

function plainIds(value: string | undefined): string {
  return (value ?? '').replaceAll('"', '').toLowerCase()
}

/** Removes the ids from the text, and an `options` line that has no other option. */
export function removeIds(path: string, text: string): string {
  let edited = text
  for (const { start, end } of logicalLines(text).toReversed()) {
    const line = text.slice(start, end)
    const words = optionWords(path, line)
    if (words.length === 0) continue
    let cut = line
    for (const { at, word } of words.toReversed()) {
      const before = cut.slice(0, at).replace(/(?:[ \t]|\\\n)+$/, '')
      cut = before + cut.slice(at + word.length)
    }
    const isEmpty = isModprobe(path) && wordsOf(cut).length <= 2
    edited = edited.slice(0, start) + (isEmpty ? '' : cut) + edited.slice(end)
  }
  return edited
}

function isModprobe(path: string): boolean {
  return path.startsWith('/etc/modprobe.d/')
}

type Word = { readonly at: number; readonly word: string }

/** The words `ids=…` after `options MODULE` (modprobe.d) or after the module's name (initramfs-tools). */
function optionWords(path: string, line: string): (Word & { readonly taker: Taker })[] {
  if (/^[ \t]*#/.test(line)) return []
  const words = wordsOf(line)
  const isOptions = words[0]?.word === 'options'
  if (isModprobe(path) && !isOptions) return []
  const taker = takerOf(words[isModprobe(path) ? 1 : 0]?.word ?? '')
  return words.flatMap((word) =>
    taker !== undefined && word.word.startsWith('ids=') ? [{ ...word, taker }] : [],
  )
}

function wordsOf(line: string): Word[] {
  return [...line.matchAll(/(?:"[^"\n]*"|\\(?!\n)|[^\s\\"]|")+/g)].map(({ index, 0: word }) => ({
    at: index,
    word,
  }))
}

/** Lines with the lines that a backslash joins to them. libkmod joins lines before it looks for comments. */
function logicalLines(text: string): { readonly start: number; readonly end: number }[] {
  const lines: { start: number; end: number }[] = []
  let start = 0
  while (start < text.length) {
    let end = text.indexOf('\n', start)
    while (end > 0 && text[end - 1] === '\\') end = text.indexOf('\n', end + 1)
    const behind = end < 0 ? text.length : end + 1
    lines.push({ start, end: behind })
    start = behind
  }
  return lines
}
