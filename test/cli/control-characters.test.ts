/**
 * What a journal, a tree, a spec or an argument holds never moves a terminal's cursor: the built command, as
 * a user runs it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { printable } from '../../src/base/printable.ts'
import { styler } from '../../src/show/text/style.ts'
import { pci, tree } from '../support/sysfs-tree.ts'

beforeAll(() => {
  if (!existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
})

const allControls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
  .filter((character) => character < ' ' || character > '~')
  .join('')
/** With every control character there is, and a line that looks like one of ours. */
const hostile = `x\u001b[2J\u001b]0;t\u0007\u009b31m${allControls.replace('\0', '')}\nerror: y`
const escaping = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function handover(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const done = spawnSync('./handover', args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  })
  return { status: done.status, all: done.stdout + done.stderr, out: done.stdout }
}

function hostWithJournal(): string {
  const root = tree(pci({ at: 'pci0000:00/0000:00:04.0', driver: `dr\u001b[2J`, group: 1 }), {
    '/proc/cmdline': `root=/dev/sda1 \u001b[2J\n`,
    '/proc/self/mountinfo': `22 1 8:1 / /m\u001b[2J rw - ext4 /dev/sd\u009b2J rw\n`,
    '/proc/net/route': 'Iface\n',
    '/etc/default/grub': `GRUB_CMDLINE_LINUX="\u001b[2J"\r\n\tX=1\n`,
  })
  const record = {
    ...{
      schema: 1,
      id: '0001',
      createdAt: `2026-01-01T00:00:00Z${hostile}`,
      version: hostile,
      bootId: hostile,
    },
    ...{
      planHash: hostile,
      needsReboot: false,
      assignments: [],
      takenAlong: [],
      spare: [],
      startOrder: [hostile],
    },
    spec: `/${hostile}`,
    steps: [
      {
        kind: 'file',
        path: `/etc/${hostile}`,
        before: null,
        after: { text: hostile, mode: 0o644 },
        why: hostile,
      },
      { kind: 'command', argv: [hostile, hostile], outputs: [`/boot/${hostile}`], why: hostile },
    ],
    saved: [{ path: `/etc/${hostile}`, kind: 'absent' }],
  }
  const events = [
    { at: hostile, event: 'step', index: 0, phase: 'failed', note: hostile },
    { at: hostile, event: 'rollback', cause: hostile },
    { at: hostile, event: 'end', outcome: 'applied', note: hostile },
  ]
  put(root, '/var/lib/handover/journal/0001/record.json', JSON.stringify(record))
  put(
    root,
    '/var/lib/handover/journal/0001/events.jsonl',
    events.map((one) => `${JSON.stringify(one)}\n`).join(''),
  )
  put(root, '/var/lib/handover/journal/0002/record.json', `{"schema":1,"id":"\u001b[2J`)
  put(root, '/var/lib/handover/journal/0002/events.jsonl', '')
  return root
}

describe('no control character but the newline is written', () => {
  const root = hostWithJournal
  it.each([
    ['journal', ['journal', '--root', '@']],
    ['journal 1', ['journal', '1', '--root', '@']],
    ['journal 2', ['journal', '2', '--root', '@']],
    ['journal --json', ['journal', '--json', '--root', '@']],
    ['journal 1 --json', ['journal', '1', '--json', '--root', '@']],
    ['rollback', ['rollback', '1', '--yes', '--root', '@']],
    ['rollback of what is damaged', ['rollback', '--yes', '--root', '@']],
    ['inspect', ['inspect', '--root', '@']],
    ['inspect ADDRESS', ['inspect', '00:04.0', '--root', '@']],
    ['inspect --table', ['inspect', '--table', '--root', '@']],
    ['inspect --json', ['inspect', '--json', '--root', '@']],
    ['a command that is none', [`insp\u001b[2J\u009b1m`]],
    ['an option that is none', ['inspect', `--\u001b[2J`]],
    ['a file that is not there', ['plan', `/tmp/\u001b[2J\u0085.yaml`]],
    ['a VM that is none', ['down', `\u001b[2J`]],
  ])('by %s', (_, args) => {
    const place = root()
    const given = args.map((arg) => (arg === '@' ? place : arg))
    const { all, out } = handover(given)
    expect(all).not.toBe('')
    expect(escaping.exec(all)?.[0]).toBeUndefined()
    if (args.includes('--json')) expect(() => JSON.parse(out) as unknown).not.toThrow()
    const coloured = handover(given, { FORCE_COLOR: '1' }).all
    expect(coloured.replaceAll(/\u001b\[(?:1|2|22|31|32|33|36|39)m/g, '')).not.toMatch(escaping)
  })

  it('and lines that a record makes up do not look like lines of ours', () => {
    expect(handover(['journal', '1', '--root', root()]).all).not.toMatch(/^error: y/m)
    expect(handover(['rollback', '1', '--yes', '--root', root()]).all).not.toMatch(/^error: y/m)
  })

  it('a capture keeps every byte where it goes to a file', () => {
    const { out } = handover(['capture', '--root', tree({ '/etc/default/grub': 'A=1\n\tB=2\n' })])
    expect(out).toContain('\tB=2')
  })
})

describe('colours', () => {
  it('are written, and those of a foreign text are not', () => {
    expect(printable(styler(true).red('a\u001b[32mb'))).toBe('\u001b[31ma\\u001b[32mb\u001b[39m')
    expect(printable(styler(false).red('a'))).toBe('a')
  })

  it('and what turns the direction of text is shown', () => {
    expect(printable('a\u202eb\u2066\u2028')).toBe('a\\u202eb\\u2066\\u2028')
    expect(printable('größe → ✓ 日本')).toBe('größe → ✓ 日本')
  })
})
