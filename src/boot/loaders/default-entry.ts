/**
 * What systemd-boot starts when nothing is chosen: a trial more must never become that. The reason why it
 * might is found here, for entries in files and for images that are entries by themselves.
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
 * Why the trial entry might be booted without being chosen; undefined when it cannot. The loader takes the
 * first entry that matches LoaderEntryDefault, then `default` of loader.conf, then the first in its order:
 * entries with a sort-key stand before those without, and among these later names stand first, digits before
 * letters (a leading 0 was once left out; src/boot/efi/boot.c, config_entry_compare;
 * src/fundamental/string-util-fundamental.c, strverscmp_improved; since systemd 250).
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
    'nothing says which entry systemd-boot takes by default, and the trial might come first: ' +
    'name the good one in loader.conf (default NAME.conf)'
  )
}

/** `images`: names of unified kernel images, each of which is an entry by itself. */
export type ImageChoice = DefaultChoice & { readonly images: readonly string[] }

/**
 * The same for an image that is an entry by itself. What it is sorted by stands inside it, as its maker took
 * it from /etc/os-release on that day: only a default that is named can be relied on. `started`: the name of
 * the good image.
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
    'nothing says which image systemd-boot takes by default, and the trial might come first: ' +
    `name the good one in loader.conf (default ${entryId(started)})`
  )
}

/**
 * What is named as the default: an entry that is there and not the trial, nothing, or what makes it a danger.
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
        'systemd-boot boots again whatever was booted last (default @saved), ' +
        'so a bad trial would be started again and again',
    }
  for (const pattern of patterns) {
    if (matchesGlob(pattern, trial, true))
      return { danger: `${pattern}, the entry that systemd-boot takes by default, means the trial, too` }
    if (others.some((name) => matchesGlob(pattern, name, false))) return 'another'
  }
  return 'nothing'
}

/** With the counter of boot counting and without: loaders have matched both. */
function namesOf(entries: readonly EntryFile[]): string[] {
  return entries.flatMap(({ path }) => [nameOf(path), entryId(path)])
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * `*` and `?`, case ignored: ids are folded by the loader. What a class in brackets means is not worked out;
 * it counts as `classes` says, so that the caller errs on the safe side. Steps back only to the last `*`, so
 * no pattern takes long.
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
