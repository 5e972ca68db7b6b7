import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from '../../support/random.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addEntryArg, removeEntryArg } from '../../../src/boot/loaders/bls.ts'
import { addKernelCmdlineArg, removeKernelCmdlineArg } from '../../../src/boot/kernel-cmdline.ts'
import {
  addArg,
  findArg,
  formatCmdline,
  hasArg,
  parseCmdline,
  readArg,
  removeArg,
} from '../../../src/boot/cmdline.ts'
import { addArgTo, parseShell, removeArgFrom } from '../../../src/boot/shell-assignment.ts'

const runs = { numRuns: 2000 }
const arg = 'intel_iommu=on'
const words = fc.constantFrom(
  '--',
  'quiet',
  'splash',
  'root=UUID=1-2',
  'iommu=pt',
  'dyndbg="file a +p"',
  'console=ttyS0,115200n8',
  '"a b"',
  'nomodeset',
  'mitigations=off',
  'x=$y',
)
const gaps = fc.constantFrom(' ', '  ', '\t', ' \t ')
const line = fc
  .tuple(fc.constantFrom('', ' ', '  '), fc.array(fc.tuple(words, gaps), { maxLength: 8 }))
  .map(([lead, parts]) => lead + parts.map((part) => part.join('')).join(''))
const hostile = fc.string({
  unit: fc.constantFrom(
    'a',
    '=',
    '"',
    "'",
    ' ',
    '\n',
    '\\',
    '$',
    '(',
    ')',
    '`',
    '#',
    ';',
    '-',
    'G',
    '{',
    '}',
    '&',
    '|',
    '<',
  ),
})

describe('a kernel command line', () => {
  it('is the same text after parse and format, whatever it is', () =>
    fc.assert(
      fc.property(fc.oneof(line, hostile, fc.string()), (text) => formatCmdline(parseCmdline(text)) === text),
      runs,
    ))

  it('is the same after an argument was added and removed', () =>
    fc.assert(
      fc.property(line, (text) => {
        const before = parseCmdline(text)
        const added = addArg(before, arg)
        return (
          hasArg(added, arg) && formatCmdline(removeArg(parseCmdline(formatCmdline(added)), arg)) === text
        )
      }),
      runs,
    ))

  it.each([
    ['quiet', 'quiet intel_iommu=on'],
    ['', 'intel_iommu=on'],
    ['quiet  ', 'quiet intel_iommu=on  '],
    ['quiet -- single', 'quiet intel_iommu=on -- single'],
    ['-- single', 'intel_iommu=on -- single'],
    ['intel-iommu=on quiet', 'intel-iommu=on quiet'],
    ['quiet -- intel_iommu=on', 'quiet intel_iommu=on -- intel_iommu=on'],
  ])('%j gets the argument: %j', (text, expected) =>
    expect(formatCmdline(addArg(parseCmdline(text), arg))).toBe(expected),
  )

  it.each([
    ['intel_iommu=off quiet', 'quiet'],
    ['a intel-iommu=off  b intel_iommu=off', 'a  b'],
    ['a "intel_iommu=off" b', 'a b'],
    ['a -- intel_iommu=off', 'a -- intel_iommu=off'],
    ['intel_iommu=off,strict', 'intel_iommu=off,strict'],
  ])('%j loses intel_iommu=off: %j', (text, expected) =>
    expect(formatCmdline(removeArg(parseCmdline(text), 'intel_iommu=off'))).toBe(expected),
  )

  it('reads arguments as the kernel does', () => {
    expect(readArg('vfio-pci.ids="10de:1b80"')).toEqual({ key: 'vfio_pci.ids', value: '10de:1b80' })
    expect(readArg('quiet')).toEqual({ key: 'quiet', value: undefined })
    expect(findArg(parseCmdline('iommu=pt iommu=off'), 'iommu')).toBe('iommu=off')
  })
})

