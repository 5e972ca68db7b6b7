/**
 * Scripts and units that run on hosts are files under assets/boot/, checked by shellcheck. This file makes
 * the text that is written from such a file: what is only for shellcheck is left out, and the identity check
 * is put in where a script sources it, because an initramfs gets one file.
 */
import identity from '../../assets/boot/identity.sh?raw'

const sourced = '. ./identity.sh\n'

export function scriptText(asset: string): string {
  return withoutDirectives(asset).replace(sourced, () => withoutDirectives(identity))
}

function withoutDirectives(text: string): string {
  return text.replaceAll(/^[ \t]*# shellcheck .*\n/gm, '')
}
