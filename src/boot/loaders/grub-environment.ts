/**
 * GRUB's environment block (grubenv): 1024 bytes with a header, `name=value` lines, and `#` up to the end.
 * When GRUB starts a one-shot entry, it changes `next_entry=trial` to `next_entry=`, which has the same
 * meaning as no such line.
 */

/** The sorted variables without an empty `next_entry`. */
function variablesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => /^\w+=/.test(line) && line !== 'next_entry=')
  return lines.toSorted()
}

/** Whether GRUB treats both alike: they differ at most in an empty one-shot choice. */
export function isSameEnvironment(a: string, b: string): boolean {
  return variablesOf(a).join('\n') === variablesOf(b).join('\n')
}

/** Replaces `$kernelopts` by its value in grubenv. Unknown variables are kept, so that GRUB expands them. */
export function expandVariables(options: string, variables: Readonly<Record<string, string>>): string {
  return options.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => variables[name] ?? whole)
}

/** A backslash escapes the next character (grub-core/lib/envblk.c). */
export function parseGrubEnvironment(text: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const line of text.split(/(?<!\\)\n/)) {
    const match = /^(\w+)=(.*)$/s.exec(line)
    if (match && !line.startsWith('#'))
      variables[match[1] ?? ''] = (match[2] ?? '').replaceAll(/\\(.)/gs, '$1')
  }
  return variables
}
