import type { Host } from '../../src/host/host.ts'

/**
 * The ways a listing changes on its way from a terminal into a forum, a mail or a file: text in, text out.
 */

const eachLine = (text: string, change: (line: string, index: number) => string): string =>
  text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line, index, lines) => (line === '' && index === lines.length - 1 ? '' : change(line, index)))
    .join('\n')

/** As `grep --color` and coloured scripts print it. */
const red = (text: string) => `\u001b[01;31m\u001b[K${text}\u001b[m\u001b[K`

export const pastes: Readonly<Record<string, (text: string) => string>> = {
  'line ends of Windows': (text) => text.replace(/\r?\n/g, '\r\n'),
  'colours of a terminal': (text) =>
    eachLine(text, (line) =>
      line.replace(/[0-9a-f]{2}:[01][0-9a-f]\.[0-7]|\bIOMMU\b/gi, red).replace(/$/, '\u001b[0m'),
    ),
  'a prompt and the command before, a prompt after': (text) =>
    `[sudo] password for anna: \nroot@pve:~# sudo lspci -nnk\n${text.trimEnd()}\nroot@pve:~# `,
  'a prompt of fish with a time': (text) => `anna@box ~> lspci -nnk | cat     12:04:31\n${text}anna@box ~> `,
  'quoted in a mail': (text) => eachLine(text, (line) => (line === '' ? '>' : `> ${line}`)),
  'quoted twice': (text) => eachLine(text, (line) => `> > ${line}`),
  'indented by four': (text) => eachLine(text, (line) => `    ${line}`),
  'tabs as eight blanks': (text) => text.replace(/\t/g, '        '),
  'tabs as one blank': (text) => text.replace(/\t/g, ' '),
  'no line end at the end': (text) => text.replace(/([^\n])\n$/, '$1'),
  'blanks at the ends of lines': (text) => eachLine(text, (line) => `${line}   `),
  'hard blanks of a web page': (text) =>
    eachLine(text, (line) => line.replace(/^[ \t]+/, (s) => '\u00a0'.repeat(s.length))),
  'a code fence with prose around': (text) =>
    `Hi all, my new board came. Here is what it says:\n\n\`\`\`\n${text.trimEnd()}\n\`\`\`\n\nAny ideas? Thanks!\n`,
  'numbered by cat -n': (text) =>
    eachLine(text, (line, index) => `${String(index + 1).padStart(6)}\t${line}`),
  'numbered by an editor': (text) =>
    eachLine(text, (line, index) => `${String(index + 1).padStart(3)} ${line}`),
  'numbered by grep': (text) => eachLine(text, (line, index) => `${index + 1}:${line}`),
  'quoted by a bar': (text) => eachLine(text, (line) => `│ ${line}`),
  'numbered below some prose': (text) =>
    `Hi all,\nhere it is:\n\n${eachLine(text, (line, index) => `${index + 1}  ${line}`)}`,
  'doubled below some prose': (text) => `Here it is, any ideas?\n${text.replace(/\n/g, '\n\n')}`,
  'line ends doubled by a page': (text) => text.replace(/\n/g, '\n\n'),
  'tags of a forum on its first and last line': (text) => `[CODE]${text.trimEnd()}[/CODE]\n`,
  'group lines in German': (text) =>
    text.replace(/\bIOMMU Group\b/g, 'IOMMU-Gruppe').replace(/^Group /gm, 'Gruppe '),
  'group lines in French': (text) => text.replace(/\bIOMMU Group\b/g, 'Groupe IOMMU'),
  'blanks at the beginnings of lines lost': (text) => eachLine(text, (line) => line.trimStart()),
  'pasted twice': (text) => `${text.trimEnd()}\n\n${text}`,
  'other commands before and after': (text) => `${before}${text.trimEnd()}\n${after}`,
  'the page of a pager': (text) =>
    eachLine(text, (line, index) => (index % 40 === 39 ? `${line}\n:` : line)) + '\n(END)\n',
}

const before = `$ uname -a
Linux pve 6.8.12-4-pve #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z) x86_64 GNU/Linux
$ cat /proc/cmdline
BOOT_IMAGE=/boot/vmlinuz-6.8.12-4-pve root=/dev/mapper/pve-root ro quiet
$ lspci -nnk
`
const after = `$ lsblk
NAME   MAJ:MIN RM   SIZE RO TYPE MOUNTPOINTS
sda      8:0    0 931.5G  0 disk
\`-sda1   8:1    0   512M  0 part /boot/efi
$ lsusb
Bus 001 Device 002: ID 8087:0029 Intel Corp. AX200 Bluetooth
$ free -h
               total        used        free
Mem:            31Gi       4.2Gi        20Gi
$
`

export function bytesOf(text: string, encoding: 'utf8' | 'utf16' = 'utf8'): Uint8Array {
  return encoding === 'utf8'
    ? Buffer.from(text)
    : Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
}

/**
 * What a listing says of functions and groups; the rest (a kernel's name in another command's output) may be
 * more.
 */
export function statedBy({ devices, groups }: Host): Pick<Host, 'devices' | 'groups'> {
  return { devices, groups }
}
