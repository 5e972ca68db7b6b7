/**
 * Parses /etc/crypttab (crypttab(5) of systemd and of Debian): the volumes that are unlocked at boot, with
 * their key files and devices.
 *
 *     root  UUID=2505567a-…  /keyfile:LABEL=KEYS  luks,header=/header.img:UUID=…
 */
import { unescapeOctal } from './mounts.ts'

export type CryptEntry = {
  readonly name: string
  readonly source: string
  /** The key file as written. Absent: a passphrase. */
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
 * The devices that a key or header may name: `FILE:DEVICE`, or `DEVICE:FILE[:SECONDS]` of Debian's passdev
 * and Arch's cryptkey. A udev path may itself hold colons (`by-path/pci-0000:00:14.0-usb-…`), so every
 * possible split is returned, the likeliest first. A plain file is on a file system that is mounted by then.
 */
export function devicesOfKey(key: string): string[] {
  const parts = key.split(':').slice(0, 24)
  const found: string[] = []
  for (let from = 0; from < parts.length; from++) {
    for (let to = parts.length; to > from; to--) found.push(parts.slice(from, to).join(':'))
  }
  return [...new Set(found)].filter(
    (text) => /^(?:\/dev\/|[A-Z]+=)./.test(text) && !/^\/dev\/u?random$/.test(text),
  )
}
