/**
 * /etc/crypttab (crypttab(5) of systemd and of Debian): what is unlocked at boot, and the files and devices that needs.
 *
 *     root  UUID=2505567a-…  /keyfile:LABEL=KEYS  luks,header=/header.img:UUID=…
 */
import { unescapeOctal } from './mounts.ts'

export type CryptEntry = {
  readonly name: string
  readonly source: string
  /** Key file as written; absent for a passphrase. */
  readonly key?: string
  readonly options: readonly string[]
}

export function parseCrypttab(text: string): CryptEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', source = '', key = '', options = ''] = line.trim().split(/\s+/).map(unescapeOctal)
    if (name === '' || name.startsWith('#') || source === '') return []
    const isKey = key !== '' && key !== 'none' && key !== '-'
    return [{ name, source, ...(isKey ? { key } : {}), options: options.split(',').filter(Boolean) }]
  })
}

/**
 * Devices that a key or header may name: `FILE:DEVICE`, or `DEVICE:FILE[:SECONDS]` of Debian's passdev and Arch's cryptkey. A
 * path of udev may hold colons itself (`by-path/pci-0000:00:14.0-usb-…`), so every reading is handed out, the likeliest first. A
 * bare file lies on a file system that is mounted by then.
 */
export function devicesOfKey(key: string): string[] {
  const found: string[] = []
  for (let at = key.indexOf(':'); at >= 0; at = key.indexOf(':', at + 1)) {
    found.push(key.slice(at + 1).replace(/:\d+$/, ''), key.slice(0, at))
  }
  return [...new Set([key, ...found])].filter(
    (text) => /^(?:\/dev\/|[A-Z]+=)./.test(text) && !/^\/dev\/u?random$/.test(text),
  )
}
