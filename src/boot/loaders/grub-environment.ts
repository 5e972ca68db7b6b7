/**
 * GRUB's environment block (grubenv): 1024 bytes, `name=value` lines behind a header, filled up with `#`.
 * GRUB itself writes it when it starts a one-shot entry: `next_entry=trial` becomes `next_entry=`, which
 * means the same as no such line.
 */

/** The variables that say something, sorted: an empty `next_entry` says nothing. */
function variablesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => /^\w+=/.test(line) && line !== 'next_entry=')
  return lines.toSorted()
}

/** True when GRUB would act the same on both: they differ at most in a one-shot choice that is used up. */
export function isSameEnvironment(a: string, b: string): boolean {
  return variablesOf(a).join('\n') === variablesOf(b).join('\n')
}

/** `$kernelopts` by what grubenv holds; a variable that is not there stays for GRUB. */
export function expandVariables(options: string, variables: Readonly<Record<string, string>>): string {
  return options.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => variables[name] ?? whole)
}

/** By name; a backslash escapes (grub-core/lib/envblk.c). */
export function parseGrubEnvironment(text: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const line of text.split(/(?<!\\)\n/)) {
    const match = /^(\w+)=(.*)$/s.exec(line)
    if (match && !line.startsWith('#'))
      variables[match[1] ?? ''] = (match[2] ?? '').replaceAll(/\\(.)/gs, '$1')
  }
  return variables
}
