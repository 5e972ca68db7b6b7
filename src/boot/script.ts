/**
 * Scripts and units that run on hosts are files under assets/boot/, which shellcheck checks. This file makes
 * the text that is written to a host: it removes the directives for shellcheck, and inserts the identity
 * check where a script sources it, because an initramfs contains only one file. Comments of these scripts are
 * part of that text.
 */
import identity from '../../assets/boot/identity.sh?raw'

const sourced = '. ./identity.sh\n'

export function scriptText(asset: string): string {
  return withoutDirectives(asset).replace(sourced, () => withoutDirectives(identity))
}

function withoutDirectives(text: string): string {
  return text.replaceAll(/^[ \t]*# shellcheck .*\n/gm, '')
}