/** Real shapes of /etc/default/grub: Debian, Ubuntu, Fedora, Proxmox, Arch, and what people make of them. */
const grubLines = fc.constantFrom(
  "# If you change this file, run 'update-grub' afterwards \"",
  'GRUB_DEFAULT=0',
  'GRUB_TIMEOUT=5   # seconds',
  'GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`',
  'GRUB_DISTRIBUTOR="$( . /etc/os-release; echo ${NAME:-Debian} )"',
  'GRUB_DISTRIBUTOR="$(sed \'s, release .*$,,g\' /etc/system-release)"',
  '#GRUB_TERMINAL=console',
  'export GRUB_COLOR_NORMAL="light-blue/black"',
  'GRUB_DISABLE_OS_PROBER=true; GRUB_X="a;b"',
  'if [ -f /x ]; then GRUB_Y=1; fi',
  '',
  '   ',
  'GRUB_BADRAM="0x01234567,0xfefefefe"',
  'true && GRUB_Z=2',
)
const target = 'GRUB_CMDLINE_LINUX_DEFAULT'
const safeWords = fc.array(
  fc.constantFrom('quiet', 'splash', 'iommu=pt', 'net.ifnames=0', 'console=ttyS0,115200n8'),
  {
    maxLength: 4,
  },
)
const assignment = fc
  .tuple(
    safeWords,
    fc.constantFrom(
      'double',
      'single',
      'bare',
      'mixed',
      'expand',
      'export',
      'commented',
      'split',
      'escaped',
      'append',
    ),
  )
  .map(([list, kind]) => {
    const text = list.join(' ')
    switch (kind) {
      case 'double':
        return `${target}="${text}"`
      case 'single':
        return `${target}='${text}'`
      case 'bare':
        return `${target}=${list[0] ?? ''}`
      case 'mixed':
        return `${target}="${text}"'${list.length > 0 ? ' more' : ''}'`
      case 'expand':
        return `${target}="$GRUB_CMDLINE_LINUX ${text}"`
      case 'export':
        return `export ${target}="${text}"`
      case 'commented':
        return `${target}="${text}" # ${target}="no" 'quote`
      case 'split':
        return `${target}="${list.join(' \\\n')}"`
      case 'append':
        return `${target}="${text}"; ${target}+=' ${list[0] ?? ''}'`
      case 'escaped':
        return `${target}="${text} x=\\"a b\\""`
    }
  })
const grubFile = fc
  .tuple(
    fc.array(grubLines, { maxLength: 8 }),
    fc.option(assignment),
    fc.array(grubLines, { maxLength: 6 }),
    fc.boolean(),
  )
  .map(
    ([head, middle, tail, end]) =>
      [...head, ...(middle === null ? [] : [middle]), ...tail].join('\n') + (end ? '\n' : ''),
  )

/** The other variable, as a drop-in, with carriage returns: whatever stands for the target. */
const anyGrubFile = fc
  .tuple(
    grubFile,
    fc.constantFrom('GRUB_CMDLINE_LINUX', target),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([text, name, end, isDropIn]) => ({
    name,
    text: (isDropIn ? `${name}="$${name} more"\n` : '') + text.replaceAll(target, name).replaceAll('\n', end),
  }))

