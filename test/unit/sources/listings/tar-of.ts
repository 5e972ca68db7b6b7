/**
 * A tar archive made by hand: path → text, or `-> target` for a link. `pax` and `gnu` put every name into a
 * long-name record.
 */
export function tarOf(
  files: Readonly<Record<string, string>>,
  names: 'plain' | 'pax' | 'gnu' = 'plain',
): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [path, text] of Object.entries(files)) {
    const target = text.startsWith('-> ') ? text.slice(3) : undefined
    if (names === 'pax') {
      const records = paxRecord('path', path) + (target === undefined ? '' : paxRecord('linkpath', target))
      parts.push(...member('pax', 'x', records))
    } else if (names === 'gnu') {
      parts.push(...member('././@LongLink', 'L', `${path}\0`))
      if (target !== undefined) parts.push(...member('././@LongLink', 'K', `${target}\0`))
    }
    const shown = names === 'plain' ? path : 'short'
    parts.push(
      ...member(
        shown,
        target === undefined ? '0' : '2',
        target === undefined ? text : '',
        names === 'plain' ? target : '',
      ),
    )
  }
  parts.push(new Uint8Array(1024))
  return Buffer.concat(parts)
}

function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`
  let length = body.length + 1
  while (String(length).length + body.length !== length) length += 1
  return `${length}${body}`
}

function member(path: string, type: string, text: string, target = ''): Uint8Array[] {
  const body = Buffer.from(text, 'latin1')
  const header = Buffer.alloc(512)
  header.write(path.slice(0, 100), 0)
  header.write('0000644\0', 100)
  header.write(body.length.toString(8).padStart(11, '0') + '\0', 124)
  header.write(type, 156)
  header.write(target.slice(0, 100), 157)
  header.write('ustar\0', 257)
  header.write('00', 263)
  header.write('        ', 148)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, body, new Uint8Array((512 - (body.length % 512)) % 512)]
}
