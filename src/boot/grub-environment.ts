/**
 * GRUB's environment block (grubenv): 1024 bytes, `name=value` lines behind a header, filled up with `#`. GRUB itself writes it
 * when it starts a one-shot entry: `next_entry=trial` becomes `next_entry=`, which means the same as no such line.
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
