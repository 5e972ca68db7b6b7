/**
 * The arguments of `handover inspect` as they are nearly always given. Commander, which knows all of them and every way to be
 * wrong, takes longer to start than a small host takes to be read.
 */
import type { InspectOptions } from './commands/inspect.ts'

export type PlainInspect = { readonly args: readonly string[]; readonly options: InspectOptions }

/** What commander would make of them; undefined where it has to look itself: other options, `--help`, anything unclear. */
export function plainInspect(argv: readonly string[]): PlainInspect | undefined {
  if (argv[0] !== 'inspect') return undefined
  const args: string[] = []
  const options: { -readonly [Key in keyof InspectOptions]: InspectOptions[Key] } = { color: true }
  for (let at = 1; at < argv.length; at++) {
    const arg = argv[at] ?? ''
    if (arg === '--json') options.json = true
    else if (arg === '--table') options.table = true
    else if (arg === '--no-color') options.color = false
    else if (arg === '--root' && isPlain(argv[at + 1])) options.root = argv[++at] ?? ''
    else if (arg.startsWith('--root=') && arg !== '--root=') options.root = arg.slice('--root='.length)
    else if (isPlain(arg) && args.length === 0) args.push(arg)
    else return undefined
  }
  return { args, options }
}

function isPlain(arg: string | undefined): boolean {
  return arg !== undefined && arg !== '' && !arg.startsWith('-')
}
