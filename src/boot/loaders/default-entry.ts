/**
 * Finds out whether the trial could become the default of systemd-boot, which must never happen. There are
 * entries in files, and unified images that are entries by themselves.
 */
import { trialEntryName, trialImageName } from '../trial/trial.ts'
import { entryId, readEntry, triesLeft } from './bls.ts'
import { goodEntries, type EntryFile } from './entry-files.ts'

export type DefaultChoice = {
  /** `systemd-boot 252.39`. */
  readonly loaderInfo: string | undefined
  /** EFI variables LoaderEntryPreferred and LoaderEntryDefault. */
  readonly variables: readonly (string | undefined)[]
  /** Text of loader.conf; undefined when there is none. */
  readonly loaderConf: string | undefined
  readonly entries: readonly EntryFile[]
}

/**
 * The reason why the trial entry might be the default; undefined when it cannot be. The loader takes the
 * first entry that matches LoaderEntryDefault, then `default` of loader.conf, then the first entry in its
 * order: entries with a sort-key come before those without, and these are sorted by name in reverse, digits
 * before letters (since systemd 250: src/boot/efi/boot.c, config_entry_compare;
 * src/fundamental/string-util-fundamental.c, strverscmp_improved, which skipped a leading 0 in some
 * releases).
 */
export function whyTrialMayBeDefault(choice: DefaultChoice): string | undefined {
  const others = goodEntries(choice.entries)
  const named = whatDefaultsSay(choice, trialEntryName, namesOf(others))
  if (named !== 'nothing') return named === 'another' ? undefined : named.danger
  const version = Number(/^systemd-boot (\d+)/.exec(choice.loaderInfo ?? '')?.[1] ?? 0)
  const isBehind = others.some(
    ({ path, text }) =>
      triesLeft(path) !== 0 && (readEntry(text).sortKey !== undefined || /^[1-9i-z]/.test(entryId(path))),
  )
  if (version >= 250 && isBehind) return undefined
  return (
    'no setting names the entry that systemd-boot starts by default, so it might be the trial: ' +
    'name the good one in loader.conf (default NAME.conf)'
  )
}

/** `images`: names of unified kernel images, each of which is an entry by itself. */
export type ImageChoice = DefaultChoice & { readonly images: readonly string[] }

/**
 * The same for unified images. Their sort key is inside the image, as /etc/os-release was when the image was
 * made, so the order is not predicted: a default must be named. `started` is the name of the good image.
 */
export function whyImageMayBeDefault(choice: ImageChoice, started: string): string | undefined {
  const others = [
    ...namesOf(goodEntries(choice.entries)),
    ...choice.images.filter((name) => name !== trialImageName),
  ]
  const named = whatDefaultsSay(choice, trialImageName, others)
  if (named === 'another') return undefined
  if (named !== 'nothing') return named.danger
  return (
    'no setting names the image that systemd-boot starts by default, so it might be the trial: ' +
    `name the good one in loader.conf (default ${entryId(started)})`
  )
}

/**
 * `another`: an existing entry that is not the trial is named as the default. `danger`: the trial could be
 * started.
 */
function whatDefaultsSay(
  { variables, loaderConf = '' }: DefaultChoice,
  trial: string,
  others: readonly string[],
): 'another' | 'nothing' | { readonly danger: string } {
  const configured = ['preferred', 'default'].map(
    (key) => new RegExp(`^${key}[ \\t]+(\\S+)`, 'm').exec(loaderConf)?.[1],
  )
  const patterns = [...variables, ...configured]
    .filter((pattern) => pattern !== undefined)
    .filter((pattern) => pattern !== '')
  if (patterns.some((pattern) => pattern.toLowerCase() === '@saved'))
    return {
      danger:
        'systemd-boot starts the entry again that was started last (default @saved), ' +
        'so a bad trial would be started again and again',
    }
  for (const pattern of patterns) {
    if (matchesGlob(pattern, trial, true))
      return { danger: `${pattern}, the default entry of systemd-boot, also matches the trial` }
    if (others.some((name) => matchesGlob(pattern, name, false))) return 'another'
  }
  return 'nothing'
}

/** With and without the counter of boot counting: some releases of the loader match one, some the other. */
function namesOf(entries: readonly EntryFile[]): string[] {
  return entries.flatMap(({ path }) => [nameOf(path), entryId(path)])
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * Matches `*` and `?` without regard to case, as the loader does. A class in brackets is not evaluated: it
 * matches if `classes` is true, so the caller can choose the safe answer. Only the last `*` is tried again,
 * so no pattern takes long.
 */
function matchesGlob(pattern: string, id: string, classes: boolean): boolean {
  const wanted = pattern.toLowerCase().replaceAll(/\[[^\]]*\]/g, '\u0000')
  const text = id.toLowerCase()
  let [at, here, star, retry] = [0, 0, -1, 0]
  while (here < text.length) {
    const sign = wanted[at]
    if (sign === '*') [star, retry, at] = [at, here, at + 1]
    else if (sign === '?' || sign === text[here] || (sign === '\u0000' && classes))
      [at, here] = [at + 1, here + 1]
    else if (star >= 0) [at, here, retry] = [star + 1, retry + 1, retry + 1]
    else return false
  }
  while (wanted[at] === '*') at += 1
  return at === wanted.length
}