describe('/etc/default/grub', () => {
  it('is the same after an argument was added and removed', () => {
    let edits = 0
    fc.assert(
      fc.property(anyGrubFile, ({ text, name }) => {
        const added = addArgTo(text, name, arg)
        // With carriage returns a shell does not find the end of a block or of a continued line.
        if (!added.ok) return text.includes('\r')
        expect(added.text).toContain(arg)
        const removed = removeArgFrom(added.text, name, arg)
        if (!removed.ok) throw new Error(removed.reason)
        edits += 1
        // A file without the assignment gets a line of its own, which stays behind empty.
        if (parseShell(text).assignments.some((assignment) => assignment.name === name))
          expect(removed.text).toBe(text)
      }),
      { numRuns: 4000 },
    )
    expect(edits).toBeGreaterThan(3000)
  })

  it('never throws and never hangs, and an edit it refuses gives a reason', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          fc.string(),
          hostile.map((text) => text.replaceAll('\n', '\r\n')),
        ),
        (text) => {
          parseShell(text)
          const edit = addArgTo(text, 'G', 'a=b')
          return edit.ok || edit.reason !== ''
        },
      ),
      runs,
    ))

  it.each([
    [`${target}="quiet"`, `${target}="quiet ${arg}"`],
    [`${target}="quiet"\r\n`, `${target}="quiet ${arg}"\r\n`],
    [`${target}=quiet\r\n`, `${target}=quiet" ${arg}"\r\n`],
    [`${target}=\r\n`, `${target}=${arg}\r\n`],
    [`${target}='quiet' # why`, `${target}='quiet ${arg}' # why`],
    [`${target}=`, `${target}=${arg}`],
    [`${target}=""`, `${target}="${arg}"`],
    [`${target}=quiet\nA=1\n`, `${target}=quiet" ${arg}"\nA=1\n`],
    [`${target}="a"\n${target}="b"\n`, `${target}="a"\n${target}="b ${arg}"\n`],
    [`${target}="a"\n${target}+=" b"\n`, `${target}="a ${arg}"\n${target}+=" b"\n`],
    [`${target}="${arg}"\n${target}="b"\n`, `${target}="${arg}"\n${target}="b ${arg}"\n`],
    [`${target}="${arg}"\n${target}="$${target} b"\n`, `${target}="${arg}"\n${target}="$${target} b"\n`],
    ['A=1', `A=1\n${target}="${arg}"\n`],
    [`# ${target}="quiet"\n`, `# ${target}="quiet"\n${target}="${arg}"\n`],
    [`${target}="quiet ${arg}"\n`, `${target}="quiet ${arg}"\n`],
  ])('%j becomes %j', (text, expected) =>
    expect(addArgTo(text, target, arg)).toEqual({ ok: true, text: expected }),
  )

  it.each([
    [`if true; then\n${target}="x"\nfi\n`, `${target} is set last inside a condition`],
    [`${target}+=" x"\n`, `${target} is only appended to`],
    [`A="never closed\n`, 'a quote that is never closed at line 1'],
    ['cat <<EOF\nx\nEOF\n', 'a here-document at line 1'],
    ['if true; then A=1\n', 'a block that is never closed'],
  ])('refuses %j', (text, reason) => expect(addArgTo(text, target, arg)).toEqual({ ok: false, reason }))

  it('removes an argument from every branch', () =>
    expect(
      removeArgFrom(
        `if x; then ${target}="iommu=off a"; else ${target}='b iommu=off'; fi\n`,
        target,
        'iommu=off',
      ),
    ).toEqual({
      ok: true,
      text: `if x; then ${target}="a"; else ${target}='b'; fi\n`,
    }))

  describe('read by a real shell', () => {
    let folder = ''
    beforeAll(() => (folder = fs.mkdtempSync(join(tmpdir(), 'handover-grub-'))))
    afterAll(() => fs.rmSync(folder, { recursive: true }))

    it('gives the old words and the new argument, and changes no other variable', () => {
      const samples = fc.sample(grubFile, { numRuns: 300, seed: 5 })
      for (const [index, text] of samples.entries()) {
        const added = addArgTo(text, target, arg)
        if (!added.ok) throw new Error(added.reason)
        fs.writeFileSync(join(folder, `${index}.old`), text)
        fs.writeFileSync(join(folder, `${index}.new`), added.text)
      }
      const script =
        'cd "$1"; i=0; while [ -f $i.old ]; do for v in old new; do ( . ./$i.$v >/dev/null 2>&1; printf "%s|%s|%s|%s\\n" "$GRUB_DEFAULT" "$GRUB_X" "$GRUB_Y" "$(printf %s "$GRUB_CMDLINE_LINUX_DEFAULT" | tr "\\n" " ")" ) ; done; i=$((i+1)); done'
      const lines = execFileSync('sh', ['-c', script, 'sh', folder], { encoding: 'utf8' }).split('\n')
      for (let index = 0; index < samples.length; index += 1) {
        const [old = '', now = ''] = [lines[2 * index], lines[2 * index + 1]]
        expect(now.split('|').slice(0, 3)).toEqual(old.split('|').slice(0, 3))
        const split = (text: string) => (text.split('|')[3] ?? '').split(/\s+/).filter(Boolean)
        expect(split(now).toSorted(), samples[index]).toEqual([...split(old), arg].toSorted())
      }
    })
  })
})

const entry = fc
  .tuple(
    fc.constantFrom('', 'title Debian\n', '# x\n'),
    line,
    fc.constantFrom('\n', '\r\n', '\nlinux /vmlinuz\n', '\n\n# end'),
  )
  .map(
    ([head, options, tail]) =>
      `${head}linux /vmlinuz-6.1\noptions ${options.replaceAll('\n', ' ').trimStart() || 'root=/dev/sda1'}${tail}`,
  )

describe('boot entries and /etc/kernel/cmdline', () => {
  it('are the same after an argument was added and removed', () =>
    fc.assert(
      fc.property(entry, line, (text, one) => {
        expect(removeEntryArg(addEntryArg(text, arg), arg)).toBe(text)
        for (const end of ['', '\n', '\n# no\n'])
          expect(removeKernelCmdlineArg(addKernelCmdlineArg(one + end, arg), arg)).toBe(one + end)
      }),
      runs,
    ))

  it('keep the argument on the options line, before a carriage return', () =>
    expect(addEntryArg('title A\r\noptions root=/dev/sda1 ro\r\n', arg)).toBe(
      `title A\r\noptions root=/dev/sda1 ro ${arg}\r\n`,
    ))

  it('get it once, though options stand on two lines', () => {
    const text = `options ${arg}\noptions quiet\n`
    expect(addEntryArg(text, arg)).toBe(text)
  })
})
