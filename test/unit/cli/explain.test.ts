/** explain as a user meets it: files, standard input, exit codes, JSON, what reaches the terminal. */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explainSchema } from '../../../src/api/explain.ts'
import { documentOf } from '../../support/documents.ts'

beforeAll(() => {
  if (!fs.existsSync('dist/handover.cjs')) spawnSync(process.execPath, ['scripts/build.mjs'])
})

const folder = fs.mkdtempSync(join(tmpdir(), 'handover-explain-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const log = [
  '[   11.1] vfio-pci 0000:03:00.0: enabling device (0000 -> 0003)',
  'qemu-system-x86_64: vfio 0000:03:00.0: group 14 is not viable',
  '[   30.0] vfio-pci 0000:0a:00.0: not ready 65535ms after FLR; giving up',
  '[   90.0] vfio-pci 0000:0a:00.1: not ready 65535ms after FLR; giving up',
  '',
].join('\n')

/** The built command; `@` stands for a file with these bytes. */
function explain(bytes: string | Uint8Array, args: readonly string[], input: string | Uint8Array = '') {
  const file = join(folder, 'log')
  fs.writeFileSync(file, bytes)
  const given = args.map((arg) => (arg === '@' ? file : arg))
  const { status, stdout, stderr } = spawnSync('./handover', ['explain', ...given], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, out: stdout.replaceAll(file, 'FILE'), err: stderr.replaceAll(file, 'FILE') }
}

const shown = `error[group-not-viable]: Another device of its IOMMU group still has a driver of
  the host.
  --> FILE:2
  | qemu-system-x86_64: vfio 0000:03:00.0: group 14 is not viable
  devices: 0000:03:00.0
  proof: ls -l /sys/kernel/iommu_groups/14/devices/*/driver
  help: run handover plan: it takes the whole group along, or says what of it
      the host needs
  help: put the card into another slot, when the host needs a member of the
      group
  known from: QEMU hw/vfio/container.c; produced on purpose

error[reset-failed]: The device was reset, and did not come back within the
  minute that the kernel waits.
  --> FILE:3, and 1 more line
  | [   30.0] vfio-pci 0000:0a:00.0: not ready 65535ms after FLR; giving up
  devices: 0000:0a:00.0 and 0000:0a:00.1
`

describe('handover explain', () => {
  it('shows cause, place, proof and what helps', () => {
    const said = explain(log, ['@'])
    expect(said).toMatchObject({ status: 0, err: '' })
    expect(said.out.slice(0, shown.length)).toBe(shown)
  })

  it.each([
    ['without a file', []],
    ['for -', ['-']],
  ])('reads standard input %s', (_, args) => {
    const said = explain('', args, log)
    expect(said).toMatchObject({ status: 0, err: '' })
    expect(said.out).toBe(explain(log, ['@']).out.replaceAll('FILE', 'standard input'))
  })

  it('prints one document that holds to its schema', () => {
    const document = documentOf(explainSchema, explain(log, ['@', '--json']).out)
    expect(document).toMatchObject({
      ...{ schema: 1, source: 'FILE', lines: 4 },
      explanations: [
        { id: 'group-not-viable', emitter: 'qemu', line: 2, count: 1, devices: ['0000:03:00.0'] },
        { id: 'reset-failed', emitter: 'kernel', line: 3, count: 2 },
      ],
    })
  })

  it('says that nothing is known, and that is no failure', () => {
    expect(explain('all is well\n', ['@'])).toEqual({
      ...{ status: 0, err: '', out: 'no failure that is known here in 1 line of FILE\n' },
    })
    const document = documentOf(explainSchema, explain('', ['--json']).out)
    expect(document).toEqual({ schema: 1, source: 'standard input', lines: 0, explanations: [] })
  })

  it('reads what is packed with gzip, and UTF-16', () => {
    const plain = explain(log, ['@']).out
    expect(explain(gzipSync(log), ['@']).out).toBe(plain)
    expect(explain(Buffer.from(`\ufeff${log}`, 'utf16le'), ['@']).out).toBe(plain)
  })

  it.each([
    ['a file that is not there', ['/nowhere/vm.log'], /^error: \/nowhere\/vm\.log is not there\n {2}help: /],
    ['a folder', ['/tmp'], /^error: \/tmp is a folder\n {2}help: /],
    ['two files', ['a', 'b'], /too many arguments/],
  ])('refuses %s', (_, args, words) => {
    const said = explain('', args)
    expect(said).toMatchObject({ status: 2, out: '' })
    expect(said.err).toMatch(words)
  })

  it('refuses what is no text, and what is too large', () => {
    expect(explain(Buffer.from([1, 0, 2, 0]), ['@'])).toMatchObject({
      ...{ status: 2, out: '', err: expect.stringMatching(/^error: FILE is not text\n {2}help: /) as string },
    })
    const zeros = gzipSync(Buffer.alloc(65 * 1024 * 1024, 'x\n'))
    expect(explain(zeros, ['@']).err).toMatch(/^error: FILE has more than 64 MiB of text\n {2}help: /)
    expect(explain('', ['-'], Buffer.alloc(65 * 1024 * 1024, 'x\n'))).toMatchObject({
      ...{ status: 2, out: '' },
      err: expect.stringMatching(/^error: standard input has more than 64 MiB/) as string,
    })
  })

  it.each([['@'], ['@', '--json']])('writes no control character: %j %j', (...args) => {
    const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
    const hostile = controls.filter((one) => one > '\0' && one !== '\n' && !/[ -~]/.test(one)).join('')
    const said = explain(`group 14 is not viable \u001b[2J\u001b]0;t\u0007${hostile}\u202e end\n`, args)
    expect(said.status).toBe(0)
    expect(said.out).toContain('group 14 is not viable')
    expect(said.out + said.err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })
})
